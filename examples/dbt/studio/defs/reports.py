"""The dbt models as assets, built when the tables of `hours` that they read have been."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, DbtProject, dbt_assets

# a source's table is the asset of that schema and name: `hours/person_days`
project = DbtProject(project_dir=Path(__file__).parents[2] / "reports")
project.prepare_if_dev()


class Translator(DagsterDbtTranslator):
    """What the assets of dbt have in common."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """One group, whatever folder a model is in."""
        return "reports"

    def get_automation_condition(
        self, dbt_resource_props: Mapping[str, Any]
    ) -> dg.AutomationCondition[Any]:
        """After each build of what a model reads."""
        return dg.AutomationCondition.eager()


@dbt_assets(manifest=project.manifest_path, dagster_dbt_translator=Translator())
def reports(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
    """Build and test the models."""
    yield from dbt.cli(["build"], context=context).stream()


defs = dg.Definitions(assets=[reports], resources={"dbt": DbtCliResource(project_dir=project)})
