"""YAML read with the places of its keys: what a file holds, or why it holds no component.

Only the text of one file matters here; what it extends is in `api_file.py`, whether its keys are
right in `schema.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from timetracking_assets.errors import SpecError, SpecErrors
from timetracking_assets.files.locations import COMPONENT
from timetracking_assets.spec.mistakes import Mistakes


class Place(NamedTuple):
    """A place in a file; lines and columns count from 1."""

    path: Path
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


def attributes_in(path: Path) -> list[dict[str, Any]]:
    """The attributes of each API that a file describes; components of other types are left out.

    Raises SpecError, its message with the place, for what is no YAML or no component.
    """
    problem = None
    try:
        loaded = _documents_of(path.read_text(encoding="utf-8"), path)
    except OSError as error:
        problem = f"{path}: can't be read: {error.strerror}"
    except UnicodeDecodeError:
        problem = f"{path}: can't be read: it is not UTF-8"
    except yaml.YAMLError as error:
        problem = _not_yaml(path, error)
    if problem:
        raise SpecError((), problem)
    mistakes = [
        SpecError((), f"{_start(path, index)}: {text}")
        for index, document in enumerate(loaded or [None])
        if (text := _no_component(document))
    ]
    if mistakes:
        raise SpecErrors(mistakes)
    return [
        document.get("attributes") or {} for document in loaded if document["type"] == COMPONENT
    ]


# libyaml's parser is several times as fast; a build of PyYAML may lack it
_LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _documents_of(text: str, path: Path) -> list[Any]:
    """The documents of a YAML text.

    Raises YAMLError, or SpecError for a key that a map has twice.
    """
    try:
        return list(_loaded(_LOADER(text), path))
    except yaml.YAMLError:
        # Dagster reads with this one: what it refuses, and the place, are what counts
        return list(_loaded(yaml.SafeLoader(text), path))


def _loaded(loader: Any, path: Path) -> Iterator[Any]:
    mistakes = Mistakes()
    try:
        while loader.check_node():
            node = loader.get_node()
            mistakes.extend(_repeated_keys(node, path))
            yield loader.construct_document(node)
    finally:
        loader.dispose()
    mistakes.raise_any()


def _repeated_keys(node: yaml.Node | None, path: Path) -> Iterator[SpecError]:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item, path)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                place = Place(path, key.start_mark.line + 1, key.start_mark.column + 1)
                yield SpecError((), f"{place}: the key `{key.value}` is already in this map")
            if isinstance(key, yaml.ScalarNode):
                seen.add(key.value)
            yield from _repeated_keys(value, path)


def _not_yaml(path: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    place = Place(path, mark.line + 1, mark.column + 1) if mark else path
    words = [getattr(error, key, None) for key in ("context", "problem")]
    begin = getattr(error, "context_mark", None)
    if begin and words[0]:
        words[0] += f" that begins at {begin.line + 1}:{begin.column + 1}:"
    return f"{place}: not valid YAML: {' '.join(filter(None, words)) or error}"


def _start(path: Path, index: int) -> Place:
    """Where the document of that index begins, or has its type."""
    node = dict(enumerate(documents(path))).get(index)
    kind = child(node, "type")
    mark = kind[0].start_mark if kind else node.start_mark if node else None
    return Place(path, mark.line + 1, mark.column + 1) if mark else Place(path, 1, 1)


def _no_component(document: Any) -> str | None:
    """What is wrong with a document that describes no component; None if nothing is."""
    example = f"begin with `type: {COMPONENT}` and `attributes:`"
    if document is None:
        return f"the file is empty; {example}"
    if not isinstance(document, dict):
        return f"must be a map; {example}"
    if not isinstance(kind := document.get("type"), str):
        return f"`type` is missing; {example}"
    if not isinstance(document.get("attributes") or {}, dict):
        return "`attributes` must be a map"
    if kind != COMPONENT and get_close_matches(kind, [COMPONENT], cutoff=0.8):
        return f"unknown type '{kind}'; did you mean `{COMPONENT}`?"
    return None


def documents(path: Path) -> list[yaml.Node]:
    """The documents of a file as nodes with positions; none if it can't be read."""
    try:
        return list(yaml.compose_all(path.read_text(encoding="utf-8"), yaml.SafeLoader))
    except (OSError, yaml.YAMLError):
        return []


def child(node: yaml.Node | None, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """The node of a key (of an item, itself) and the node of its value."""
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == str(part)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None


def nearest(node: yaml.Node, path: Sequence[str | int]) -> tuple[int, yaml.Mark]:
    """How many parts of `path` there are below `node`, and where the last of them begins."""
    mark = node.start_mark
    for depth, part in enumerate(path):
        below = child(node, part)
        if below is None:
            return depth, mark
        key, node = below
        mark = key.start_mark
    return len(path), mark
