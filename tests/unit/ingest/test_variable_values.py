"""Values that no request can carry are refused when they are read, by the variable's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from timetracking_assets.errors import SettingsError
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.spec.api import Api

Resolve = Callable[..., Api]
URL = "https://hours.example/v1"
PASSWORD = "s3cr3t-pass"


def connect(api: Resolve, client: dict[str, Any], **values: str) -> Connection:
    resolved = api(
        {"name": "entries", "endpoint": {"path": "entries"}},
        client={"base_url": "${HOURS_BASE_URL}", **client},
    )
    return Connection(resolved, {"HOURS_BASE_URL": URL, **values})


def refused(api: Resolve, client: dict[str, Any], **values: str) -> str:
    with pytest.raises(SettingsError) as refusal:
        connect(api, client, **values)
    error = refusal.value
    # nothing that a trace could show, either
    assert error.__cause__ is None
    assert error.__context__ is None
    assert str(error).startswith("hours: ")
    assert not any(value in str(error) for value in values.values())
    assert PASSWORD not in str(error)
    return str(error)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://", "it names no host"),
        ("https:///v1", "it names no host"),
        ("http://[::1", "it is malformed"),
        ("http://127.0.0.1:99999/", "its port is not a number up to 65535"),
        ("http://127.0.0.1:http/", "its port is not a number up to 65535"),
        ("http://127.0.0.1:0/", "its port is 0"),
        ("127.0.0.1:8765", "it needs http:// or https://"),
        ("ftp://127.0.0.1", "it needs http:// or https://"),
        ("javascript:1", "it needs http:// or https://"),
        ("http://a b/", "it has a space in it"),
        ("http://a\\b/", "it has a backslash in it"),
        ("https://.example..com/", "its host is not one"),
        ("https://hours.example/v1?key=1", "it has a query or a fragment"),
        ("https://hours.example/#/v1", "it has a query or a fragment"),
        (f"https://user:{PASSWORD}℀x@host/", "it is malformed"),
        (f"http://user:{PASSWORD}@[::1", "it is malformed"),
        (f"http://user:{PASSWORD}@host:port/", "its port is not a number up to 65535"),
    ],
)
def test_an_invalid_base_url(api: Resolve, url: str, problem: str) -> None:
    message = refused(api, {}, HOURS_BASE_URL=url)
    assert f"environment variable HOURS_BASE_URL holds no URL of an API: {problem}" in message


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8765",
        "http://[::1]:8765/v1/",
        "https://münchen.example/api",
        "https://HOURS.example:443",
        f"https://me:{PASSWORD}@hours.example",
    ],
)
def test_a_base_url(api: Resolve, url: str) -> None:
    assert connect(api, {}, HOURS_BASE_URL=url).client["base_url"] == url


def test_the_url_of_tokens_is_checked_too(api: Resolve) -> None:
    auth = {
        "type": "oauth2_client_credentials",
        "access_token_url": "${TOKEN_URL}",
        "client_id": "x",
        "client_secret": "${SECRET}",
    }
    assert "TOKEN_URL" in refused(api, {"auth": auth}, TOKEN_URL="http://", SECRET="key-of-mine")


BEARER = {"auth": {"type": "bearer", "token": "${KEY}"}}
PLACES: dict[str, dict[str, Any]] = {
    "bearer": BEARER,
    "key in a header": {"auth": {"type": "api_key", "name": "X-Key", "api_key": "${KEY}"}},
    "header": {"headers": {"X-Api-Key": "${KEY}"}},
}


@pytest.mark.parametrize(
    "value", ["abc\ndef12345", "abc\r\nX-Evil: 1", "tok\x00en-1234567", "a\tb"]
)
@pytest.mark.parametrize("client", PLACES.values(), ids=PLACES)
def test_a_control_character(api: Resolve, client: dict[str, Any], value: str) -> None:
    assert "environment variable KEY holds a control character" in refused(api, client, KEY=value)


@pytest.mark.parametrize("client", PLACES.values(), ids=PLACES)
def test_a_character_that_no_header_holds(api: Resolve, client: dict[str, Any]) -> None:
    assert "KEY goes into the header" in refused(api, client, KEY="tök€n-12345678")
    connect(api, client, KEY="tökn-12345678")


def test_what_is_encoded_may_be_any_text(api: Resolve) -> None:
    basic = {"auth": {"type": "http_basic", "username": "me", "password": "${KEY}"}}
    connect(api, basic, KEY="tök€n-12345678")
    query = {"auth": {"type": "api_key", "name": "k", "api_key": "${KEY}", "location": "query"}}
    connect(api, query, KEY="tök€n-12345678")
