"""`${VARIABLE}` in a specification: which there are, and their values at run time.

Values come from the caller (a Dagster resource, see `orchestration/resources.py`), never from the
environment directly: nothing here reads `os.environ`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from timetracking_assets.errors import SettingsError

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def variable_names(value: Any) -> list[str]:
    """The names of all variables in `value`, nested ones too, in order, once each."""
    return list(dict.fromkeys(_walk(value)))


def _walk(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from VARIABLE.findall(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _walk(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _walk(item)


def substitute(value: Any, values: Mapping[str, str]) -> Any:
    """`value` with each `${VARIABLE}` replaced; raises KeyError for one that has no value."""
    if isinstance(value, str):
        return VARIABLE.sub(lambda match: values[match.group(1)], value)
    if isinstance(value, Mapping):
        return {key: substitute(item, values) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [substitute(item, values) for item in value]
    return value


def require(names: list[str], values: Mapping[str, str], api: str) -> None:
    """Raise SettingsError that names all variables which are unset or blank."""
    missing = [name for name in names if not values.get(name, "").strip()]
    if missing:
        plural = "s" if len(missing) > 1 else ""
        raise SettingsError(
            f"{api}: environment variable{plural} {', '.join(missing)} not set. Set "
            f"{'them' if plural else 'it'} in the environment or in .env (see .env.example), or "
            "run `timetracking dev` with none of them set to use the sandbox."
        )
