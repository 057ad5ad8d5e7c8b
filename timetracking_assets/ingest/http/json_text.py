"""The body of a response as UTF-8: whatever encoding it has, and whether it says so or not.

Lossless where the bytes allow it; what they don't allow becomes U+FFFD, and is counted. Slips of
JSON writers that can mean only one thing are mended, too. What the JSON holds is not known here.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from email.message import Message
from typing import NamedTuple

import pyarrow as pa
import requests
from requests.utils import guess_json_utf

_UNKNOWN = "\ufffd"
_WESTERN = "cp1252"
_ONE_BYTE = re.compile(r"iso8859|latin|cp125|cp437|cp85|koi8|mac-|ascii|tis-620")
_STATEFUL = re.compile(r"iso2022|hz|utf-7|utf_7")


class Text(NamedTuple):
    """UTF-8 text, the number of characters in it that are replaced by U+FFFD, the encoding that was
    assumed where the response states none that fits, and how many numbers in it were not finite."""

    body: bytes
    replaced: int = 0
    assumed: str | None = None
    non_finite: int = 0


def utf8(response: requests.Response) -> Text:
    """The body of `response` as UTF-8, without a byte order mark."""
    body = response.content
    unicode = guess_json_utf(body)  # type: ignore[no-untyped-call]
    if unicode not in (None, "utf-8"):
        return _decoded(body, unicode)
    stated = _stated(response.headers.get("Content-Type", ""))
    if stated and _STATEFUL.search(stated):
        return _first(body, [stated]) or Text(body)
    if body.isascii():
        return Text(body)
    if stated and not _ONE_BYTE.search(stated) and (text := _first(body, [stated])):
        return text
    # a charset of one byte is often stated by mistake: hardly a text in one is valid UTF-8
    if _is_utf8(body):
        return Text(body)
    # ISO 8859-1 has control characters where Windows, under the same name, has quotes and dashes
    western = [_WESTERN, stated] if stated == "iso8859-1" else [stated] if stated else []
    return _first(body, western) or _guessed(body)


def mended(text: Text) -> Text:
    """`text` with what JSON forbids in strings written as it allows: halves of surrogate pairs as
    U+FFFD, the escapes of other languages and bare control characters as its own. Outside of
    strings, NaN and the infinities are null."""
    replaced, non_finite = text.replaced, text.non_finite

    def escape(match: re.Match[bytes]) -> bytes:
        nonlocal replaced
        spelling = match.group()
        if len(spelling) > 6 or spelling[1:2] not in b"ux'":
            return spelling
        if spelling[1:2] == b"u":
            replaced += 1
            return b"\\ufffd"
        return b"'" if spelling == b"\\'" else b"\\u00" + spelling[2:]

    def token(match: re.Match[bytes]) -> bytes:
        nonlocal non_finite
        if match.group().startswith(b'"'):
            return _CONTROLS.sub(lambda control: b"\\u%04x" % ord(control.group()), match.group())
        non_finite += 1
        return b"null"

    body = _TOKENS.sub(token, _ESCAPES.sub(escape, text.body))
    return Text(body, replaced, text.assumed, non_finite)


_ESCAPES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\x[0-9a-fA-F]{2}|\\'|\\[^ux']"
)
# strings, so that nothing in them is taken for a number
_TOKENS = re.compile(
    rb'"(?:[^"\\]|\\.)*"|(?<![\w.+-])[-+]?(?:NaN|nan|NAN|Infinity|Inf|inf|INF)(?=\s*[,\]}])',
    re.DOTALL,
)
_CONTROLS = re.compile(rb"[\x00-\x1f]")


def _stated(content_type: str) -> str | None:
    """Python's name of the charset that `content_type` states; None for none that it knows."""
    header = Message()
    header["Content-Type"] = content_type
    try:
        return codecs.lookup(header.get_content_charset() or "").name
    except (LookupError, ValueError):
        return None


def _first(body: bytes, encodings: Iterable[str]) -> Text | None:
    """`body` in the first of `encodings` in which it is valid."""
    for encoding in encodings:
        try:
            return Text(body.decode(encoding).encode())
        except (LookupError, UnicodeError):
            continue
    return None


def _decoded(body: bytes, encoding: str) -> Text:
    text = body.decode(encoding, errors="replace")
    whole = _first(body, [encoding])
    return whole or Text(text.encode(), text.count(_UNKNOWN))


def _guessed(body: bytes) -> Text:
    """`body`, of which no encoding is known."""
    try:
        # UTF-8 of surrogate pairs, as some databases and JVMs write it
        pairs = body.decode(errors="surrogatepass").encode("utf-16-le", errors="surrogatepass")
    except UnicodeError:
        pass
    else:
        return _decoded(pairs, "utf-16-le")
    if body.decode(errors="ignore").isascii():
        # no character of UTF-8 among them
        text = body.decode(_WESTERN, errors="replace")
        return Text(text.encode(), text.count(_UNKNOWN), "windows-1252")
    text = body.decode(errors="replace")
    return Text(text.encode(), text.count(_UNKNOWN) - body.count(_UNKNOWN.encode()))


def _is_utf8(body: bytes) -> bool:
    # Arrow takes a tenth of the time of bytes.decode, and keeps no text
    offsets = len(body).to_bytes(8, "little").rjust(16, b"\0")
    text = pa.Array.from_buffers(
        pa.large_string(), 1, [None, pa.py_buffer(offsets), pa.py_buffer(body)]
    )
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
