"""`extends`: the attributes of one file laid over those of another.

Maps merge key by key, resources by their name; other lists and values replace. A map of another
`type` (`auth`, `paginator`, `partitions`) replaces, too: the keys of one type mean nothing to
another. `null` takes a key out; but in dlt's grammar (`client`, `endpoint`), for `page_size`,
`total` and `max_rows_per_answer`, and for each of `checks` it is a value, and stays. The base's
environment variables take the name of the API that extends it. A table in `unified` that the base
fills from a column that is taken out goes with the column: the model gains no rows that nobody has
described, and a base that begins to describe its rows breaks no file that extends it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from timetracking_assets.spec.defaults import NULL_IS_A_VALUE

_GRAMMAR_OF_DLT = ("client", "endpoint")
_NULL_IS_OFF_BELOW = "checks"
_BRACES = re.compile(r"\{([^{}]*)\}")


def extend(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes` laid over it; both are `attributes`, `changes` has a `name`.

    Raises KeyError for a renamed resource that the base doesn't have.
    """
    renames: Mapping[str, str] = changes.get("rename") or {}
    renamed = _renamed(base, renames, base["name"], changes["name"])
    rest = {key: value for key, value in changes.items() if key not in ("extends", "rename")}
    result = _merged(renamed, rest)
    _take_out_mappings(result, renamed, rest)
    return result


def _take_out_mappings(
    result: Mapping[str, Any], base: Mapping[str, Any], changes: Mapping[str, Any]
) -> None:
    """Remove from `result` the base's tables of `unified` whose columns were removed."""
    before, after, own = _columns(base), _columns(result), _by_name(changes)
    lost = {name: columns - after.get(name, set()) for name, columns in before.items()}
    for name, resource in _by_name(result).items():
        tables: Mapping[str, Any] = resource.get("unified") or {}
        described = own.get(name, {}).get("unified") or {}
        references = resource.get("references") or {}
        kept = {
            table: mapping
            for table, mapping in tables.items()
            if table in described or not _uses(mapping, name, references, lost)
        }
        if kept != tables:
            resource["unified"] = kept


def _by_name(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {resource["name"]: resource for resource in attributes.get("resources") or []}


def _columns(attributes: Mapping[str, Any]) -> dict[str, set[str]]:
    """The declared columns of each resource."""
    defaults = (attributes.get("resource_defaults") or {}).get("columns") or {}
    return {
        name: {*defaults, *(resource.get("columns") or {})}
        for name, resource in _by_name(attributes).items()
    }


def _uses(
    mapping: Any, name: str, references: Mapping[str, Any], lost: Mapping[str, set[str]]
) -> bool:
    """Whether a text in `mapping` names a lost column, of the resource or of one it refers to."""
    if isinstance(mapping, Mapping):
        return any(_uses(value, name, references, lost) for value in mapping.values())
    if not isinstance(mapping, str):
        return False
    for path in _BRACES.findall(mapping) or [mapping]:
        column, _, further = path.partition(".")
        reference = references.get(column)
        target = reference.get("resource") if isinstance(reference, Mapping) else reference
        if column in lost.get(name, set()) or further in lost.get(str(target), set()):
            return True
    return False


def _merged(
    base: Mapping[str, Any], changes: Mapping[str, Any], path: tuple[str, ...] = ()
) -> dict[str, Any]:
    result = dict(base)
    in_dlt = any(key in _GRAMMAR_OF_DLT for key in path)
    for key, value in changes.items():
        null_stays = in_dlt or key in (*_GRAMMAR_OF_DLT, *NULL_IS_A_VALUE)
        if value is None and not null_stays and path[-1:] != (_NULL_IS_OFF_BELOW,):
            result.pop(key, None)
        elif key == "resources" and not in_dlt:
            result[key] = _merged_resources(result.get(key) or [], value)
        elif isinstance(value, Mapping):
            below = result.get(key)
            stays = isinstance(below, Mapping) and _same_type(below, value)
            result[key] = _merged(below if stays and below else {}, value, (*path, key))
        else:
            result[key] = value
    return result


def _same_type(below: Mapping[str, Any], above: Mapping[str, Any]) -> bool:
    return "type" not in above or above["type"] == below.get("type")


def _merged_resources(
    base: list[Mapping[str, Any]], changes: list[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    merged = {resource["name"]: dict(resource) for resource in base}
    for resource in changes:
        name = resource["name"]
        merged[name] = _merged(merged.get(name, {}), resource)
    return list(merged.values())


def _renamed(
    base: Mapping[str, Any], names: Mapping[str, str], old_api: str, new_api: str
) -> dict[str, Any]:
    known = [resource["name"] for resource in base.get("resources") or []]
    for name in names:
        if name not in known:
            raise KeyError(name)
    patterns = [
        (re.compile(rf"(\$\{{|env\(\s*['\"]){old_api.upper()}_"), rf"\g<1>{new_api.upper()}_")
    ]
    for old, new in names.items():
        patterns.append((re.compile(rf"(\{{resources\.){old}\."), rf"\g<1>{new}."))
        # how dlt names a column that comes from the parent
        patterns.append((re.compile(rf"^_{old}_"), f"_{new}_"))

    def walk(value: Any) -> Any:
        if isinstance(value, str):
            for pattern, replacement in patterns:
                value = pattern.sub(replacement, value)
            return value
        if isinstance(value, Mapping):
            return {walk(key): walk(item) for key, item in value.items()}
        return [walk(item) for item in value] if isinstance(value, list) else value

    result: dict[str, Any] = walk(base)
    for resource in result.get("resources") or []:
        resource["name"] = names.get(resource["name"], resource["name"])
        references: Mapping[str, Any] = resource.get("references") or {}
        for column, reference in references.items():
            resource["references"][column] = _renamed_reference(reference, names)
    for key in ("select", "exclude"):
        if key in result:
            result[key] = [names.get(name, name) for name in result[key]]
    return result


def _renamed_reference(reference: Any, names: Mapping[str, str]) -> Any:
    if isinstance(reference, Mapping):
        target = reference.get("resource")
        return {**reference, "resource": names.get(str(target), target)}
    return names.get(reference, reference)
