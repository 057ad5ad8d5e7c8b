"""The JSON schemas of `attributes`: what editors complete by, and what Dagster asks for whenever a
code location loads.

`python -m timetracking_assets.files.schema` writes them from the models, as files beside this one:
making them would take longer than reading all files does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from timetracking_assets.errors import SpecPath
from timetracking_assets.files.locations import COMPONENT

_API, _HOURS = "attributes_schema.json", "hours_attributes_schema.json"


def attributes_schema() -> dict[str, Any]:
    """The JSON schema of the attributes of an API."""
    return _read(_API)


def hours_attributes_schema() -> dict[str, Any]:
    """The JSON schema of the attributes of the model of hours."""
    return _read(_HOURS)


def _read(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return schema


def schemas_of_models() -> dict[str, dict[str, Any]]:
    """What the files must hold, by their names."""
    from timetracking_assets.files.models import ApiFileModel, HoursFileModel

    schema: dict[str, Any] = _nullable(ApiFileModel.model_json_schema())
    for definition in schema["$defs"].values():
        if definition.get("type") == "object":
            # null takes a map out
            definition["type"] = ["object", "null"]
    return {_API: schema, _HOURS: HoursFileModel.model_json_schema()}


def file_schema(grammar: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The JSON schema of a whole `defs.yaml`.

    `grammar` has the schemas of what dlt names, by their keys: of `client` and `endpoint`.
    """
    attributes = attributes_schema()
    for model in (attributes, *attributes["$defs"].values()):
        properties = model.get("properties", {})
        for key in grammar.keys() & properties.keys():
            # `unified` has a `client`, too: the name of a column
            if "object" in properties[key].get("type", ()):
                properties[key] |= grammar[key]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "defs.yaml",
        "type": "object",
        "properties": {"type": {"const": COMPONENT}, "attributes": attributes},
        "required": ["type", "attributes"],
        "$defs": attributes.pop("$defs"),
    }


def _nullable(schema: Any) -> Any:
    """`schema` without the alternatives that only add null: a validator names no key below them."""
    if isinstance(schema, list):
        return [_nullable(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _nullable(item) for key, item in schema.items()}
    match plain.get("anyOf"):
        case [{"$ref": str(name)}, {"type": "null"}]:
            del plain["anyOf"]
            plain["$ref"] = name
        case [{"type": str(kind), **rest}, {"type": "null"}] if "const" not in rest:
            del plain["anyOf"]
            plain |= {**rest, "type": [kind, "null"]}
            if "enum" in plain:
                plain["enum"] = [*plain["enum"], None]
    return plain


@cache
def _api_schema() -> Mapping[str, Any]:
    return attributes_schema()


def admits_text(path: SpecPath) -> bool:
    """Whether any text may be written at `path` of an API's attributes, so that a template may.

    False also where the schema alone does not tell.
    """
    schema = _api_schema()
    node: Any = schema
    for part in path:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
        if isinstance(part, int):
            node = node.get("items")
        else:
            node = node.get("properties", {}).get(part, node.get("additionalProperties"))
        if not isinstance(node, dict) or {} in (node, *node.get("anyOf", ())):
            return node is not None and node is not False
    return "string" in node.get("type", ()) and not {"enum", "const", "pattern"} & node.keys()


if __name__ == "__main__":
    for name, schema in schemas_of_models().items():
        path = Path(__file__).with_name(name)
        path.write_text(json.dumps(schema, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        sys.stdout.write(f"{path}\n")
