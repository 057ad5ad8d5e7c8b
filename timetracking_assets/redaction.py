"""Masking of secrets by value, in every form in which one travels: in messages and in log lines.

What is secret is decided in `spec/variables.py`, and where the values are known. Our own messages
are masked where they are written; the log lines of libraries that see credentials (dlt, urllib3)
are masked here.
"""

from __future__ import annotations

import base64
import html
import json
import logging
import re
from collections.abc import Iterable
from itertools import product
from urllib.parse import quote, quote_plus
from weakref import WeakSet

MASK = "***"
_SHORTEST = 4
_SHORTEST_STORED = 8
_JSON_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


class Redactor:
    """Replaces each of `secrets` by `***`: as it is, URL-encoded, escaped, and in base64.

    For basic authentication the base64 of `user:password` is masked for each pair of secrets and
    for a secret beside each of `companions` (the other half of a pair that isn't secret). Values
    of fewer than 4 characters are left alone: masking them would make any message unreadable.

    `credentials` are those of the secrets that no table may hold: see `in_rows`.
    """

    def __init__(
        self,
        secrets: Iterable[str],
        companions: Iterable[str] = (),
        credentials: Iterable[str] = (),
    ) -> None:
        self._secrets, self._companions = set(secrets), set(companions)
        self._credentials = set(credentials)
        self._find_forms()

    def learn(self, secret: str) -> None:
        """Mask a credential, too, that is known only now (a token that was just given)."""
        self._secrets.add(secret)
        self._credentials.add(secret)
        self._find_forms()

    def __call__(self, text: str) -> str:
        """`text` with every known form of every secret masked."""
        for form in self._forms:
            text = text.replace(form, MASK)
        return text

    def in_rows(self, body: bytes) -> tuple[bytes, int]:
        """The JSON `body` with its credentials masked, and how many strings held one.

        A credential in a row (an API that lists its users' keys) would otherwise be open to
        everyone who may read the table. Only strings are searched, so that JSON stays JSON and
        numbers stay what they are; and only for credentials of 8 characters or more.
        """
        if not any(form in body for form in self._shortest_stored_forms):
            return body, 0
        masked = 0

        def mask(match: re.Match[bytes]) -> bytes:
            nonlocal masked
            text = match.group()
            for form in self._stored_forms:
                text = text.replace(form, MASK.encode())
            masked += text != match.group()
            return text

        return _JSON_STRING.sub(mask, body), masked

    def _find_forms(self) -> None:
        values = sorted({value for value in self._secrets if len(value) >= _SHORTEST})
        forms: set[str] = set()
        for value in values:
            forms |= _plain_forms(value) | _base64_forms(value)
            forms |= _base64_forms(f"{value}:") | _base64_forms(f":{value}")
        for pair in product(sorted({*values, *self._companions}), repeat=2):
            if set(pair) & set(values):
                forms |= _base64_forms(":".join(pair))
        self._forms = sorted(forms, key=len, reverse=True)
        stored = {value for value in self._credentials if len(value) >= _SHORTEST_STORED}
        found = {form for value in stored for form in _json_forms(value) | _base64_forms(value)}
        self._stored_forms = sorted((form.encode() for form in found), key=len, reverse=True)
        # each form holds one of these: fewer searches through a page that has none
        self._shortest_stored_forms = [
            form
            for form in self._stored_forms
            if not any(other in form for other in self._stored_forms if other != form)
        ]


def _plain_forms(value: str) -> set[str]:
    encoded = {quote(value), quote(value, safe=""), quote_plus(value), quote_plus(value, safe="/")}
    encoded |= {re.sub("%..", lambda code: code.group().lower(), form) for form in encoded}
    shown = {repr(value)[1:-1], ascii(value)[1:-1], repr(value.encode())[2:-1]}
    return (
        encoded | shown | {html.escape(value), html.escape(value, quote=False)} | _json_forms(value)
    )


def _json_forms(value: str) -> set[str]:
    escaped = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    return escaped | {form.replace("/", "\\/") for form in escaped}


def _base64_forms(value: str) -> set[str]:
    data = value.encode()
    forms = {base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()}
    return forms | {form.rstrip("=") for form in forms} | {quote(form, safe="") for form in forms}


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
