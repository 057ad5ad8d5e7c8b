"""One API's file with what it extends: the attributes that they come to, and the place of each.

Templates (`{{ }}`) and variables stay as they are written. How YAML is read is in `reading.py`; a
file is composed again, for the places, only when there is a mistake to report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from timetracking_assets.errors import SpecError, SpecErrors
from timetracking_assets.files.extension import extend
from timetracking_assets.files.locations import (
    COMPONENT,
    defs_files,
    defs_folder,
    shipped_apis,
)
from timetracking_assets.files.reading import Place, attributes_in, child, documents, nearest
from timetracking_assets.spec.mistakes import Mistakes

KeyPath = Sequence[str | int]


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
        # only a file that extends another waits for these models
        from timetracking_assets.files.models import mistakes_of_shape

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


def read_api_files(path: Path) -> list[ApiFile]:
    """The APIs that a file describes, with what they extend. Raises SpecError."""
    return [_read(attributes, path) for attributes in attributes_in(path)]


def _read(attributes: Mapping[str, Any], path: Path) -> ApiFile:
    """The API with what it extends. Raises SpecError, its message with the place."""
    from timetracking_assets.files.models import mistakes_of_shape

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
