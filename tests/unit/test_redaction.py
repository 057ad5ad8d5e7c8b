"""No form of a secret is left in a text."""

import base64
import html
import json
import re
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timetracking_assets.redaction import Redactor

SECRET = 'käy /+="1\\2'


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


FORMS = {
    "raw": SECRET,
    "path": quote(SECRET),
    "query": quote(SECRET, safe=""),
    "form": quote_plus(SECRET),
    "all in lower case": re.sub("%..", lambda code: code.group().lower(), quote_plus(SECRET)),
    "html": html.escape(SECRET),
    "shown by Python": repr(SECRET)[1:-1],
    "shown as bytes": repr(SECRET.encode())[2:-1],
    "json": json.dumps(SECRET)[1:-1],
    "unicode json": json.dumps(SECRET, ensure_ascii=False)[1:-1],
    "json with slashes escaped": json.dumps(SECRET)[1:-1].replace("/", "\\/"),
    "base64": encoded(SECRET),
    "url-safe base64": base64.urlsafe_b64encode(SECRET.encode()).decode(),
    "unpadded base64": encoded(SECRET).rstrip("="),
    "quoted base64": quote(encoded(SECRET), safe=""),
    "as the user": encoded(f"{SECRET}:api_token"),
    "as the password": encoded(f"me@example.org:{SECRET}"),
    "alone as the user": encoded(f"{SECRET}:"),
    "alone as the password": encoded(f":{SECRET}"),
    "beside another": encoded(f"{SECRET}:other-secret"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_each_form_is_masked_whole(form: str) -> None:
    redact = Redactor([SECRET, "other-secret"], ["api_token", "me@example.org"])
    assert redact(f"before {form} after {form}") == "before *** after ***"


def test_a_companion_alone_is_not_masked() -> None:
    redact = Redactor([SECRET], ["me@example.org", "api_token"])
    assert redact("me@example.org api_token") == "me@example.org api_token"
    assert redact(encoded("me@example.org:api_token")) == encoded("me@example.org:api_token")


def test_the_longest_is_masked_first() -> None:
    assert Redactor(["abcd", "abcdefgh"])("abcdefgh abcd") == "*** ***"


def test_short_values_are_left_alone() -> None:
    assert Redactor(["abc", ""])("abc is the start of abcdef") == "abc is the start of abcdef"
    assert Redactor([])("anything") == "anything"


WORDS = st.text(
    st.characters(codec="utf-8", exclude_characters="*", exclude_categories=["Cs"]), max_size=12
)


@given(
    st.lists(WORDS.filter(lambda word: len(word) >= 4), min_size=1, max_size=3), WORDS, WORDS, WORDS
)
def test_no_form_is_left(secrets: list[str], companion: str, before: str, after: str) -> None:
    redact = Redactor(secrets, [companion])
    secret = secrets[0]
    for form in (
        secret,
        quote_plus(secret),
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        encoded(secret),
        encoded(f"{companion}:{secret}"),
        encoded(f"{secret}:{companion}"),
        encoded(f"{secret}:{secrets[-1]}"),
    ):
        assert form not in redact(before + form + after)


CREDENTIAL = 'a"key/of\\mine'


@pytest.mark.parametrize(
    "form",
    [
        json.dumps(CREDENTIAL)[1:-1],
        json.dumps(CREDENTIAL)[1:-1].replace("/", "\\/"),
        encoded(CREDENTIAL),
        encoded(CREDENTIAL).rstrip("="),
    ],
)
def test_a_credential_in_a_row_is_masked_and_counted(form: str) -> None:
    body = f'{{"data": [{{"id": 1.10, "a": "x {form} y", "b": ["{form}"]}}, {{"id": 2}}]}}'
    masked, count = Redactor([CREDENTIAL], credentials=[CREDENTIAL]).in_rows(body.encode())
    assert masked == b'{"data": [{"id": 1.10, "a": "x *** y", "b": ["***"]}, {"id": 2}]}'
    assert count == 2


@pytest.mark.parametrize(
    ("credential", "body"),
    [
        ("12345678", b'{"id": 12345678, "share": 0.123456789}'),
        ("short", b'{"note": "a short one"}'),
        ("longer-than-all", b'{"note": "nothing of it"}'),
    ],
)
def test_rows_without_one_stay_as_they_are(credential: str, body: bytes) -> None:
    assert Redactor([credential], credentials=[credential]).in_rows(body) == (body, 0)


def test_a_secret_that_is_no_credential_stays_in_rows() -> None:
    """The address of the user that asks is a person's, too."""
    body = b'{"email": "me@example.org"}'
    redact = Redactor(["me@example.org", "password"], credentials=["password"])
    assert redact.in_rows(body) == (body, 0)


def test_what_is_learned_is_masked_from_then_on() -> None:
    redact = Redactor(["known-before"])
    assert redact("given-token") == "given-token"
    redact.learn("given-token")
    assert redact("given-token, known-before, " + encoded("given-token")) == "***, ***, ***"
    assert redact.in_rows(b'"given-token"') == (b'"***"', 1)
