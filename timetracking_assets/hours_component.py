"""The Dagster component `timetracking_assets.HoursModel`: one model of hours over all APIs.

Only the way from YAML to a model belongs here, and the message for a wrong file. What
the definitions are, is in `orchestration/hours/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import dagster as dg
from pydantic import BaseModel, ValidationError

from timetracking_assets.component import RestApi
from timetracking_assets.errors import SpecError
from timetracking_assets.files.api_file import ApiFile
from timetracking_assets.files.schema import HoursFileModel
from timetracking_assets.hours.model import HoursModel as Model
from timetracking_assets.orchestration.hours.assets import build_hours_definitions
from timetracking_assets.orchestration.hours.sql_files import read_sql_files
from timetracking_assets.spec.hours_model import HoursModelSpec, check_hours_model
from timetracking_assets.spec.mistakes import mistakes_in

SQL_FOLDER = "sql"


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
        return HoursFileModel

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
        raw = attributes.model_dump(exclude_unset=True) if attributes is not None else {}
        tree = context.resolution_context.source_position_tree
        path = Path(tree.position.filename) if tree else None
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
    lines = []
    for problem in problems:
        place = ApiFile(path, {}).place_of(problem.path) if path and problem.path else None
        key = ".".join(map(str, problem.path))
        parts = (str(place) if place else "", key, problem.message)
        lines.append(": ".join(part for part in parts if part))
    lines.append("What may be written there: `timetracking docs hours`")
    return dg.DagsterInvalidDefinitionError("\n".join(lines))
