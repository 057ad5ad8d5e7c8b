"""Whether `references` and `checks` fit the columns of an API.

Each rule raises SpecError with the path of the offending key and what would be right.
"""

from __future__ import annotations

from collections.abc import Mapping

from timetracking_assets.errors import SpecError, SpecPath
from timetracking_assets.spec.api import Resource
from timetracking_assets.spec.mistakes import Mistakes, instead_of
from timetracking_assets.spec.quality import ReferenceSpec
from timetracking_assets.spec.rules import check_declared


def quality_mistakes(resources: Mapping[str, Resource]) -> Mistakes:
    """References that lead nowhere; checks of columns that are not declared."""
    mistakes = Mistakes()
    for resource in resources.values():
        path = ("resources", resource.position)
        mistakes.extend(_reference_mistakes(resource, resources, path))
        if resource.checks.nulls:
            for name in resource.checks.nulls.columns:
                with mistakes.noted():
                    check_declared(resource, name, (*path, "checks", "nulls", "columns", name))
    return mistakes


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
