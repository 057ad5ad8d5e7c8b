"""Masking of secrets by value, however they are spelled: in messages and in log lines.

What is secret is decided in `spec/variables.py`, and where the values are known. Our own messages
are masked where they are written; the log lines of libraries that see credentials (dlt, urllib3)
are masked here. Rows are never masked: they are stored as the API sent them.
"""

from __future__ import annotations

import base64
import html
import html.entities
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from weakref import WeakSet

MASK = "***"
_SHORTEST = 4
_SHORTEST_IN_ROWS = 8
_DEEPEST = 4
"""Spellings of spellings that are seen through: JSON in JSON in a URL, say."""


class Redactor:
    """Replaces each of `secrets` by `***`: as it is, and in every spelling that JSON, URLs, HTML,
    Python, base64 or hexadecimal digits allow, also one within another.

    A word of base64 that holds a secret is masked whole. Values of fewer than 4 characters are left
    alone: masking them would make any message unreadable.

    `credentials` are those of the secrets that open the API by themselves: see `finds_credential`.
    """

    def __init__(self, secrets: Iterable[str], credentials: Iterable[str] = ()) -> None:
        self._secrets, self._credentials = set(secrets), set(credentials)
        self._prepare()

    def learn(self, secret: str) -> None:
        """Mask a credential, too, that is known only now (a token that was just given)."""
        self._secrets.add(secret)
        self._credentials.add(secret)
        self._prepare()

    def __call__(self, text: str) -> str:
        """`text` with every secret masked."""
        masked, end = [], 0
        for start, stop in _merged(self._places(_original(text), _DEEPEST)):
            masked += [text[end:start], MASK]
            end = stop
        return "".join([*masked, text[end:]])

    def finds_credential(self, body: bytes) -> bool:
        """Whether the JSON `body` holds a credential of 8 characters or more, in any spelling of
        JSON; within its strings, also as URLs, HTML and further JSON write it.

        Not in base64 or hexadecimal digits, nor with its letters and digits as percents or
        entities: each page that is loaded would pay for the search.
        """
        letters_escaped = _ESCAPED_LETTER.search(body)
        return any(
            (core in body and pattern.search(body)) or (letters_escaped and escaped.search(body))
            for core, pattern, escaped in self._in_json
        )

    def _prepare(self) -> None:
        self._values = {_plain(value) for value in self._secrets if len(value) >= _SHORTEST}
        self._shortest = min(map(len, self._values), default=0)
        self._in_json = [
            (
                max(re.findall("[A-Za-z0-9]*", value), key=len).encode(),
                _json_pattern(value, _spellings_of_signs),
                _json_pattern(value, _spellings),
            )
            for value in self._credentials
            if len(value) >= _SHORTEST_IN_ROWS
        ]

    def _places(self, reading: _Reading, depth: int) -> Iterator[tuple[int, int]]:
        """Where secrets are in the original text, in `reading` or in what it spells."""
        if not self._values or len(reading.text) < self._shortest:
            return
        plain = _plain(reading.text)
        for value in self._values:
            start = plain.find(value)
            while start >= 0:
                yield reading.starts[start], reading.ends[start + len(value) - 1]
                start = plain.find(value, start + 1)
        if depth == 0:
            return
        for start, end, word in _encoded_words(reading.text, self._shortest):
            if next(self._places(_original(word), depth - 1), None):
                yield reading.starts[start], reading.ends[end - 1]
        for decode in (_backslashes, _percents, _entities):
            inner = _read(reading, decode)
            if inner is not None:
                yield from self._places(inner, depth - 1)


def _plain(text: str) -> str:
    # forms write a space as a plus: here they are the same
    return text.replace("+", " ")


def _merged(places: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """`places` in order, overlapping ones as one."""
    latest: tuple[int, int] | None = None
    for start, end in sorted(set(places)):
        if latest is None or start >= latest[1]:
            if latest is not None:
                yield latest
            latest = start, end
        else:
            latest = latest[0], max(latest[1], end)
    if latest is not None:
        yield latest


@dataclass(frozen=True)
class _Reading:
    """A text, and where each of its characters begins and ends in the original one."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]


def _original(text: str) -> _Reading:
    return _Reading(text, range(len(text)), range(1, len(text) + 1))


_Decoded = tuple[re.Pattern[str], Callable[[str], Iterable[tuple[str, int]]]]
"""A pattern of escapes, and what a match spells: its characters, each with the length of its
spelling."""


def _read(reading: _Reading, decoded: _Decoded) -> _Reading | None:
    """`reading` with its escapes decoded; None if it has none."""
    pattern, spelled = decoded
    text: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    position = 0
    for match in pattern.finditer(reading.text):
        text.append(reading.text[position : match.start()])
        starts += reading.starts[position : match.start()]
        ends += reading.ends[position : match.start()]
        position = match.start()
        for characters, length in spelled(match.group()):
            text.append(characters)
            starts += [reading.starts[position]] * len(characters)
            ends += [reading.ends[position + length - 1]] * len(characters)
            position += length
    if not position:
        return None
    text.append(reading.text[position:])
    starts += reading.starts[position:]
    ends += reading.ends[position:]
    return _Reading("".join(text), starts, ends)


def _spelled_bytes(data: bytes, length: int) -> Iterator[tuple[str, int]]:
    """The characters of UTF-8 `data`, or of Latin-1 where it isn't; a byte is spelled in `length`
    characters."""
    for character in data.decode(errors="surrogateescape"):
        if "\udc80" <= character <= "\udcff":
            yield chr(ord(character) - 0xDC00), length
        else:
            yield character, length * len(character.encode(errors="surrogatepass"))


_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "0": "\0"}


def _spelled_by_backslashes(match: str) -> Iterable[tuple[str, int]]:
    kind = match[1]
    if kind == "x":
        return _spelled_bytes(bytes.fromhex(match.replace("\\x", "")), 4)
    if kind in "uU" and len(match) > 2:
        units = [int(digits, 16) for digits in re.findall("[0-9a-fA-F]+", match)]
        if len(units) == 2:
            pair = b"".join(unit.to_bytes(2, "big") for unit in units)
            return [(pair.decode("utf-16-be"), len(match))]
        return [(chr(units[0]) if units[0] <= 0x10FFFF else "", len(match))]
    return [(_CONTROLS.get(kind, kind), len(match))]


_backslashes: _Decoded = (
    re.compile(
        r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}"
        r"|\\u\{[0-9a-fA-F]{1,6}\}|\\U[0-9a-fA-F]{8}|(?:\\x[0-9a-fA-F]{2})+|\\.",
        re.DOTALL,
    ),
    _spelled_by_backslashes,
)
_percents: _Decoded = (
    re.compile(r"(?:%[0-9a-fA-F]{2})+|%u[0-9a-fA-F]{4}"),
    lambda match: (
        [(chr(int(match[2:], 16)), len(match))]
        if match[1] == "u"
        else _spelled_bytes(bytes.fromhex(match.replace("%", "")), 3)
    ),
)
_entities: _Decoded = (
    re.compile(r"&(?:#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,8}|[A-Za-z][A-Za-z0-9]{1,30});?"),
    lambda match: [(html.unescape(match), len(match))],
)

_BASE64 = r"[A-Za-z0-9+/_-]"


def _encoded_words(text: str, shortest: int) -> Iterator[tuple[int, int, str]]:
    """Each way to read a word of base64 or hexadecimal digits that could hold `shortest`
    characters: where it is, and what it spells."""
    least = shortest * 4 // 3
    for match in re.finditer(rf"{_BASE64}{{4,}}(?:[\r\n]+{_BASE64}+)*=*", text):
        word = re.sub(r"[\r\n=]", "", match.group()).replace("-", "+").replace("_", "/")
        if len(word) < least:
            continue
        for skipped in range(4):
            data = word[skipped:]
            data = data[: len(data) - (len(data) % 4 == 1)]
            decoded = base64.b64decode(data + "=" * (-len(data) % 4))
            yield match.start(), match.end(), _text(decoded)
    for match in re.finditer(rf"[0-9a-fA-F]{{{2 * shortest},}}", text):
        for skipped in range(2):
            digits = match.group()[skipped:]
            decoded = bytes.fromhex(digits[: len(digits) // 2 * 2])
            yield match.start(), match.end(), _text(decoded)


def _text(data: bytes) -> str:
    return "".join(character for character, _ in _spelled_bytes(data, 1))


# what no writer of JSON needs to escape: an escape of another character is common
_ESCAPED_LETTER = re.compile(rb"\\u00(?:3[0-9]|[46][1-9a-fA-F]|[57][0-9aA])")


def _json_pattern(value: str, spellings: Callable[[str], bytes]) -> re.Pattern[bytes]:
    """A pattern of `value` in the strings of whatever JSON writer."""
    return re.compile(b"".join(map(spellings, value)))


def _spellings_of_signs(character: str) -> bytes:
    if character.isascii() and character.isalnum():
        return character.encode()
    return _spellings(character)


@cache
def _spellings(character: str) -> bytes:
    """A pattern of `character` in JSON; also in a URL or in HTML, or in JSON, in a string of it."""
    units = character.encode("utf-16-be")
    escaped = "".join(rf"\\+u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
    plain = re.escape(character)
    number = ord(character)
    forms = [plain, rf"\\+{plain}", f"(?i:{escaped})", *(["\\+"] if character == " " else [])]
    if not (character.isascii() and character.isalnum()):
        percents = "".join(f"%(?:25)*{byte:02x}" for byte in character.encode())
        names = [name for name in html.entities.html5 if html.entities.html5[name] == character]
        entities = "|".join([f"#0*{number}", f"#x0*{number:x}", *(n.rstrip(";") for n in names)])
        forms += [f"(?i:{percents})", rf"(?i:(?:&|\\+u0026)(?:amp;)*(?:{entities});?)"]
    return f"(?:{'|'.join(forms)})".encode()


_LOGGERS = ("dlt", "urllib3.connectionpool", "urllib3.util.retry")
_redactors: WeakSet[Redactor] = WeakSet()


def mask_logs(redactor: Redactor) -> None:
    """Mask what `redactor` knows in those libraries' log lines, for as long as it is used."""
    _redactors.add(redactor)
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if _masking not in logger.filters:
            logger.addFilter(_masking)


def _masking(record: logging.LogRecord) -> bool:
    text = record.getMessage()
    if record.exc_info:
        # a handler would write the chained errors as they are
        record.exc_text = logging.Formatter().formatException(record.exc_info)
        record.exc_info = None
    for redactor in list(_redactors):
        text = redactor(text)
        record.exc_text = redactor(record.exc_text) if record.exc_text else record.exc_text
    record.msg, record.args = text, ()
    return True
