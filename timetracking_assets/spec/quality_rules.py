"""Whether `references`, `hours` and `checks` fit the columns of an API.

Each rule raises SpecError with the path of the offending key and what would be right.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

from timetracking_assets.errors import SpecError, SpecPath
from timetracking_assets.spec.api import Resource
from timetracking_assets.spec.mistakes import Mistakes, instead_of
from timetracking_assets.spec.quality import HoursSpec, ReferenceSpec
from timetracking_assets.spec.rules import check_declared

_NAMED = ("person", "project", "customer")
_HOURS_TYPES = {
    "date": ("date", "timestamp"),
    "hours": ("double", "bigint", "decimal"),
    "seconds": ("double", "bigint", "decimal"),
    "end": ("timestamp",),
}


@dataclass(frozen=True)
class ColumnPath:
    """A column, or a column of the row that another one refers to (`project_id.client_id`)."""

    column: str
    next_column: str | None = None

    @classmethod
    def parse(cls, text: str) -> ColumnPath:
        """Split at the dot, if there is one."""
        first, _, rest = text.partition(".")
        return cls(first, rest or None)


def quality_mistakes(resources: Mapping[str, Resource]) -> Mistakes:
    """References that lead nowhere; hours and checks of columns that are not declared."""
    mistakes = Mistakes()
    for resource in resources.values():
        path = ("resources", resource.position)
        mistakes.extend(_reference_mistakes(resource, resources, path))
        if resource.hours:
            mistakes.extend(_hours_mistakes(resource, resources, (*path, "hours")))
        if resource.checks.nulls:
            for name in resource.checks.nulls.columns:
                with mistakes.noted():
                    check_declared(resource, name, (*path, "checks", "nulls", "columns", name))
    return mistakes


def without_links_to(
    left_out: Container[str], references: Mapping[str, ReferenceSpec], hours: HoursSpec | None
) -> tuple[dict[str, ReferenceSpec], HoursSpec | None]:
    """`references` and `hours`, without what leads to a resource of `left_out`."""
    kept = {name: item for name, item in references.items() if item.resource not in left_out}
    if hours is None or len(kept) == len(references):
        return kept, hours
    paths = {key: ColumnPath.parse(getattr(hours, key) or "") for key in _NAMED}
    lost = references.keys() - kept.keys()
    gone = [key for key, path in paths.items() if path.next_column and path.column in lost]
    return kept, hours.model_copy(update=dict.fromkeys(gone))


def _reference_mistakes(
    resource: Resource, resources: Mapping[str, Resource], path: SpecPath
) -> Mistakes:
    mistakes = Mistakes()
    for name, reference in resource.references.items():
        where = (*path, "references", name)
        with mistakes.noted():
            check_declared(resource, name, where)
        with mistakes.noted():
            _check_target(resources, name, reference, where)
    return mistakes


def _check_target(
    resources: Mapping[str, Resource], name: str, reference: ReferenceSpec, path: SpecPath
) -> None:
    target = resources.get(reference.resource)
    if target is None:
        raise SpecError(
            path,
            f"unknown resource '{reference.resource}'; "
            + instead_of(reference.resource, resources),
        )
    if reference.column:
        check_declared(target, reference.column, path)
    elif len(target.primary_key) != 1:
        raise SpecError(
            path,
            f"'{target.name}' has {len(target.primary_key)} key columns: write "
            f"`{name}: {{resource: {target.name}, column: ...}}`",
        )


def _hours_mistakes(
    resource: Resource, resources: Mapping[str, Resource], path: SpecPath
) -> Mistakes:
    mistakes = Mistakes()
    hours = resource.hours
    if hours is None:
        return mistakes
    with mistakes.noted():
        if sum(value is not None for value in (hours.hours, hours.seconds, hours.end)) != 1:
            raise SpecError(path, "needs one of `hours`, `seconds` and `end`")
    for key, allowed in _HOURS_TYPES.items():
        if (name := getattr(hours, key)) is not None:
            with mistakes.noted():
                _check_type(resource, name, allowed, (*path, key))
    with mistakes.noted():
        date = resource.columns.get(hours.date)
        if hours.end and date is not None and date.data_type == "date":
            raise SpecError((*path, "date"), f"with `end`, '{hours.date}' must be a timestamp")
    for key in _NAMED:
        if (text := getattr(hours, key)) is not None:
            with mistakes.noted():
                _check_path(resource, resources, ColumnPath.parse(text), (*path, key))
    return mistakes


def _check_type(resource: Resource, name: str, allowed: tuple[str, ...], path: SpecPath) -> None:
    check_declared(resource, name, path)
    if resource.columns[name].data_type not in allowed:
        raise SpecError(path, f"'{name}' must be declared with data_type {' or '.join(allowed)}")


def _check_path(
    resource: Resource, resources: Mapping[str, Resource], column: ColumnPath, path: SpecPath
) -> None:
    check_declared(resource, column.column, path)
    if column.next_column is None:
        return
    reference = resource.references.get(column.column)
    if reference is None:
        raise SpecError(
            path,
            f"'{column.column}' is not in `references`: declare there which resource it refers to",
        )
    if (target := resources.get(reference.resource)) is not None:
        check_declared(target, column.next_column, path)
