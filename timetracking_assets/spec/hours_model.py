"""The model of what `defs/hours/defs.yaml` says: what holds for the model of hours as a whole.

Only shapes belong here. What each API's rows mean is declared in its own file, see `unified.py`.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from timetracking_assets.errors import SpecError
from timetracking_assets.spec.base import SpecModel, TimeZone

Id = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]


class IdentitySpec(SpecModel):
    """What can't be seen from the rows: which accounts are one person."""

    people: dict[str, dict[str, list[Id]]] = Field(
        default_factory=dict,
        description="person (an e-mail address, or any other name) -> API -> ids of accounts",
    )


class PrecedenceSpec(SpecModel):
    """Which API wins where several say something of one person; the others follow by name."""

    people: list[str] = Field(
        default_factory=list, description="for names, zones, rates and weekly hours"
    )
    absences: list[str] = Field(
        default_factory=list, description="for a day on which several say that a person is absent"
    )


class CopiesSpec(SpecModel):
    """Copies of the model for other programs, made after each build that changed something."""

    duckdb: str | None = Field(
        None,
        description="a DuckDB file that clients from DuckDB 1.2 on can open; a relative path is "
        "one beside the warehouse",
    )
    parquet: str | None = Field(
        None, description="a directory for a Parquet file of each table; relative as above"
    )


class HoursModelSpec(SpecModel):
    """The model of hours: what `defs.yaml` holds under `attributes`."""

    timezone: TimeZone = Field(
        "UTC", description="zone of days where neither a person nor a resource has one (IANA name)"
    )
    currency: str = Field("EUR", description="of amounts whose API names none")
    day_hours: float = Field(
        8, gt=0, le=24, description="hours from Monday to Friday of a person without weekly hours"
    )
    precedence: PrecedenceSpec = Field(default_factory=PrecedenceSpec)
    identity: IdentitySpec = Field(default_factory=IdentitySpec)
    copies: CopiesSpec = Field(default_factory=CopiesSpec)
    owners: tuple[str, ...] = Field(
        (), description="who answers for the model: e-mail addresses, and teams as `team:name`"
    )


def check_hours_model(spec: HoursModelSpec, apis: Any) -> None:
    """APIs that are named exist, and no account is two people's. Raises SpecError."""
    for key in type(spec.precedence).model_fields:
        for index, name in enumerate(getattr(spec.precedence, key)):
            _check_api(name, apis, ("precedence", key, index))
    copy = PurePath(spec.copies.duckdb or "")
    if copy.stem == "hours":
        raise SpecError(
            ("copies", "duckdb"),
            f"'{copy.name}' would have the name of its schema, which DuckDB can't tell apart: name "
            "it otherwise, `unified.duckdb` for example",
        )
    owners: dict[tuple[str, str], str] = {}
    for person, accounts in spec.identity.people.items():
        for api, ids in accounts.items():
            path = ("identity", "people", person, api)
            _check_api(api, apis, path)
            for account in ids:
                owner = owners.setdefault((api, account), person)
                if owner != person:
                    raise SpecError(path, f"{account} is {owner}'s account already")


def _check_api(name: str, apis: Any, path: tuple[str | int, ...]) -> None:
    if name not in apis:
        raise SpecError(path, f"there is no API '{name}'; there are: {', '.join(sorted(apis))}")
