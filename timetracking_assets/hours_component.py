"""The Dagster component `timetracking_assets.HoursModel`: one model of hours over all APIs.

Only the way from YAML to a model belongs here, and the message for a wrong file. What
the definitions are, is in `orchestration/hours/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import dagster as dg
from pydantic import BaseModel, ConfigDict, ValidationError

from timetracking_assets.component import RestApi, path_of_file
from timetracking_assets.errors import SpecError
from timetracking_assets.files.api_file import ApiFile
from timetracking_assets.files.mistakes import Mistake, report
from timetracking_assets.files.schema import hours_attributes_schema
from timetracking_assets.hours.model import HoursModel as Model
from timetracking_assets.orchestration.hours.assets import build_hours_definitions
from timetracking_assets.orchestration.hours.sql_files import read_sql_files
from timetracking_assets.spec.hours_model import HoursModelSpec, check_hours_model
from timetracking_assets.spec.mistakes import mistakes_in

SQL_FOLDER = "sql"


class HoursModelAttributes(BaseModel):
    """The attributes of a file as they are written, with the schema that editors complete by.

    Dagster takes any: `HoursModel.load` judges them, so that mistakes are worded as an API's are.
    """

    model_config = ConfigDict(extra="allow")

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The JSON schema of what a file may hold."""
        return hours_attributes_schema()


class HoursModel(dg.Component):
    """One model of hours over the project's APIs: people, entries, absences and plans of all tools.

    What an API's rows mean in it is declared in its own file, under `unified`; here, what holds
    for all of them. Files `sql/*.sql` beside this one are tables on top of it.
    """

    def __init__(self, spec: HoursModelSpec, path: Path | None) -> None:
        self.spec, self._path = spec, path

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """The schema of `attributes`, for `dg check yaml` and completion in editors."""
        return HoursModelAttributes

    @classmethod
    def get_spec(cls) -> dg.ComponentTypeSpec:
        """What `dg list components` and the docs say of it."""
        return dg.ComponentTypeSpec(
            description="One model of hours over all APIs: planned, absent, available, worked.",
            tags=["duckdb", "postgres", "sql"],
        )

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """Build the component from a file's attributes.

        Raises `DagsterInvalidDefinitionError` that names file, line and key.
        """
        raw = (attributes.model_extra or {}) if attributes is not None else {}
        path = path_of_file(context)
        try:
            spec = HoursModelSpec.model_validate(context.resolution_context.resolve_value(raw))
        except ValidationError as error:
            problems = mistakes_in(error, raw, HoursModelSpec)
        else:
            return cls(spec, path)
        raise _refusal(path, problems)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The assets of the model, their checks, and what builds them after loads.

        Raises `DagsterInvalidDefinitionError` that names file, line and key.
        """
        components = context.component_tree.get_all_components(of_type=RestApi)
        apis = {component.api.name: component.api for component in components}
        try:
            check_hours_model(self.spec, apis)
            files = read_sql_files(
                context.path / SQL_FOLDER, {name: api.resources for name, api in apis.items()}
            )
        except SpecError as error:
            problems = list(error.each)
        else:
            return build_hours_definitions(Model(self.spec, apis), files)
        raise _refusal(self._path, problems)


def _refusal(path: Path | None, problems: Sequence[SpecError]) -> dg.DagsterInvalidDefinitionError:
    file = ApiFile(path, {})
    mistakes = [Mistake.at(file, problem) for problem in problems]
    return dg.DagsterInvalidDefinitionError(report(mistakes, "timetracking docs hours"))
