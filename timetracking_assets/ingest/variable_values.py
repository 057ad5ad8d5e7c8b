"""The values of an API's variables, judged before anything is sent: base URLs and credentials.

A message names the variable and never shows its value: a URL may hold a password. Which variables
there are, and which of them are secret, is in `spec/variables.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests

from timetracking_assets.errors import SettingsError
from timetracking_assets.spec.api import Api
from timetracking_assets.spec.variables import substitute, variable_names

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def check_values(api: Api, values: Mapping[str, str]) -> None:
    """Raise SettingsError for a value that no request can carry: a malformed base URL, a
    character that ends a header."""
    lists = {*variable_names(api.ids)} - {*variable_names([api.client, *api.endpoints])}
    for name in api.variables:
        # ids may be separated by line breaks
        value = " ".join(values[name].split()) if name in lists else values[name]
        if _CONTROL.search(value):
            raise SettingsError(
                f"{api.name}: environment variable {name} holds a control character (a line break, "
                "say), which no request can carry. Copy its value again, in one line."
            )
    for place, text in _header_texts(api):
        if not _is_latin(substitute(text, values)):
            names = ", ".join(variable_names(text)) or place
            raise SettingsError(
                f"{api.name}: {names} goes into the header {place}, which can only hold characters "
                "of ISO 8859-1. Copy its value again, without typographic characters."
            )
    for key, url in _urls(api):
        in_url = variable_names(url)
        problem = url_problem(substitute(url, values))
        if problem:
            where = f"environment variable {', '.join(in_url)}" if in_url else f"`{key}`"
            raise SettingsError(
                f"{api.name}: {where} holds no URL of an API: {problem}. It should look like "
                "https://api.example.com/v1."
            )


def url_problem(url: str) -> str | None:
    """Why `url` can't be the base URL of an API, without its text; None if it can be."""
    if re.search(r"\s", url):
        return "it has a space in it"
    if "\\" in url:
        return "it has a backslash in it"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        # the error's text may repeat the URL
        return "its port is not a number up to 65535" if "ort" in str(error) else "it is malformed"
    if parts.scheme not in ("http", "https"):
        return "it needs http:// or https://"
    if not host or port == 0:
        return "it names no host" if not host else "its port is 0"
    if parts.query or parts.fragment:
        return "it has a query or a fragment, which belongs into `params`"
    try:
        requests.Request("GET", url).prepare()
    except (requests.RequestException, ValueError):
        return "its host is not one"
    return None


def _urls(api: Api) -> Iterator[tuple[str, str]]:
    yield "client.base_url", api.client["base_url"]
    auth = api.client.get("auth")
    if isinstance(auth, dict) and isinstance(auth.get("access_token_url"), str):
        yield "client.auth.access_token_url", auth["access_token_url"]


def _header_texts(api: Api) -> Iterator[tuple[str, str]]:
    """The headers that the file fills: name and text. Basic authentication encodes its values."""
    clients: list[Mapping[str, Any]] = [api.client, *api.endpoints]
    for client in clients:
        headers, auth = client.get("headers"), client.get("auth")
        if isinstance(headers, dict):
            yield from ((name, text) for name, text in headers.items() if isinstance(text, str))
        if not isinstance(auth, dict):
            continue
        if auth.get("type", "bearer") == "bearer" and isinstance(auth.get("token"), str):
            yield "Authorization", auth["token"]
        in_header = auth.get("location", "header") == "header"
        if auth.get("type") == "api_key" and in_header and isinstance(auth.get("api_key"), str):
            yield auth.get("name", "Authorization"), auth["api_key"]


def _is_latin(text: str) -> bool:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True
