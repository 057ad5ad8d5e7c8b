"""SQL that converts: a column of any type to the one that its meaning has, a list to rows.

SQL is written in what DuckDB and PostgreSQL have in common.
"""

from __future__ import annotations

from timetracking_assets.hours.shapes import BOOL, DAY, INSTANT, NUMBER, SECONDS
from timetracking_assets.spec.unified import Kind
from timetracking_assets.warehouse.base import literal

SQL_TYPES: dict[Kind, str] = {
    "bool": BOOL,
    "number": NUMBER,
    "date": DAY,
    "instant": INSTANT,
}
"""The type that a value of a kind has in the model; of the others it is text."""
_DIGITS = "(VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9))"
_NUMBER_TEXT = r"^ *[-+]?[0-9]+([.][0-9]*)?([eE][-+]?[0-9]+)? *$"
_ISO_8601 = (
    r"^(-?)P(?:([0-9.]+)W)?(?:([0-9.]+)D)?"
    r"(?:T(?:([0-9.]+)H)?(?:([0-9.]+)M)?(?:([0-9.]+)S)?)?$"
)


def numbers(digits: int) -> str:
    """A relation with a column `n` from 0 to 10 ** digits - 1."""
    names = [f"d{power}" for power in range(digits)]
    total = " + ".join(f"{name}.n * {10**power}" for power, name in enumerate(names))
    tables = " CROSS JOIN ".join(f"{_DIGITS} AS {name}(n)" for name in names)
    return f"(SELECT {total} AS n FROM {tables})"


def null(sql_type: str) -> str:
    """A null of that type."""
    return f"CAST(NULL AS {sql_type})"


def constant(value: bool | str) -> str:
    """A value that is written in YAML."""
    return str(value).lower() if isinstance(value, bool) else literal(value)


def as_text(sql: str, data_type: str) -> str:
    """A value as text; a whole number without decimals, whatever its column's type."""
    text = f"CAST({sql} AS VARCHAR)"
    if data_type in ("double", "decimal"):
        return f"regexp_replace({text}, '[.]0+$', '')"
    return text


def converted(sql: str, data_type: str, kind: Kind) -> str:
    """A column of dlt's `data_type` as what a value of that kind is; null where it is none."""
    if kind in ("id", "text", "iso8601", "list"):
        return as_text(sql, data_type)
    if kind == "bool":
        if data_type == "bool":
            return sql
        text = f"lower({as_text(sql, data_type)})"
        return (
            f"CASE WHEN {text} IN ('true', '1') THEN true WHEN {text} IN ('false', '0') THEN "
            "false END"
        )
    if data_type == "text" and kind == "number":
        # a column that has become text takes any value; what is no number has none
        return (
            f"CASE WHEN regexp_replace({sql}, '{_NUMBER_TEXT}', '') = '' AND {sql} <> '' "
            f"THEN CAST({sql} AS {NUMBER}) END"
        )
    return f"CAST({sql} AS {SQL_TYPES[kind]})"


def iso8601_seconds(text: str) -> str:
    """The seconds of an ISO 8601 duration in weeks, days, hours, minutes and seconds; null for a
    text that is none, or has months or years, which have no length."""

    def part(number: int) -> str:
        part = f"regexp_replace({text}, '{_ISO_8601}', '\\{number}')"
        return f"CAST(coalesce(nullif({part}, ''), '0') AS {NUMBER})"

    factors = {2: 604_800, 3: 86_400, 4: 3_600, 5: 60, 6: 1}
    total = " + ".join(f"{part(number)} * {factor}" for number, factor in factors.items())
    sign = f"CASE WHEN {text} LIKE '-%' THEN -1 ELSE 1 END"
    return (
        f"CASE WHEN regexp_replace({text}, '{_ISO_8601}', '') = '' AND length({text}) > 2 "
        f"THEN CAST(round({total}) * {sign} AS {SECONDS}) END"
    )
