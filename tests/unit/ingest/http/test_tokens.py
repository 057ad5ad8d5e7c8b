"""OAuth 2.0 client credentials, over two real servers: the token's and the API's."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import dlt
import pytest

from timetracking_assets.errors import AnswerError, ApiError
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.ingest.pages.fetch import open_pages
from timetracking_assets.ingest.pages.rest_api import validate
from timetracking_assets.spec.api import Api

if TYPE_CHECKING:
    from tests.support.stub_api import Stub

Refusal = Callable[[Callable[[], Any]], Exception]
SECRET = "client/secret+8f2"
TOKEN = "given-token-51c9"
GRANTED = (200, {}, json.dumps({"access_token": TOKEN, "expires_in": 3600}).encode())
AUTH = {
    "type": "oauth2_client_credentials",
    "access_token_url": "${HOURS_TOKEN_URL}",
    "client_id": "${HOURS_CLIENT_ID}",
    "client_secret": "${HOURS_CLIENT_SECRET}",
    "access_token_request_data": {"scope": "read"},
}


@pytest.fixture
def connection(api: Callable[..., Api], stub: Stub, other_stub: Stub) -> Connection:
    """The API at `stub`, its tokens at `other_stub`."""
    paginator = {"type": "page_number", "base_page": 1, "total_path": "pages"}
    resolved = api(
        {"name": "entries", "endpoint": {"path": "entries", "paginator": paginator}},
        client={"base_url": "${HOURS_BASE_URL}", "auth": AUTH},
        retry={"backoff_factor": 0},
    )
    validate(resolved)
    other_stub.answers = [GRANTED]
    stub.answers = [(200, {}, b'{"pages": 2, "data": [{"id": %d}]}' % key) for key in (1, 2)]
    values = {
        "HOURS_BASE_URL": stub.url,
        "HOURS_TOKEN_URL": f"{other_stub.url}/token",
        "HOURS_CLIENT_ID": "client-7",
        "HOURS_CLIENT_SECRET": SECRET,
    }
    return Connection(resolved, values)


def read(connection: Connection, stats: RequestStats | None = None) -> list[Any]:
    resource = connection.api.resources["entries"]
    with open_pages(connection, resource, stats or RequestStats()) as pages:
        return [json.loads(bytes(row))["id"] for page in pages for row in page.rows]


def test_one_token_is_got_and_used_for_all_pages(
    connection: Connection, stub: Stub, other_stub: Stub
) -> None:
    stats = RequestStats()
    assert read(connection, stats) == [1, 2]
    [asked] = other_stub.received
    assert asked.startswith(b"POST /token ")
    assert parse_qs(asked.decode().rpartition("\n")[2]) == {
        "client_id": ["client-7"],
        "client_secret": [SECRET],
        "grant_type": ["client_credentials"],
        "scope": ["read"],
    }
    assert len(stub.received) == 2
    assert all(f"Authorization: Bearer {TOKEN}".encode() in page for page in stub.received)
    assert (stats.requests, stats.retries) == (3, 0)


def test_the_token_is_masked_as_the_secret_is(
    connection: Connection, stub: Stub, other_stub: Stub, refusal: Refusal
) -> None:
    stub.answers = [(403, {}, f"no: {TOKEN}, {SECRET}, client-7".encode())]
    error = refusal(lambda: read(connection))
    assert "Its message: no: ***, ***, ***" in str(error)


def test_an_expired_token_is_renewed(connection: Connection, stub: Stub, other_stub: Stub) -> None:
    old, new = ({"access_token": f"token-{n}", "expires_in": n} for n in (0, 3600))
    other_stub.answers = [(200, {}, json.dumps(one).encode()) for one in (old, new)]
    assert read(connection) == [1, 2]
    used = [page for page in stub.received if b"Bearer token-" in page]
    assert [b"token-0" in page for page in used] == [True, False]


def test_a_refused_secret_says_what_to_check(
    connection: Connection, stub: Stub, other_stub: Stub, refusal: Refusal
) -> None:
    other_stub.answers = [(401, {}, json.dumps({"error": f"bad {SECRET}"}).encode())]
    error = refusal(lambda: read(connection))
    assert isinstance(error, ApiError)
    assert not error.transient
    assert str(error).startswith("hours: token: HTTP 401 from POST ")
    assert "credentials were not accepted" in str(error)
    assert "Its message: {" in str(error)
    assert SECRET not in str(error)
    assert error.__context__ is None
    assert len(other_stub.paths) == 1
    assert stub.paths == []


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"access_token": null}'])
def test_an_answer_without_a_token(
    connection: Connection, stub: Stub, other_stub: Stub, refusal: Refusal, body: bytes
) -> None:
    other_stub.answers = [(200, {}, body)]
    error = refusal(lambda: read(connection))
    assert isinstance(error, AnswerError)
    assert "holds no `access_token`. Check `access_token_url`" in str(error)
    assert stub.paths == []


@pytest.mark.parametrize("status", [302, 307, 308])
def test_the_secret_does_not_follow_to_another_host(
    connection: Connection, stub: Stub, other_stub: Stub, refusal: Refusal, status: int
) -> None:
    """307 and 308 would send the body, and with it the secret, again."""
    other_stub.answers = [(status, {"Location": f"{stub.url}/token"}, b"")]
    error = refusal(lambda: read(connection))
    assert "refers to another host" in str(error)
    assert stub.received == []


def test_a_failure_at_the_tokens_host_is_repeated(connection: Connection, other_stub: Stub) -> None:
    other_stub.answers = [(503, {}, b""), GRANTED]
    stats = RequestStats()
    assert read(connection, stats) == [1, 2]
    assert (stats.requests, stats.retries) == (4, 1)


def test_nothing_is_logged_of_it(
    connection: Connection, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every library as loud as it can be."""
    dlt.current.run_context()  # makes dlt's logger
    monkeypatch.setattr(logging.getLogger("dlt"), "propagate", True)
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, logger="dlt"):
        assert read(connection) == [1, 2]
    assert "POST /token" in caplog.text
    assert "Making GET request" in caplog.text
    assert not any(word in caplog.text for word in (SECRET, TOKEN))
