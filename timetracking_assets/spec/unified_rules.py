"""What `unified` must say together with the columns and references of an API.

Each rule raises SpecError with the path of the offending key and what would be right.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

from timetracking_assets.errors import SpecError, SpecPath
from timetracking_assets.spec.api import Resource
from timetracking_assets.spec.base import SpecModel
from timetracking_assets.spec.mistakes import Mistakes
from timetracking_assets.spec.quality import ReferenceSpec
from timetracking_assets.spec.rules import check_declared
from timetracking_assets.spec.unified import (
    EACH,
    KINDS,
    UNITS,
    AbsencesMapping,
    Kind,
    MappingSpec,
    PeopleMapping,
    ProjectsMapping,
    TasksMapping,
    TimeEntriesMapping,
    UnifiedSpec,
    ValueSpec,
    values,
)

_TYPES: dict[Kind, tuple[str, ...]] = {
    "bool": ("bool",),
    "number": ("bigint", "double", "decimal"),
    "date": ("date", "timestamp"),
    "instant": ("timestamp",),
    "iso8601": ("text",),
    "list": ("json",),
}
_ALLOWED = {
    ("absences", "kind"): ("vacation", "sick", "training", "other"),
    ("absences", "status"): ("approved", "requested", "declined"),
    ("plans", "status"): ("tentative", "confirmed", "completed"),
}


def without_lost_paths(
    unified: UnifiedSpec | None, references: Mapping[str, ReferenceSpec], left_out: Container[str]
) -> UnifiedSpec | None:
    """`unified` without the values that go through a reference to a resource of `left_out`."""
    lost = {name for name, reference in references.items() if reference.resource in left_out}
    if unified is None or not lost:
        return unified
    changed = {}
    for table, mapping in unified.tables.items():
        gone = {
            str(where[0]): None
            for where, _, value in values(mapping)
            if any(path.partition(".")[0] in lost and "." in path for path in value.paths)
        }
        changed[table] = mapping.model_copy(update=gone)
    return unified.model_copy(update=changed)


def unified_mistakes(resources: Mapping[str, Resource]) -> Mistakes:
    """Columns that don't exist or have another type, durations of no unit or two, links that lead
    nowhere; `resources` are those of one API by name."""
    mistakes = Mistakes()
    for resource in resources.values():
        if resource.unified is None:
            continue
        for table, mapping in resource.unified.tables.items():
            path = ("resources", resource.position, "unified", table)
            with mistakes.noted():
                _check_mapping(resource, mapping, path)
            for where, key, value in values(mapping, path):
                with mistakes.noted():
                    _check_value(resource, resources, table, key, value, mapping, where)
    return mistakes


def _check_mapping(resource: Resource, mapping: MappingSpec, path: SpecPath) -> None:
    if mapping.each is not None:
        _check_type(resource, mapping.each, "list", (*path, "each"))
    if isinstance(mapping, TimeEntriesMapping):
        _check_units(mapping, path, needed=not (mapping.start and mapping.end))
        if not (mapping.day or mapping.start):
            raise SpecError(path, "needs `day` or `start`: an entry belongs to a day")
    if isinstance(mapping, ProjectsMapping | TasksMapping) and mapping.estimate:
        _check_units(mapping.estimate, (*path, "estimate"), needed=True)
    if isinstance(mapping, PeopleMapping) and mapping.weekday_hours:
        where = (*path, "weekday_hours", "column")
        _check_type(resource, mapping.weekday_hours.column, "list", where)
    if isinstance(mapping, AbsencesMapping) and mapping.days and mapping.hours_per_day:
        raise SpecError((*path, "days"), "excludes `hours_per_day`: keep one of them")


def _check_units(mapping: SpecModel, path: SpecPath, *, needed: bool) -> None:
    units = [unit for unit in UNITS if getattr(mapping, unit) is not None]
    if len(units) > 1:
        raise SpecError((*path, units[1]), f"excludes `{units[0]}`: a duration has one unit")
    if needed and not units:
        raise SpecError(
            path, f"needs a unit ({', '.join(f'`{unit}`' for unit in UNITS)}), or `start` and `end`"
        )


def _check_value(
    resource: Resource,
    resources: Mapping[str, Resource],
    table: str,
    key: str,
    value: ValueSpec,
    mapping: MappingSpec,
    path: SpecPath,
) -> None:
    ways = [name for name in ("column", "sql", "value") if getattr(value, name) is not None]
    if len(ways) != 1:
        raise SpecError(path, "needs one of `column`, `sql` and `value`")
    if value.map is not None and value.column is None:
        raise SpecError((*path, "map"), "needs a `column` whose values it maps")
    if value.column == EACH:
        if mapping.each is None:
            raise SpecError(path, f"`{EACH}` needs `each`, the column with the list")
        return
    for name in value.paths:
        owner, column = _owner(resource, resources, name, path)
        kind = KINDS.get(key, "text")
        if value.sql is None and value.map is None and kind in _TYPES:
            _check_type(owner, column, kind, path)
    allowed = _ALLOWED.get((table, key))
    given = list(value.map.values()) if value.map else [value.value] if value.value else []
    for item in given:
        if allowed and item not in allowed:
            raise SpecError(path, f"'{item}' is not one of the model's {', '.join(allowed)}")
        if KINDS.get(key) == "bool" and not isinstance(item, bool):
            raise SpecError(path, f"'{item}' is neither true nor false")
    if allowed and value.column and value.map is None:
        raise SpecError(path, f"needs a `map` to the model's {', '.join(allowed)}")


def _owner(
    resource: Resource, resources: Mapping[str, Resource], text: str, path: SpecPath
) -> tuple[Resource, str]:
    """The resource that has the column of a path, and the column's name."""
    column, _, beyond = text.partition(".")
    check_declared(resource, column, path)
    if not beyond:
        return resource, column
    reference = resource.references.get(column)
    if reference is None:
        raise SpecError(path, f"'{column}' refers to nothing: say to what in `references` first")
    target = resources[reference.resource]
    check_declared(target, beyond, path)
    return target, beyond


def _check_type(resource: Resource, name: str, kind: Kind, path: SpecPath) -> None:
    check_declared(resource, name, path)
    if resource.columns[name].data_type not in _TYPES[kind]:
        raise SpecError(
            path,
            f"'{name}' must be declared with data_type {' or '.join(_TYPES[kind])}, or be given "
            "by `map` or `sql`",
        )


def linked_resource(
    resource: Resource, resources: Mapping[str, Resource], value: ValueSpec
) -> str | None:
    """The resource whose rows a value identifies, as far as `references` say."""
    if value.column is None:
        return None
    column, _, beyond = value.column.partition(".")
    reference = resource.references.get(column)
    if beyond and reference is not None:
        reference = resources[reference.resource].references.get(beyond)
    return str(reference.resource) if reference is not None else None
