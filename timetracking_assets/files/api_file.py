"""One API's file with what it extends: the attributes that they come to, and the line of each.

Reads YAML and nothing else: templates (`{{ }}`) and variables stay as they are written. PyYAML's
node graph has the positions; a file is composed again only when there is a mistake to report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from timetracking_assets.errors import SpecError, SpecErrors
from timetracking_assets.files.extension import extend
from timetracking_assets.files.locations import (
    COMPONENT,
    defs_files,
    defs_folder,
    shipped_apis,
)
from timetracking_assets.files.schema import mistakes_of_shape
from timetracking_assets.spec.mistakes import Mistakes

KeyPath = Sequence[str | int]


class Place(NamedTuple):
    """A place in a file; lines and columns count from 1."""

    path: Path
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True)
class ApiFile:
    """A file's own attributes, the file that it extends, and what both come to."""

    path: Path | None
    own: Mapping[str, Any]
    base: ApiFile | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, own: Mapping[str, Any], path: Path | None, below: tuple[Path, ...] = ()) -> ApiFile:
        """The file at `path` that holds the attributes `own`.

        Raises SpecError for a base that isn't there or extends the file in turn.
        """
        names = [resource["name"] for resource in own.get("resources") or []]
        for index, resource in enumerate(names):
            if resource in names[:index]:
                raise SpecError(
                    ("resources", index, "name"), f"resource '{resource}' is already defined"
                )
        name = own.get("extends")
        if name is None:
            if own.get("rename"):
                raise SpecError(("rename",), "needs `extends`: only what is extended is renamed")
            return cls(path, own, None, own)
        base_path = _base_path(str(name), path)
        if base_path in (*below, path):
            raise SpecError(("extends",), f"'{name}' extends this file in turn")
        described = attributes_in(base_path)
        if not described:
            raise SpecError(("extends",), f"{base_path} describes no API (`type: {COMPONENT}`)")
        if mistakes := mistakes_of_shape(described[0]):
            key = ".".join(map(str, mistakes[0].path))
            raise SpecError(("extends",), f"{base_path} is wrong: {key}: {mistakes[0].message}")
        base = cls.of(described[0], base_path, (*below, path) if path else below)
        problem = None
        try:
            attributes = extend(base.attributes, own)
        except KeyError as missing:
            problem = SpecError(
                ("rename", missing.args[0]), f"'{name}' has no resource {missing.args[0]!r}"
            )
        if problem:
            raise problem
        return cls(path, own, base, attributes)

    def place_of(self, path: KeyPath) -> Place | None:
        """The place of the key at `path` of `attributes`, or of what is nearest to it.

        None if the attributes were read from no file.
        """
        places = _places(self, list(path))
        if not places and self.path is not None:
            return Place(self.path, 1, 1)
        # the first of the deepest: a file wins over what it extends
        return max(places, key=lambda place: place[0])[1] if places else None


def _places(file: ApiFile, path: list[str | int]) -> list[tuple[int, Place]]:
    """For the file and each below it: how deep `path` goes there, and to which place."""
    places: list[tuple[int, Place]] = []
    name = _resource_name(file, path)
    own: list[str | int] | None = path
    if name is not None and file.base is not None:
        own = _at(name, file.own, path)
    node = _node(file)
    if file.path is not None and node is not None and own is not None:
        depth, mark = nearest(node, own)
        places.append((depth, Place(file.path, mark.line + 1, mark.column + 1)))
    if file.base is None:
        return places
    below: list[str | int] | None = path
    if name is not None:
        renamed = {new: old for old, new in (file.own.get("rename") or {}).items()}
        below = _at(renamed.get(name, name), file.base.attributes, path)
    return places if below is None else places + _places(file.base, below)


def _node(file: ApiFile) -> yaml.Node | None:
    """The node of this API's `attributes`; a file may describe several."""
    pairs = [child(d, "attributes") for d in documents(file.path)] if file.path else []
    nodes = [pair[1] for pair in pairs if pair]
    for node in nodes:
        named = child(node, "name")
        if named and named[1].value == file.own.get("name"):
            return node
    return nodes[0] if nodes else None


def _resource_name(file: ApiFile, path: list[str | int]) -> str | None:
    if len(path) < 2 or path[0] != "resources" or not isinstance(path[1], int):
        return None
    resources = file.attributes.get("resources") or []
    return str(resources[path[1]].get("name")) if path[1] < len(resources) else None


def _at(name: str, attributes: Mapping[str, Any], path: list[str | int]) -> list[str | int] | None:
    names = [item.get("name") for item in attributes.get("resources") or []]
    return ["resources", names.index(name), *path[2:]] if name in names else None


def _base_path(name: str, path: Path | None) -> Path:
    if name.startswith("."):
        base = ((path.parent if path else Path.cwd()) / name).resolve()
        base = base / "defs.yaml" if base.is_dir() else base
        if not base.exists():
            raise SpecError(("extends",), f"there is no file {base}")
        return base
    shipped = shipped_apis()
    if name not in shipped:
        raise SpecError(
            ("extends",),
            f"'{name}' is not one of {', '.join(shipped)}; name a file of your own by its path "
            "from this folder, such as `../other_api`",
        )
    return shipped[name]


def attributes_in(path: Path) -> list[dict[str, Any]]:
    """The attributes of each API that a file describes; components of other types are left out.

    Raises SpecError, its message with the place, for what is no YAML or no component.
    """
    problem = None
    try:
        loaded = list(_documents_of(path.read_text(encoding="utf-8"), path))
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


def _documents_of(text: str, path: Path) -> Iterator[Any]:
    """The documents of a YAML text. Raises SpecError for a key that a map has twice."""
    loader = yaml.SafeLoader(text)
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


def read_api_files(path: Path) -> list[ApiFile]:
    """The APIs that a file describes, with what they extend. Raises SpecError."""
    return [_read(attributes, path) for attributes in attributes_in(path)]


def _read(attributes: Mapping[str, Any], path: Path) -> ApiFile:
    """The API with what it extends. Raises SpecError, its message with the place."""
    mistakes = mistakes_of_shape(attributes)
    if not mistakes:
        with mistakes.noted():
            return ApiFile.of(attributes, path)
    file = ApiFile(path, attributes)
    raise SpecErrors(
        [SpecError((), f"{file.place_of(each.path)}: {each.located}") for each in mistakes]
    )


def own_attributes(directory: Path, name: str | None = None) -> list[tuple[Path, dict[str, Any]]]:
    """What the files of the project around `directory` hold of its APIs, or of the one of that
    name, without what they extend.

    Raises SpecError for files that are no YAML, all of them, or if there is no such API.
    """
    described: list[tuple[Path, dict[str, Any]]] = []
    mistakes = Mistakes()
    for path in defs_files(directory):
        with mistakes.noted():
            described += [(path, attributes) for attributes in attributes_in(path)]
    matching = [item for item in described if name in (None, item[1].get("name"))]
    if name is None or not matching:
        mistakes.raise_any()
    if name is not None and not matching:
        names = ", ".join(str(attributes.get("name")) for _, attributes in described) or "none"
        raise SpecError(
            (), f"there is no API '{name}' in {defs_folder(directory)}; there are: {names}"
        )
    return matching


def api_files(directory: Path) -> list[ApiFile]:
    """The APIs of the project around `directory`, with what they extend. Raises SpecError."""
    return [_read(attributes, path) for path, attributes in own_attributes(directory)]


def find_api(name: str, directory: Path) -> ApiFile:
    """The API of that name in the project around `directory`. Raises SpecError."""
    path, attributes = own_attributes(directory, name)[0]
    return _read(attributes, path)


def resolved_yaml(file: ApiFile) -> str:
    """The attributes as a `defs.yaml` that extends nothing."""
    whole = {"type": COMPONENT, "attributes": dict(file.attributes)}
    return yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=100)


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
