"""Which resource a fan-out goes over: what the expressions of an endpoint are bound to.

Only the specification is judged here; the ids themselves come in `parents.py`.
"""

from __future__ import annotations

import re
from typing import Any

from timetracking_assets.errors import SpecError, SpecPath
from timetracking_assets.ingest.api import CONFIGURED, Parent, Resource
from timetracking_assets.ingest.spec import ApiSpec, ResourceSpec

_EXPRESSION = re.compile(r"(?<!\{)\{([^{}]*)\}(?!\})")


def find_parent(
    spec: ApiSpec, item: ResourceSpec, endpoint: dict[str, Any], path: SpecPath, names: list[str]
) -> Parent | None:
    """What the expressions of `endpoint` are bound to: one of the resources `names`, or `ids`.

    Raises SpecError for an expression that is bound to nothing, or for a second parent.
    """
    fields: dict[str, list[str]] = {}
    where = (*path, "endpoint", "path")
    for expression in _expressions(
        [endpoint["path"], endpoint["params"], endpoint.get("json"), endpoint.get("headers")]
    ):
        prefix, _, rest = expression.partition(".")
        parent, _, parent_field = rest.partition(".")
        if prefix != "resources" or not parent_field:
            raise SpecError(
                where,
                f"'{{{expression}}}' is bound to nothing; write `{{resources.<parent>.<field>}}`, "
                f"or `{{resources.{CONFIGURED}.<id>}}` for ids from `ids`",
            )
        if parent == CONFIGURED and parent_field not in spec.ids:
            raise SpecError(where, f"`ids` has no '{parent_field}'; it has {sorted(spec.ids)}")
        if parent != CONFIGURED and parent not in names:
            raise SpecError(
                where, f"unknown parent '{parent}'; the selected resources are {sorted(names)}"
            )
        fields.setdefault(parent, []).append(parent_field)
    if len(fields) > 1:
        raise SpecError(
            where,
            f"resource '{item.name}' has {len(fields)} parents ({', '.join(fields)}); dlt takes "
            "one: let the parent carry the other's id with `include_from_parent`",
        )
    if not fields and item.include_from_parent:
        raise SpecError((*path, "include_from_parent"), f"resource '{item.name}' has no parent")
    if not fields:
        return None
    [(name, used)] = fields.items()
    if name == CONFIGURED and len({*used, *item.include_from_parent}) > 1:
        raise SpecError(
            where,
            f"resource '{item.name}' takes one id from `ids`, for its path and for "
            f"`include_from_parent`, not {sorted({*used, *item.include_from_parent})}",
        )
    return Parent(name, tuple(dict.fromkeys([*used, *item.include_from_parent])))


def _expressions(value: Any) -> list[str]:
    if isinstance(value, str):
        return _EXPRESSION.findall(re.sub(r"\$\{[^}]*\}", "", value))
    if isinstance(value, dict):
        return [name for item in value.values() for name in _expressions(item)]
    if isinstance(value, list):
        return [name for item in value for name in _expressions(item)]
    return []


def check_parents(spec: ApiSpec, resources: dict[str, Resource]) -> None:
    """Raise SpecError for parents that go in a circle, or that have partitions."""
    for index, item in enumerate(spec.resources):
        if item.name not in resources:
            continue
        where = ("resources", index, "endpoint", "path")
        seen = [item.name]
        parent = resources[item.name].parent
        while parent and parent.name != CONFIGURED:
            if parent.name in seen:
                raise SpecError(
                    where, f"parents go in a circle: {' -> '.join([*seen, parent.name])}"
                )
            if resources[parent.name].partitions:
                raise SpecError(
                    where, f"parent '{parent.name}' is partitioned; a fan-out needs a whole list"
                )
            seen.append(parent.name)
            parent = resources[parent.name].parent
