"""The Dagster component `timetracking_assets.RestApi`: one YAML file in, definitions out.

Only the way from YAML to a resolved `Api` belongs here, and the words in which a wrong file is
refused: file, line, key, and what would be right. What the definitions are is said in
`orchestration`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import dagster as dg
from pydantic import BaseModel, ValidationError

from timetracking_assets.ingest.api import Api
from timetracking_assets.ingest.errors import SpecError
from timetracking_assets.ingest.resolution import resolve
from timetracking_assets.ingest.source import validate
from timetracking_assets.ingest.spec import ApiSpec
from timetracking_assets.orchestration.assets import build_api_definitions
from timetracking_assets.orchestration.automation import build_automation


class RestApi(dg.Component):
    """A REST API whose resources become assets: one resource, one asset, one table.

    `client` and `endpoint` are written in the grammar of dlt's `rest_api`; the other keys say what
    dlt has no word for: partitions, windows, sync modes, retries, columns.
    """

    def __init__(self, api: Api) -> None:
        self.api = api

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """The schema of `attributes`, for `dg check yaml` and completion in editors."""
        return ApiSpec

    @classmethod
    def get_spec(cls) -> dg.ComponentTypeSpec:
        """What `dg list components` and the docs say of it."""
        return dg.ComponentTypeSpec(
            description="A REST API whose resources become assets, loaded by dlt.",
            tags=["dlt", "duckdb", "rest"],
        )

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """Build the component from a file's attributes, its `{{ }}` templates rendered first.

        Raises `DagsterInvalidDefinitionError` that names file, line and key.
        """
        raw = attributes.model_dump(exclude_unset=True) if attributes is not None else {}
        problems: list[tuple[Sequence[str | int], str]]
        try:
            rendered = _rendered(raw, context.resolution_context)
            api = resolve(ApiSpec.model_validate(rendered))
            validate(api)
        except SpecError as error:
            problems = [(error.path, error.message)]
        except ValidationError as error:
            problems = [(item["loc"], item["msg"]) for item in error.errors()]
        else:
            return cls(api)
        lines = [_located(context, path, message) for path, message in problems]
        raise dg.DagsterInvalidDefinitionError("\n".join(lines))

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The API's assets and checks, its automation, and the resource with its settings."""
        return dg.Definitions.merge(build_api_definitions(self.api), build_automation(self.api))


def _rendered(value: Any, resolution: dg.ResolutionContext) -> Any:
    """`value` with its templates rendered; a text without one is not given to the engine, which
    takes longer over a file of plain texts than all the rest does.
    """
    if isinstance(value, dict):
        return {key: _rendered(item, resolution) for key, item in value.items()}
    if isinstance(value, list):
        return [_rendered(item, resolution) for item in value]
    if isinstance(value, str) and "{" in value:
        return resolution.resolve_value(value)
    return value


def _located(context: dg.ComponentLoadContext, path: Sequence[str | int], message: str) -> str:
    tree: Any = context.resolution_context.source_position_tree
    key = ".".join(str(part) for part in path) or "attributes"
    if tree is None:
        return f"{key}: {message}"
    position, _ = tree.lookup_closest_and_path(["attributes", *path], trace=None)
    return f"{position}: {key}: {message}"
