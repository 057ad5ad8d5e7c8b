"""The Dagster component `timetracking_assets.RestApi`: one YAML file in, definitions out.

Only the way from YAML to a resolved `Api` belongs here, and the message for a wrong file: its
line, the key, and what would be right. What the definitions are is decided in
`orchestration`, what a file extends in `files`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import dagster as dg
from pydantic import BaseModel, ConfigDict, Field

from timetracking_assets.errors import SpecError, SpecPath
from timetracking_assets.files.api_file import ApiFile, own_attributes
from timetracking_assets.files.mistakes import Mistake, report, without
from timetracking_assets.files.new_file import add_variables, file_text
from timetracking_assets.files.schema import admits_text, attributes_schema
from timetracking_assets.ingest.pages.grammar import grammar_mistakes
from timetracking_assets.ingest.pages.rest_api import validate
from timetracking_assets.orchestration.assets import build_api_definitions
from timetracking_assets.orchestration.automation.build import build_automation
from timetracking_assets.spec.api import Api
from timetracking_assets.spec.mistakes import Mistakes
from timetracking_assets.spec.resolve import resolve


class RestApiParams(BaseModel):
    """What `dg scaffold` takes for an API."""

    extends: str | None = Field(
        None, description="the API to start from: a shipped one, or a folder such as `../other_api`"
    )


class RestApiScaffolder(dg.Scaffolder[RestApiParams]):
    """Writes an API's `defs.yaml` with comments, and the names of its variables into `.env`."""

    @classmethod
    def get_scaffold_params(cls) -> type[RestApiParams]:
        """The options of the command."""
        return RestApiParams

    def scaffold(self, request: dg.ScaffoldRequest[RestApiParams]) -> None:
        """Write the files. Raises DagsterInvalidDefinitionError for what can't be extended."""
        if request.scaffold_format != "yaml" or request.append:
            raise dg.DagsterInvalidDefinitionError("an API is a `defs.yaml` in a folder of its own")
        name = re.sub(r"[^a-z0-9_]+", "_", request.target_path.name.lower()).lstrip("_0123456789")
        path = request.target_path / "defs.yaml"
        problem = None
        try:
            text, variables = file_text(name, request.params.extends, path)
        except SpecError as error:
            problem = error.message
        if problem:
            raise dg.DagsterInvalidDefinitionError(problem)
        path.write_text(text, encoding="utf-8")
        if request.project_root:
            add_variables(request.project_root / ".env", name, variables)


class RestApiAttributes(BaseModel):
    """The attributes of a file as they are written, with the schema that editors complete by.

    Dagster takes any: `load_api` judges them, all at once, so that every command prints the same.
    """

    model_config = ConfigDict(extra="allow")

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The JSON schema of what a file may hold."""
        return attributes_schema()


_TEMPLATE_MARKS = ("{{", "{%", "{#")


@dg.scaffold_with(RestApiScaffolder)
class RestApi(dg.Component):
    """A REST API whose resources become assets: one resource, one asset, one table.

    `client` and `endpoint` are written in the grammar of dlt's `rest_api`; the other keys are for
    what that grammar lacks: partitions, windows, sync modes, retries, columns. A file that
    `extends` another holds only what differs.
    """

    def __init__(self, api: Api) -> None:
        self.api = api

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """The schema of `attributes`, for `dg check yaml` and completion in editors."""
        return RestApiAttributes

    @classmethod
    def get_spec(cls) -> dg.ComponentTypeSpec:
        """What `dg list components` and the docs show of it."""
        return dg.ComponentTypeSpec(
            description="A REST API whose resources become assets, loaded by dlt.",
            tags=["dlt", "duckdb", "rest"],
        )

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """Build the component from a file's attributes, its `{{ }}` templates rendered.

        Raises `DagsterInvalidDefinitionError` that names file, line and key.
        """
        raw = (attributes.model_extra or {}) if attributes is not None else {}
        return cls(load_api(raw, path_of_file(context), context.resolution_context))

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The API's assets and checks, its automation, and the resource with its settings."""
        return dg.Definitions.merge(build_api_definitions(self.api), build_automation(self.api))


def path_of_file(context: dg.ComponentLoadContext) -> Path | None:
    """The file that a component is loaded from, as far as Dagster knows."""
    tree = context.resolution_context.source_position_tree
    return Path(tree.position.filename) if tree else None


def load_api(raw: Mapping[str, Any], path: Path | None, context: dg.ResolutionContext) -> Api:
    """The API that the attributes `raw` of the file `path` and of what it extends describe.

    Raises `DagsterInvalidDefinitionError` with all mistakes of the file, each with its place.
    """
    if "extends" not in raw and all(map(admits_text, _templates(raw))):
        # its shape is judged with all the rest; what is wrong, is found below
        with suppress(Exception):
            attributes = _rendered(ApiFile.of(raw, path).attributes, context)
            api = resolve(attributes)
            if not grammar_mistakes(attributes):
                validate(api)
                return api
    # only a mistake, or what is extended, waits for these models
    from timetracking_assets.files.models import mistakes_of_shape

    # what has the wrong shape is put aside, so that it does not hide what else is wrong
    file = ApiFile(path, raw)
    mistakes = [Mistake.at(file, error) for error in mistakes_of_shape(raw)]
    if all(mistake.alone for mistake in mistakes):
        others = Mistakes()
        with others.noted():
            file = ApiFile.of(without(raw, mistakes), path)
            attributes = _rendered(file.attributes, context)
            mistakes += [Mistake.at(file, error) for error in grammar_mistakes(attributes)]
            api = resolve(attributes)
            if not mistakes:
                validate(api)
                return api
        known = {mistake.resource for mistake in mistakes}
        located = [Mistake.at(file, error) for error in others]
        mistakes += [mistake for mistake in located if mistake.resource not in known]
    raise dg.DagsterInvalidDefinitionError(report(mistakes))


def _templates(value: Any, path: SpecPath = ()) -> Iterator[SpecPath]:
    """The paths of the texts of `value` that are templates."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _templates(item, (*path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _templates(item, (*path, index))
    elif _is_template(value):
        yield path


def _is_template(value: Any) -> bool:
    return isinstance(value, str) and any(mark in value for mark in _TEMPLATE_MARKS)


def _rendered(value: Any, resolution: dg.ResolutionContext, path: SpecPath = ()) -> Any:
    """`value`, which is at `path` of the attributes, with its templates rendered.

    A text without one is not given to the engine, which takes longer over a file of plain texts
    than all the rest does: `${VARIABLES}` and dlt's `{resources.parent.id}` are no templates.
    Raises SpecError for a template that can't be rendered.
    """
    if isinstance(value, Mapping):
        return {key: _rendered(item, resolution, (*path, str(key))) for key, item in value.items()}
    if isinstance(value, list):
        return [_rendered(item, resolution, (*path, index)) for index, item in enumerate(value)]
    if not _is_template(value):
        return value
    try:
        return resolution.resolve_value(value)
    except Exception as error:  # Dagster has no public name for what it raises here
        problem = " ".join(str(error).split())
    raise SpecError(path, f"the template can't be rendered: {problem}")


def load_project(directory: Path, name: str | None = None) -> list[Api]:
    """The APIs of the `dg` project around `directory`, or the one of that name.

    Raises SpecError with all mistakes of all files, each with its place.
    """
    context = dg.ResolutionContext.default()
    apis, problems = [], []
    for path, attributes in own_attributes(directory, name):
        try:
            apis.append(load_api(attributes, path, context))
        except dg.DagsterInvalidDefinitionError as error:
            problems.append(str(error))
    if problems:
        raise SpecError((), "\n".join(problems))
    return apis
