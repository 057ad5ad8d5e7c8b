"""Credentials go to the API's own host, over TLS that holds, and into no library's log line."""

from __future__ import annotations

import datetime
import logging
import ssl
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import dlt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from timetracking_assets.errors import ApiError
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.ingest.pages.fetch import open_pages
from timetracking_assets.spec.api import Api

if TYPE_CHECKING:
    from tests.support.stub_api import Stub

Refusal = Callable[[Callable[[], Any]], Exception]
Connect = Callable[..., Connection]
SECRET = "top-secret/key+1"
KEY = "${HOURS_KEY}"
AUTHS: dict[str, dict[str, Any]] = {
    "bearer": {"auth": {"type": "bearer", "token": KEY}},
    "basic": {"auth": {"type": "http_basic", "username": "me", "password": KEY}},
    "key in a header": {"auth": {"type": "api_key", "name": "X-Key", "api_key": KEY}},
    "key in the query": {
        "auth": {"type": "api_key", "name": "key", "api_key": KEY, "location": "query"}
    },
    "header": {"headers": {"X-Api-Key": KEY}},
}


@pytest.fixture
def connect(api: Callable[..., Api], stub: Stub) -> Connect:
    def connect(client: dict[str, Any], base_url: str = stub.url) -> Connection:
        resolved = api(
            {"name": "entries", "endpoint": {"path": "entries"}},
            client={"base_url": "${HOURS_BASE_URL}", **client},
            retry={"backoff_factor": 0},
        )
        return Connection(resolved, {"HOURS_BASE_URL": base_url, "HOURS_KEY": SECRET})

    return connect


def read(connection: Connection) -> list[Any]:
    resource = connection.api.resources["entries"]
    with open_pages(connection, resource, RequestStats()) as pages:
        return list(pages)


@pytest.mark.parametrize("client", AUTHS.values(), ids=AUTHS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_credentials_do_not_follow_a_redirect(
    connect: Connect,
    stub: Stub,
    other_stub: Stub,
    refusal: Refusal,
    client: dict[str, Any],
    status: int,
) -> None:
    stub.answers = [(status, {"Location": f"{other_stub.url}/entries"}, b"")]
    error = refusal(lambda: read(connect(client)))
    assert isinstance(error, ApiError)
    assert "must not get its credentials" in str(error)
    assert "change its base URL" in str(error)
    assert len(stub.received) == 1
    assert other_stub.received == []


@pytest.mark.parametrize("client", AUTHS.values(), ids=AUTHS)
def test_credentials_do_not_follow_a_link_to_the_next_page(
    api: Callable[..., Api],
    stub: Stub,
    other_stub: Stub,
    refusal: Refusal,
    client: dict[str, Any],
) -> None:
    link = f'<{other_stub.url}/entries?page=2>; rel="next"'
    stub.answers = [(200, {"Link": link}, b'{"data": [{"id": 1}]}')]
    resolved = api(
        {"name": "entries", "endpoint": {"path": "entries", "paginator": "header_link"}},
        client={"base_url": "${HOURS_BASE_URL}", **client},
    )
    connection = Connection(resolved, {"HOURS_BASE_URL": stub.url, "HOURS_KEY": SECRET})
    assert "another host" in str(refusal(lambda: read(connection)))
    assert other_stub.received == []


def test_credentials_in_a_base_url_are_masked(connect: Connect, refusal: Refusal) -> None:
    connection = connect({}, "http://some-user:some-password@127.0.0.1:1")
    error = str(refusal(lambda: read(connection)))
    assert "no server answers there" in error
    assert "some-" not in error


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1 that nobody vouches for but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    host = x509.IPAddress(ip_address("127.0.0.1"))
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([host]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(pem))
    return path


@pytest.fixture
def secure_stub(stub: Stub, certificate: Path) -> Iterator[Stub]:
    """A server that speaks TLS with that certificate."""
    server = type(stub)()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.url = server.url.replace("http:", "https:")
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_certificate_that_nobody_vouches_for_is_refused(
    connect: Connect,
    secure_stub: Stub,
    certificate: Path,
    refusal: Refusal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = connect(AUTHS["bearer"], secure_stub.url)
    error = refusal(lambda: read(connection))
    assert isinstance(error, ApiError)
    assert "its TLS certificate was not accepted" in str(error)
    assert "REQUESTS_CA_BUNDLE" in str(error)
    assert not error.transient
    assert secure_stub.received == []
    # the advice is right
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    assert len(read(connection)) == 1


@pytest.mark.parametrize("client", AUTHS.values(), ids=AUTHS)
def test_no_library_logs_a_credential(
    connect: Connect,
    client: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With all of them as loud as they can be; urllib3 logs the query, dlt the headers."""
    dlt.current.run_context()  # makes dlt's logger
    monkeypatch.setattr(logging.getLogger("dlt"), "propagate", True)
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, logger="dlt"):
        read(connect(client))
    assert "GET /entries" in caplog.text
    assert "Making GET request" in caplog.text
    assert not any(form in caplog.text for form in (SECRET, "top-secret%2Fkey%2B1"))
    if "query" in str(client):
        assert "key=***" in caplog.text


def test_no_library_logs_an_error_with_a_credential(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    kept = connect(AUTHS["bearer"])
    try:
        raise ValueError(SECRET)
    except ValueError:
        logging.getLogger("urllib3.connectionpool").exception("failed with %s", SECRET)
    assert "failed with ***" in caplog.text
    assert "ValueError: ***" in caplog.text
    assert SECRET not in caplog.text
    assert kept.redactor(SECRET) == "***"
