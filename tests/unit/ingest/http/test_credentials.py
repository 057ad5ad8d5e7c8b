"""What is sent where: the file alone decides, through links, redirects and the environment."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from timetracking_assets.errors import IngestError
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.ingest.pages.fetch import open_pages
from timetracking_assets.spec.api import Api

if TYPE_CHECKING:
    from tests.support.stub_api import Answer, Stub

KEY = "top-secret-key"
QUERY = {"auth": {"type": "api_key", "name": "key", "api_key": "${KEY}", "location": "query"}}
HEADER = {"headers": {"X-Api-Key": "${KEY}"}}
BEARER = {"auth": {"type": "bearer", "token": "${KEY}"}}
LINKS = {"type": "json_link", "next_url_path": "next"}

Read = Callable[..., list[Any]]


@pytest.fixture
def read(api: Callable[..., Api], stub: Stub) -> Read:
    def read(
        client: dict[str, Any], base_url: str = stub.url, paginator: Any = LINKS, **endpoint: Any
    ) -> list[Any]:
        resolved = api(
            {"name": "entries", "endpoint": {"path": "x", "paginator": paginator, **endpoint}},
            client={"base_url": "${BASE_URL}", **client},
            retry={"backoff_factor": 0},
        )
        connection = Connection(resolved, {"BASE_URL": base_url, "KEY": KEY})
        with open_pages(connection, resolved.resources["entries"], RequestStats()) as pages:
            return [json.loads(bytes(row))["id"] for page in pages for row in page.rows]

    return read


def page(number: int, link: str | None) -> Answer:
    return 200, {}, json.dumps({"data": [{"id": number}], "next": link}).encode()


def keys_sent(stub: Stub) -> list[list[str]]:
    return [
        [value for name, value in parse_qsl(urlsplit(path).query) if name == "key"]
        for path in stub.paths
    ]


@pytest.mark.parametrize(
    "link",
    [
        "/x?page=2",
        f"/x?key={KEY}&page=2",
        "/x?key=***&page=2",
        "/x?page=2&key=REDACTED&key=%2A",
        "{url}/x?page=2&key=",
        "?page=2",
    ],
)
def test_a_link_is_followed_with_the_key_once(read: Read, stub: Stub, link: str) -> None:
    stub.answers = [page(1, link.replace("{url}", stub.url)), page(2, None)]
    assert read(QUERY) == [1, 2]
    assert keys_sent(stub) == [[KEY], [KEY]]
    assert "page=2" in stub.paths[1]


@pytest.mark.parametrize("target", ["/y", "/y?key=***", f"/y?key={KEY}&a=1", "{url}/y?a=1"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_with_the_key_once(
    read: Read, stub: Stub, target: str, status: int
) -> None:
    location = {"Location": target.replace("{url}", stub.url)}
    stub.answers = [(status, location, b""), page(1, None)]
    assert read(QUERY) == [1]
    assert keys_sent(stub) == [[KEY], [KEY]]


@pytest.mark.parametrize("client", [HEADER, BEARER], ids=["header", "bearer"])
def test_a_redirect_keeps_the_headers(read: Read, stub: Stub, client: dict[str, Any]) -> None:
    stub.answers = [(302, {"Location": "/y"}, b""), (302, {"Location": "/z"}, b""), page(1, None)]
    assert read(client) == [1]
    assert all(KEY.encode() in request for request in stub.received)
    assert len(stub.received) == 3


def test_a_circle_is_named_as_one(
    read: Read, stub: Stub, refusal: Callable[[Callable[[], Any]], IngestError]
) -> None:
    targets = {"/x": "/y", "/y": "/z", "/z": "/y"}
    stub.answers = [lambda path, _: (302, {"Location": targets[path.partition("?")[0]]}, b"")]
    error = refusal(lambda: read(BEARER))
    assert "the API redirects in a circle: /y -> /z -> /y. Check `path`." in str(error)
    assert len(stub.paths) == 11


def test_redirects_have_a_limit(
    read: Read, stub: Stub, refusal: Callable[[Callable[[], Any]], IngestError]
) -> None:
    stub.answers = [lambda path, _: (302, {"Location": f"{path}x"}, b"")]
    error = refusal(lambda: read(BEARER))
    assert "the API redirects more than 10 times, the last time at /xxxxxxxxxxx" in str(error)


def test_a_link_does_not_bring_credentials_of_its_own(read: Read, stub: Stub) -> None:
    host = stub.url.removeprefix("http://")
    stub.answers = [page(1, f"http://eve:dropper@{host}/x?page=2"), page(2, None)]
    assert read(HEADER) == [1, 2]
    assert not any(b"Authorization" in request for request in stub.received)


def test_a_user_in_the_base_url_is_sent_with_each_request(read: Read, stub: Stub) -> None:
    stub.answers = [page(1, "/x?page=2"), (302, {"Location": "/y"}, b""), page(2, None)]
    base_url = stub.url.replace("http://", "http://me:p%C3%A4ss%2F1@")
    assert read({}, base_url) == [1, 2]
    expected = b"Authorization: Basic " + base64.b64encode("me:päss/1".encode())
    assert [expected in request for request in stub.received] == [True] * 3


def test_a_user_in_the_base_url_gives_way_to_a_token_and_goes_with_a_key(
    read: Read, stub: Stub
) -> None:
    stub.answers = [page(1, None)]
    base_url = stub.url.replace("http://", "http://me:pass@")
    assert read(BEARER, base_url) == read(QUERY, base_url) == [1]
    with_token, with_key = stub.received
    assert f"Authorization: Bearer {KEY}".encode() in with_token
    assert b"Basic" not in with_token
    assert b"Authorization: Basic " + base64.b64encode(b"me:pass") in with_key
    assert keys_sent(stub) == [[], [KEY]]


@pytest.mark.parametrize("client", [{}, HEADER, QUERY], ids=["nothing", "header", "query"])
def test_nothing_is_taken_from_netrc(
    read: Read,
    stub: Stub,
    client: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1\nlogin alice\npassword wonderland1\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    stub.answers = [page(1, "/x?page=2"), (302, {"Location": "/y"}, b""), page(2, None)]
    assert read(client) == [1, 2]
    assert len(stub.received) == 3
    assert not any(b"Authorization" in request for request in stub.received)


def test_proxies_of_the_environment_are_used(
    read: Read, stub: Stub, other_stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", other_stub.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    other_stub.answers = [page(7, None)]
    assert read(BEARER, "http://hours.example") == [7]
    assert other_stub.paths == ["http://hours.example/x"]
    assert stub.paths == []


def test_parameters_are_written_as_json_writes_them(read: Read, stub: Stub) -> None:
    stub.answers = [page(1, None)]
    params = {"archived": True, "billable": False, "limit": 50, "ids": [1, 2], "f": {"a": True}}
    read(BEARER, params=params, paginator="single_page")
    assert parse_qsl(urlsplit(stub.paths[0]).query) == [
        ("archived", "true"),
        ("billable", "false"),
        ("limit", "50"),
        ("ids", "1"),
        ("ids", "2"),
        ("f", '{"a":true}'),
    ]
