"""`${VARIABLE}` in a specification: which there are, which hold credentials, and their values.

Values come from the caller (a Dagster resource, see `orchestration/resources.py`), never from the
environment directly: nothing here reads `os.environ`. They are masked in `redaction.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from timetracking_assets.errors import SettingsError, SpecError, SpecPath

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
            f"{'them' if plural else 'it'} in the environment, or in .env in the project."
        )


_AUTH_KEYS = {"api_key", "token", "password", "client_secret", "access_token", "private_key"}
_HEADER = re.compile(r"auth|cookie|api[-_]?key|token|secret|passw|credential", re.IGNORECASE)
_PARAMETER = re.compile(
    r"((api|access|auth|client|secret)[-_]?)?(key|token|secret)|password|authorization",
    re.IGNORECASE,
)
_HARMLESS_PARAMETERS = {"key"}
_IDENTITY = re.compile(r"(user|name|e-?mail|login|account|id)$", re.IGNORECASE)
"""Headers such as X-Auth-User: a credential's other half, which rows may well name."""


_AUTH_REQUIRED = {
    "bearer": ("token",),
    "api_key": ("api_key",),
    "http_basic": ("username", "password"),
    "oauth2_client_credentials": ("access_token_url", "client_id", "client_secret"),
}


def check_auth(auth: Any, path: SpecPath) -> None:
    """Raise SpecError for an `auth` that lacks a credential.

    dlt would look it up under a name of its own, in the environment or in `secrets.toml`: the file
    alone decides what is sent.
    """
    if isinstance(auth, str):
        kind, given = auth, set()
    elif isinstance(auth, Mapping):
        kind, given = auth.get("type", "bearer"), set(auth)
    else:
        return
    for key in _AUTH_REQUIRED.get(kind, ()):
        if key not in given:
            raise SpecError(path, f"`{key}` is missing: write `{key}: ${{MY_VARIABLE}}`")


def refuse_literals(client: Mapping[str, Any]) -> None:
    """Raise SpecError for a secret that is written in the file."""
    if "@" in urlsplit(client["base_url"]).netloc and not variable_names(client["base_url"]):
        raise SpecError(("client", "base_url"), "credentials belong into `auth`, not into the URL")
    auth = client.get("auth")
    if isinstance(auth, dict):
        pair = {key: auth[key] for key in ("username", "password") if key in auth}
        if pair and not variable_names(pair):
            raise _refusal(("client", "auth"), min(pair))
        for key, value in _named(auth):
            if key in _AUTH_KEYS - {"password"} and not variable_names(value):
                raise _refusal(("client", "auth"), key)
    headers = client.get("headers")
    for name, value in (headers or {}).items() if isinstance(headers, dict) else ():
        if _HEADER.search(name) and not variable_names(value):
            raise _refusal(("client", "headers"), name)


def refuse_in_endpoint(endpoint: Mapping[str, Any], path: SpecPath) -> None:
    """Raise SpecError for a secret that is written in an endpoint."""
    for place, secret in _PLACES:
        named = endpoint.get(place)
        for name, value in _named(named) if isinstance(named, dict) else ():
            if secret(name) and not variable_names(value):
                raise SpecError(
                    (*path, place),
                    f"'{name}' looks like a credential: those of the API belong into `client` "
                    f"(`auth`, or `headers`), one of this endpoint here as `{name}: "
                    "${MY_VARIABLE}`",
                )


def credential_variables(
    client: Mapping[str, Any], endpoints: Iterable[Mapping[str, Any]] = ()
) -> list[str]:
    """The variables whose values open the API by themselves: a table that holds one is warned of.

    Not the user of a pair, or what a harmless header holds (an account's id): a row may well name
    them.
    """
    secrets: list[Any] = []
    auth = client.get("auth")
    if isinstance(auth, dict):
        secrets += [value for key, value in _named(auth) if key in _AUTH_KEYS]
        if not variable_names(auth.get("password")):
            secrets.append(auth.get("username"))
    headers = client.get("headers")
    if isinstance(headers, dict):
        secrets += [value for name, value in headers.items() if _opens(name)]
    for endpoint in endpoints:
        for place, secret in _PLACES:
            named = endpoint.get(place)
            held = _named(named) if isinstance(named, dict) else ()
            opens = _opens if place == "headers" else secret
            secrets += [value for name, value in held if opens(name)]
    return variable_names(secrets)


def _opens(header: str) -> bool:
    return bool(_HEADER.search(header)) and not _IDENTITY.search(header)


def _is_secret(name: str) -> bool:
    return bool(_PARAMETER.fullmatch(name)) and name.lower() not in _HARMLESS_PARAMETERS


_PLACES: tuple[tuple[str, Callable[[str], object]], ...] = (
    ("headers", _HEADER.search),
    ("params", _is_secret),
    ("json", _is_secret),
)


def _named(value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, dict):
            yield from _named(item)
        else:
            yield key, item


def _refusal(path: SpecPath, key: str) -> SpecError:
    return SpecError(
        path,
        f"a secret must not be in this file: write `{key}: ${{MY_VARIABLE}}` and set that "
        "environment variable",
    )
