"""Bodies that break off: compressed, framed or not, and the ones that are whole."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import requests

from timetracking_assets.errors import AnswerError
from timetracking_assets.ingest.http.body import is_cut_off

if TYPE_CHECKING:
    from tests.support.stub_api import Answer, Stub
    from tests.unit.ingest.http.conftest import Requester

Open = Callable[..., "Requester"]
BODY = b'{"data": [%s]}' % b",".join(b'{"id": %d, "note": "text"}' % i for i in range(2000))
RAW = zlib.compressobj(wbits=-zlib.MAX_WBITS)
COMPRESSED = {
    "gzip": gzip.compress(BODY),
    "x-gzip": gzip.compress(BODY),
    "deflate": zlib.compress(BODY),
    "raw deflate": RAW.compress(BODY) + RAW.flush(),
    "gzip, gzip": gzip.compress(gzip.compress(BODY)),
    "identity, gzip": gzip.compress(BODY),
}


def accept_json(response: requests.Response, _: Any) -> None:
    try:
        msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        raise AnswerError("hours/entries: page 1 is not JSON") from None


def compressed(encoding: str, body: bytes) -> Answer:
    return 200, {"Content-Encoding": encoding.removeprefix("raw ")}, body


@pytest.mark.parametrize("encoding", COMPRESSED)
def test_a_whole_body(stub: Stub, requester: Open, encoding: str) -> None:
    stub.answers = [compressed(encoding, COMPRESSED[encoding])]
    client = requester(stub.url)
    assert client.get().content == BODY
    assert client.stats.bytes == len(BODY)


def test_members_and_padding_are_one_body(stub: Stub, requester: Open) -> None:
    stub.answers = [compressed("gzip", gzip.compress(BODY[:99]) + gzip.compress(BODY[99:]) + b"\0")]
    assert requester(stub.url).get().content == BODY


@pytest.mark.parametrize("missing", [1, 8, 9, 200])
@pytest.mark.parametrize("encoding", COMPRESSED)
def test_a_compressed_body_that_breaks_off_is_requested_again(
    stub: Stub, requester: Open, encoding: str, missing: int
) -> None:
    """Though its length is right: it was cut before it was measured."""
    stub.answers = [
        compressed(encoding, COMPRESSED[encoding][:-missing]),
        compressed(encoding, COMPRESSED[encoding]),
    ]
    client = requester(stub.url)
    assert client.get().content == BODY
    assert (client.stats.requests, client.stats.retries) == (2, 1)


def test_a_compressed_body_that_always_breaks_off_is_an_error(stub: Stub, requester: Open) -> None:
    stub.answers = [compressed("gzip", gzip.compress(BODY)[:-9])]
    error = requester(stub.url, max_retries=1).failure()
    assert "the connection was cut before the end" in str(error)
    assert error.transient
    assert len(stub.paths) == 2


def test_what_is_not_compressed_is_an_error(stub: Stub, requester: Open) -> None:
    stub.answers = [compressed("gzip", b"not gzip")]
    assert "its compressed answer is broken" in str(requester(stub.url).failure())


def test_only_encodings_that_show_their_end_are_accepted(stub: Stub, requester: Open) -> None:
    requester(stub.url).get(headers={"Accept-Encoding": "br, zstd"})
    assert b"Accept-Encoding: gzip, deflate\r\n" in stub.received[0].replace(b"\n", b"\r\n")


HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n"
CUT = {
    "no length": [HEAD, BODY[:-20]],
    "no length, between two rows": [HEAD, BODY[: BODY.index(b"}") + 1]],
    "no length, nothing": [HEAD],
    "a length that is right": (200, {}, BODY[:-20]),
    "shorter than its length": (200, {"Content-Length": "99999", "Connection": "close"}, BODY),
    "chunks without an end": [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"%x\r\n%s\r\n" % (len(BODY), BODY),
    ],
    "chunks with an end": [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY) - 9, BODY[:-9]),
    ],
}


@pytest.mark.parametrize("answer", CUT.values(), ids=CUT)
def test_an_answer_that_breaks_off_is_requested_again(
    stub: Stub, requester: Open, answer: Any
) -> None:
    stub.answers = [answer, (200, {}, BODY)]
    client = requester(stub.url, accept_json)
    assert client.get().content == BODY
    assert (client.stats.requests, client.stats.retries) == (2, 1)


def test_an_answer_that_always_breaks_off(stub: Stub, requester: Open) -> None:
    stub.answers = [(200, {}, BODY[:-1])]
    error = requester(stub.url, accept_json, max_retries=1).failure()
    assert "page 1 is not JSON" in str(error)
    assert error.transient
    assert len(stub.paths) == 2


@pytest.mark.parametrize("body", [b"<html>", b'{"data": [}', b"[1] trailing", b"", b"null"])
def test_what_is_wrong_otherwise_is_not_requested_again(
    stub: Stub, requester: Open, body: bytes
) -> None:
    def refuse(*_: Any) -> None:
        raise AnswerError("hours/entries: no rows")

    stub.answers = [(200, {}, body)]
    assert "no rows" in str(requester(stub.url, refuse).failure())
    assert len(stub.paths) == 1


def test_msgspec_still_tells_what_is_cut_off() -> None:
    """Its message is the only public sign."""
    response = requests.Response()
    for end in range(1, 60):
        response._content = BODY[:end]
        assert is_cut_off(response), BODY[:end]
    response._content = BODY
    assert not is_cut_off(response)
