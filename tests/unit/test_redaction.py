"""No spelling of a secret is left in a text."""

import base64
import html
import json
import re
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timetracking_assets.redaction import Redactor

SECRET = 'käy /+="1\\2&<tail'


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def escaped(characters: str, spelling: str = "\\u{:04x}") -> str:
    return "".join(spelling.format(ord(c)) if c in characters else c for c in SECRET)


FORMS = {
    "raw": SECRET,
    "path": quote(SECRET),
    "query": quote(SECRET, safe=""),
    "form": quote_plus(SECRET),
    "all in lower case": re.sub("%..", lambda code: code.group().lower(), quote_plus(SECRET)),
    "all percents": "".join(f"%{byte:02X}" for byte in SECRET.encode()),
    "percents of percents": quote(quote(SECRET, safe=""), safe=""),
    "percents of Latin-1": quote(SECRET.encode("latin-1"), safe=""),
    "percents of scripts": escaped(SECRET, "%u{:04X}"),
    "html": html.escape(SECRET),
    "html numbers": escaped('&<"/', "&#{};"),
    "html digits": escaped('&<"/', "&#x{:X};"),
    "shown by Python": repr(SECRET)[1:-1],
    "ASCII by Python": ascii(SECRET)[1:-1],
    "shown as bytes": repr(SECRET.encode())[2:-1],
    "json": json.dumps(SECRET)[1:-1],
    "unicode json": json.dumps(SECRET, ensure_ascii=False)[1:-1],
    "json with slashes escaped": json.dumps(SECRET)[1:-1].replace("/", "\\/"),
    "json for HTML": json.dumps(SECRET)[1:-1].replace("&", "\\u0026").replace("<", "\\u003c"),
    "json in capitals": json.dumps(SECRET)[1:-1].replace("+", "\\u002B"),
    "json, all escaped": escaped(SECRET),
    "scripts, all escaped": escaped(SECRET, "\\u{{{:x}}}"),
    "json in json": json.dumps(json.dumps(SECRET)[1:-1].replace("&", "\\u0026"))[1:-1],
    "json in a URL": quote(json.dumps(SECRET)[1:-1], safe=""),
    "html in json": json.dumps(html.escape(SECRET))[1:-1].replace("&", "\\u0026"),
    "base64": encoded(SECRET),
    "url-safe base64": base64.urlsafe_b64encode(SECRET.encode()).decode(),
    "unpadded base64": encoded(SECRET).rstrip("="),
    "quoted base64": quote(encoded(SECRET), safe=""),
    "base64 of Latin-1": base64.b64encode(SECRET.encode("latin-1")).decode(),
    "base64 of json": encoded(json.dumps({"key": SECRET})),
    "base64 in json": encoded(SECRET).replace("=", "\\u003d").replace("/", "\\/"),
    "base64 in two lines": encoded(SECRET)[:12] + "\n" + encoded(SECRET)[12:],
    "hexadecimal": SECRET.encode().hex(),
    "as the user": encoded(f"{SECRET}:api_token"),
    "as the password": encoded(f"me@example.org:{SECRET}"),
    "alone as the user": encoded(f"{SECRET}:"),
    "alone as the password": encoded(f":{SECRET}"),
    "beside another": encoded(f"{SECRET}:other-secret"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_each_form_is_masked_whole(form: str) -> None:
    redact = Redactor([SECRET, "other-secret"])
    assert redact(f"before {form} after {form}") == "before *** after ***"


@pytest.mark.parametrize("shift", range(4))
def test_base64_is_read_wherever_it_begins(shift: int) -> None:
    redact = Redactor([SECRET])
    assert redact(f"key: {'x' * shift}{encoded(SECRET)}") == "key: ***"
    assert redact(f"key: {encoded('x' * shift + SECRET)}") == "key: ***"


def test_what_holds_no_secret_stays_as_it_is() -> None:
    text = (
        f"me@example.org \\u0026 %41 &amp; {encoded('me@example.org:api_token')} https://a/b?c=%2F"
    )
    assert Redactor([SECRET])(text) == text


def test_the_longest_is_masked_first() -> None:
    assert Redactor(["abcd", "abcdefgh"])("abcdefgh abcd") == "*** ***"


def test_short_values_are_left_alone() -> None:
    assert Redactor(["abc", ""])("abc is the start of abcdef") == "abc is the start of abcdef"
    assert Redactor([])("anything") == "anything"


WORDS = st.text(
    st.characters(codec="utf-8", exclude_characters="*", exclude_categories=["Cs"]), max_size=12
)
SPELLINGS: list[Callable[[str], str]] = [
    str,
    quote_plus,
    lambda text: quote(text, safe=""),
    html.escape,
    lambda text: json.dumps(text)[1:-1],
    encoded,
    lambda text: text.encode().hex(),
]


@given(
    st.lists(WORDS.filter(lambda word: len(word) >= 4), min_size=1, max_size=3),
    st.sampled_from(SPELLINGS),
    st.sampled_from(SPELLINGS),
    WORDS,
    WORDS,
)
def test_no_form_is_left(
    secrets: list[str],
    inner: Callable[[str], str],
    outer: Callable[[str], str],
    before: str,
    after: str,
) -> None:
    redact = Redactor(secrets)
    for form in (
        outer(inner(secrets[0])),
        encoded(f"{before}:{secrets[0]}"),
        encoded(f"{secrets[0]}:{after}"),
    ):
        assert form not in redact(f"{before} {form} {after}")


def test_a_long_text_takes_no_time() -> None:
    """The worst that an error page may hold."""
    text = (encoded(SECRET[::-1] * 50) + "\\u0026%26&amp; ") * 50
    started = time.process_time()
    Redactor([SECRET, "another-secret"])(text[:50_000])
    assert time.process_time() - started < 5


CREDENTIAL = 'a"key/of\\mine&more'


@pytest.mark.parametrize(
    "form",
    [
        json.dumps(CREDENTIAL)[1:-1],
        json.dumps(CREDENTIAL)[1:-1].replace("/", "\\/"),
        json.dumps(CREDENTIAL)[1:-1].replace("&", "\\u0026").replace("/", "\\u002F"),
        "".join(f"\\u{ord(character):04x}" for character in CREDENTIAL),
        "".join(f"\\u{ord(character):04X}" for character in CREDENTIAL),
        # the letters that the search begins with
        json.dumps(CREDENTIAL)[1:-1].replace("mine", "m\\u0069n\\u0065"),
        json.dumps(json.dumps({"key": CREDENTIAL}))[1:-1],
        json.dumps(json.dumps(CREDENTIAL).replace("key", "\\u006bey"))[1:-1],
        json.dumps("https://api.example/?key=" + quote(CREDENTIAL, safe=""))[1:-1],
        json.dumps("https://api.example/?key=" + quote(CREDENTIAL).lower())[1:-1],
        json.dumps(html.escape(CREDENTIAL))[1:-1],
        json.dumps(html.escape(CREDENTIAL))[1:-1].replace("&", "\\u0026"),
    ],
)
def test_a_credential_in_a_row_is_noticed(form: str) -> None:
    body = f'{{"data": [{{"id": 1.10, "a": "x {form} y"}}, {{"id": 2}}]}}'.encode()
    assert Redactor([CREDENTIAL], [CREDENTIAL]).finds_credential(body)


@pytest.mark.parametrize(
    ("credential", "body"),
    [
        ("short", b'{"note": "a short one"}'),
        ("longer-than-all", b'{"note": "nothing of it"}'),
        ("top-secret-key", b'{"note": "top-secret"}'),
        ("top-secret-key", b'{"note": "top\\u002dsecret\\u002d\\u006bit"}'),
    ],
)
def test_rows_without_one(credential: str, body: bytes) -> None:
    assert not Redactor([credential], [credential]).finds_credential(body)


def test_a_secret_that_is_no_credential_may_be_in_rows() -> None:
    """The address of the user that the file names is a person's, too."""
    redact = Redactor(["me@example.org", "password"], ["password"])
    assert not redact.finds_credential(b'{"email": "me@example.org"}')


def test_what_is_learned_is_masked_from_then_on() -> None:
    redact = Redactor(["known-before"])
    assert redact("given-token") == "given-token"
    redact.learn("given-token")
    assert redact("given-token, known-before, " + encoded("given-token")) == "***, ***, ***"
    assert redact.finds_credential(b'"given-token"')
