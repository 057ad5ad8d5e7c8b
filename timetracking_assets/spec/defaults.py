"""`resource_defaults` laid under each resource, as they are written: before anything is validated.

Maps of parts (`columns`, `tags`, `checks`, `endpoint`) merge as deep as `_MERGED` goes; any other
value of a resource replaces the default. What is merged remembers where it was written, so that a
mistake in a default is reported once, at the default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from timetracking_assets.errors import SpecPath

NULL_IS_A_VALUE = ("page_size", "total", "max_rows_per_answer")
"""Keys of a resource that `null` sets; it takes any other out, so that the default holds."""

_REPLACED: Mapping[str, Any] = {}
_MERGED: Mapping[str, Any] = {
    "columns": _REPLACED,
    "tags": _REPLACED,
    "checks": dict.fromkeys(
        ("volume", "nulls", "references", "durations", "schema_changes"), _REPLACED
    ),
    "endpoint": dict.fromkeys(("params", "headers", "paginator"), _REPLACED),
}
"""The maps that merge key by key, each with those below it that do."""

_TAKEN_OUT_BY_NULL = {"columns", "tags", "references"}
"""Maps of which `null` takes an entry out, that of a default, too."""

_NO_NULL = (("endpoint", "params"), ("endpoint", "headers"))
"""Maps in dlt's grammar that `null` leaves as they are."""


@dataclass(frozen=True)
class WithDefaults:
    """A resource's attributes over the API's defaults, and what of them is a default."""

    attributes: Mapping[str, Any]
    inherited: frozenset[SpecPath]
    """Paths below the resource of the values that come from `resource_defaults`."""

    @classmethod
    def of(cls, resource: Mapping[str, Any], defaults: Mapping[str, Any]) -> WithDefaults:
        """`resource` over `defaults`. What has the wrong shape is left to be refused."""
        inherited: set[SpecPath] = set()
        own = {k: v for k, v in resource.items() if v is not None or k in NULL_IS_A_VALUE}
        attributes = _merged(own, defaults, _MERGED, (), inherited)
        for key in _TAKEN_OUT_BY_NULL & attributes.keys():
            if isinstance(attributes[key], Mapping):
                attributes[key] = {k: v for k, v in attributes[key].items() if v is not None}
        endpoint = attributes.get("endpoint", {})
        if isinstance(endpoint, Mapping):
            attributes["endpoint"] = _without_nulls(endpoint)
        return cls(attributes, frozenset(inherited))

    def is_default(self, path: SpecPath) -> bool:
        """Whether the value at `path` below the resource comes from the defaults."""
        lengths = range(1, len(path) + 1)
        return any(tuple(path[:length]) in self.inherited for length in lengths)


def resources_with_defaults(attributes: Mapping[str, Any]) -> list[WithDefaults | None]:
    """Each item of `resources` over `resource_defaults`; None for what is no map."""
    defaults, resources = attributes.get("resource_defaults"), attributes.get("resources")
    below = defaults if isinstance(defaults, Mapping) else {}
    return [
        WithDefaults.of(item, below) if isinstance(item, Mapping) else None
        for item in (resources if isinstance(resources, list) else [])
    ]


def written_at(attributes: Mapping[str, Any], path: SpecPath) -> SpecPath:
    """Where in `attributes` the value is written that a resource has at `path`."""
    if len(path) < 3 or path[0] != "resources":
        return path
    resource = dict(enumerate(resources_with_defaults(attributes))).get(int(path[1]))
    is_default = resource is not None and resource.is_default(path[2:])
    return ("resource_defaults", *path[2:]) if is_default else path


def _merged(
    own: Mapping[str, Any],
    defaults: Mapping[str, Any],
    merge: Mapping[str, Any],
    path: tuple[str, ...],
    inherited: set[SpecPath],
) -> dict[str, Any]:
    result = {**defaults, **own}
    for key, default in defaults.items():
        where, value = (*path, key), own.get(key)
        parts = {} if key not in own or (value is None and where in _NO_NULL) else value
        if key in merge and isinstance(parts, Mapping) and isinstance(default, Mapping):
            # a paginator with a type of its own owes nothing to the default's
            if key != "paginator" or "type" not in parts:
                result[key] = _merged(parts, default, merge[key], where, inherited)
        elif key not in own:
            inherited.add(where)
    return result


def _without_nulls(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """The endpoint with maps of `params` and `headers`, without those that `null` takes out."""
    whole = dict(endpoint)
    for key in ("params", "headers"):
        values = whole.get(key) or {}
        if isinstance(values, Mapping):
            values = {name: value for name, value in values.items() if value is not None}
        whole[key] = values
    return whole
