"""The body of a response as it is read: decompressed, complete, and of a bounded size.

What its bytes mean is not known here; characters are in `encoding.py`.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Any

import msgspec
import requests
from urllib3.exceptions import DecodeError, ProtocolError

from timetracking_assets.errors import AnswerError

_PART = 256 * 1024  # requests reads 10 KB at a time, which costs more than the rest of a page
_OURS = {"gzip", "x-gzip", "deflate"}

ACCEPTED = "gzip, deflate"
"""What a request accepts: encodings that show whether a body is complete."""


class BoundedBody:
    """Stands in for the `raw` of a response: `requests` reads the body with `stream`.

    That raises AnswerError past `limit` bytes, counted after decompression, and urllib3's errors
    for a compressed body that is broken, or ends early. The body is read in parts, so that not much
    more than the limit is ever in memory, whatever the few bytes on the wire decompress to.
    """

    def __init__(self, raw: Any, limit: int, label: str) -> None:
        self._raw, self._limit, self._label = raw, limit, label

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def stream(self, amount: int, decode_content: bool | None = None) -> Iterator[bytes]:
        """The parts of the body, decompressed."""
        size = 0
        for part in self._parts(max(amount, _PART)):
            size += len(part)
            if size > self._limit:
                self._raw.close()
                raise AnswerError(
                    f"{self._label}: the answer has more than {self._limit} bytes "
                    "(`max_response_bytes`), after decompression. Request smaller pages, or raise "
                    "`max_response_bytes` if the size is right."
                )
            yield part

    def _parts(self, amount: int) -> Iterator[bytes]:
        header = self._raw.headers.get("Content-Encoding", "")
        encodings = [name.strip().lower() for name in header.split(",")]
        encodings = [name for name in encodings if name not in ("", "identity")]
        if not _OURS.issuperset(encodings):
            # one that was not accepted: urllib3 knows some more
            yield from self._raw.stream(amount, decode_content=True)
            return
        parts: Iterator[bytes] = self._raw.stream(amount, decode_content=False)
        for name in reversed(encodings):
            parts = _decompressed(parts, name)
        yield from parts


def _decompressed(parts: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    # urllib3 decompresses, too, but takes a stream that ends early for a whole one
    stream = zlib.decompressobj(wbits=47)
    empty = True
    for part in parts:
        data = part
        while data:
            if stream.eof:
                if not data.startswith(b"\x1f\x8b"):
                    break  # padding after the last of its members
                stream = zlib.decompressobj(wbits=47)
            try:
                piece = stream.decompress(data, _PART)
            except zlib.error as error:
                if not empty or encoding != "deflate":
                    raise DecodeError(f"broken {encoding}") from error
                # some servers leave the header of zlib out
                stream = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
                empty = False
                continue
            empty = False
            while piece:
                yield piece
                piece = b"" if stream.eof else stream.decompress(stream.unconsumed_tail, _PART)
            data = stream.unconsumed_tail or stream.unused_data
    if not empty and not stream.eof:
        raise ProtocolError(f"the {encoding} body ended early")


class CutOffError(requests.exceptions.ChunkedEncodingError):
    """A JSON body that ends in the middle, though the connection says nothing of it."""


def is_cut_off(response: requests.Response) -> bool:
    """Whether the body is JSON that ends in the middle, or is missing where no length is stated."""
    body = response.content.strip()
    if not body:
        return not any(name in response.headers for name in ("Content-Length", "Transfer-Encoding"))
    if not re.match(rb"[\[{]", body):
        return False
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except msgspec.DecodeError as error:
        # the only way that msgspec tells it apart from what is no JSON
        return "truncated" in str(error)
    except RecursionError:
        # how deep it may nest is said where it is read
        return False
    return False
