"""Mistakes in a file, each with its place, and the message that reports them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from timetracking_assets.errors import SpecError, SpecPath
from timetracking_assets.files.api_file import ApiFile
from timetracking_assets.files.reading import Place
from timetracking_assets.files.reference import section_of
from timetracking_assets.spec.defaults import written_at


@dataclass(frozen=True)
class Mistake:
    """What is wrong at a key; `resource` is the name of the resource whose key it is."""

    path: SpecPath
    message: str
    place: Place | None = None
    resource: str | None = None

    @classmethod
    def at(cls, file: ApiFile, error: SpecError) -> Mistake:
        """One of `file`, where its value is written: that of a default, in the defaults."""
        attributes = file.attributes or file.own
        path = written_at(attributes, error.path)
        name = None
        if len(error.path) > 1 and error.path[0] == "resources":
            resource = attributes["resources"][int(error.path[1])]
            named = isinstance(resource, Mapping) and "name" in resource
            name = str(resource["name"]) if named else None
        return cls(path, error.message, file.place_of(path), name)

    @property
    def alone(self) -> bool:
        """Whether the file's other keys can be judged without this one."""
        return self.path[:1] == ("resources",) and len(self.path) > 2 and self.path[2] != "name"

    def __str__(self) -> str:
        path = list(self.path)
        if path[:1] == ["resources"] and self.resource is not None:
            path[1] = self.resource
        key = ".".join(map(str, path)) or "attributes"
        return f"{self.place}: {key}: {self.message}" if self.place else f"{key}: {self.message}"


def report(mistakes: Sequence[Mistake], read_on: str | None = None) -> str:
    """One line for each mistake, in the order of the file, and where to read on: the command
    `read_on`, or those for the sections of the reference."""
    # a mistake in a default is one, however many resources it reaches
    each = {
        item.path if item.path[:1] == ("resource_defaults",) else item: item
        for item in reversed(mistakes)
    }
    ordered = sorted(each.values(), key=lambda mistake: mistake.place or ())
    sections = dict.fromkeys(section_of(mistake.path) for mistake in ordered)
    commands = ", ".join(f"`timetracking docs reference {name}`" for name in sections)
    commands = f"`{read_on}`" if read_on else commands
    return "\n".join([*map(str, ordered), f"What may be written there: {commands}"])


def without(attributes: Mapping[str, Any], mistakes: Sequence[Mistake]) -> dict[str, Any]:
    """`attributes` without the keys of the resources that `mistakes` are about."""
    wrong = {mistake.path[1:3] for mistake in mistakes}
    return (
        {
            **attributes,
            "resources": [
                {key: value for key, value in resource.items() if (index, key) not in wrong}
                if isinstance(resource, Mapping)
                else resource
                for index, resource in enumerate(attributes.get("resources") or [])
            ],
        }
        if wrong
        else dict(attributes)
    )
