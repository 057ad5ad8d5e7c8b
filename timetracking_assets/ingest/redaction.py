"""Masking of secrets by value, in every form in which one travels.

Only text goes in and out here; who must be masked is decided where the values are known.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from itertools import product
from urllib.parse import quote, quote_plus

MASK = "***"
_SHORTEST = 4


class Redactor:
    """Replaces each of `secrets` by `***`: as it is, URL-encoded, JSON-escaped, and in base64.

    For basic authentication the base64 of `user:password` is masked for each pair of secrets and
    for a secret beside each of `companions` (the other half of a pair that isn't secret). Values
    of fewer than 4 characters are left alone: masking them would make any message unreadable.
    """

    def __init__(self, secrets: Iterable[str], companions: Iterable[str] = ()) -> None:
        values = sorted({value for value in secrets if len(value) >= _SHORTEST})
        forms: set[str] = set()
        for value in values:
            forms |= {value, quote(value), quote(value, safe=""), quote_plus(value)}
            escaped = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
            forms |= escaped | {form.replace("/", "\\/") for form in escaped}
            forms |= _base64_forms(value)
        others = {*values, *companions}
        for pair in product(sorted(others), repeat=2):
            if set(pair) & set(values):
                forms |= _base64_forms(":".join(pair))
        for value in values:
            forms |= _base64_forms(f"{value}:") | _base64_forms(f":{value}")
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """`text` with every known form of every secret masked."""
        for form in self._forms:
            text = text.replace(form, MASK)
        return text


def _base64_forms(value: str) -> set[str]:
    data = value.encode()
    forms = {base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()}
    return forms | {form.rstrip("=") for form in forms} | {quote(form, safe="") for form in forms}
