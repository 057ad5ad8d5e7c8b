"""YAML merged into a file in place: comments, order and layout of what stays are kept.

Which changes to make is for the caller to know; whether the result is right, `load_api` judges.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from timetracking_assets.errors import SpecError
from timetracking_assets.files.api_file import ApiFile
from timetracking_assets.files.locations import COMPONENT
from timetracking_assets.spec.defaults import resources_with_defaults
from timetracking_assets.spec.model import ResourceSpec


@dataclass(frozen=True)
class Change:
    """YAML to merge into a resource; into the API's attributes where `resource` is empty."""

    resource: str
    yaml: str

    @property
    def complete(self) -> bool:
        """Whether nothing is left for a person to fill in: no comment has the dots of a gap."""
        return "..." not in self.yaml and isinstance(yaml.safe_load(self.yaml), dict)


def changed_text(file: ApiFile, changes: Sequence[Change]) -> str:
    """The text of the API's file with `changes` merged into it, in their order.

    Raises SpecError for attributes that were read from no file.
    """
    if file.path is None:
        raise SpecError((), "the API is described by no file")
    text = file.path.read_text(encoding="utf-8")
    editor = _editor(text)
    documents = list(editor.load_all(text))
    for document in documents:
        attributes = document.get("attributes") if document.get("type") == COMPONENT else None
        if attributes is not None and attributes.get("name") == file.attributes.get("name"):
            for change in changes:
                _apply(attributes, change, file)
    stream = StringIO()
    editor.dump_all(documents, stream)
    return stream.getvalue()


def _editor(text: str) -> YAML:
    editor = YAML()
    editor.preserve_quotes = True
    # lines stay as long as they are
    editor.width = 4096
    dash = re.search(r"^( *)[\w-]+:\n( *)- ", text, re.MULTILINE)
    offset = len(dash[2]) - len(dash[1]) if dash else 2
    editor.indent(mapping=2, sequence=offset + 2, offset=offset)
    return editor


def _apply(attributes: CommentedMap, change: Change, file: ApiFile) -> None:
    loaded = YAML().load(change.yaml)
    of_api = {key: value for key, value in loaded.items() if key not in ResourceSpec.model_fields}
    _merge(attributes, of_api if change.resource else loaded)
    own = {key: value for key, value in loaded.items() if key not in of_api}
    if change.resource and own:
        _merge(_resource(attributes, change.resource), _whole_columns(own, change.resource, file))


def _resource(attributes: CommentedMap, name: str) -> Any:
    """The file's own map of a resource; a new one where only what is extended has it."""
    resources = attributes.setdefault("resources", [])
    for resource in resources:
        if resource.get("name") == name:
            return resource
    resources.append(CommentedMap(name=name))
    return resources[-1]


def _whole_columns(change: Mapping[str, Any], name: str, file: ApiFile) -> Mapping[str, Any]:
    """`change` with columns that stay declared where they replace a default's declaration."""
    merged = {
        str(item.attributes.get("name")): item.attributes
        for item in resources_with_defaults(file.attributes)
        if item
    }
    declared = merged.get(name, {}).get("columns") or {}
    if not isinstance(change.get("columns"), Mapping):
        return change
    columns = {
        column: {**(declared.get(column) or {}), **value} if isinstance(value, Mapping) else value
        for column, value in change["columns"].items()
    }
    return {**change, "columns": columns}


def _merge(target: Any, change: Mapping[str, Any]) -> None:
    for key, value in change.items():
        below = target.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping) and _same_type(below, value):
            _merge(below, value)
        elif isinstance(below, list) and isinstance(value, list) and key in _ADDED:
            below.extend(item for item in value if item not in below)
        elif key in target:
            target[key] = value
        else:
            # before the last key: a comment or an empty line after that one ends the map
            target.insert(max(len(target) - 1, 1), key, value)


_ADDED = ("exclude",)
"""Lists that a change adds to; it replaces any other."""


def _same_type(below: Mapping[str, Any], above: Mapping[str, Any]) -> bool:
    return "type" not in above or above["type"] == below.get("type")
