"""Whatever encoding JSON servers produce: lossless where the bytes allow it, counted where not."""

from __future__ import annotations

import json

import pytest
import requests

from timetracking_assets.ingest.http.json_text import Text, mended, utf8

VALUE = {"data": [{"id": 1, "t": "Müller „x“ €"}]}
TEXT = json.dumps(VALUE, ensure_ascii=False)
LATIN = '{"data": [{"id": 1, "t": "Müller"}]}'


def response(body: bytes, content_type: str = "application/json") -> requests.Response:
    answer = requests.Response()
    answer._content = body
    answer.headers["Content-Type"] = content_type
    return answer


@pytest.mark.parametrize(
    "encoding",
    [
        *("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"),
        "utf-32-be",
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
def test_unicode_needs_no_charset(encoding: str, content_type: str) -> None:
    assert utf8(response(TEXT.encode(encoding), content_type)) == Text(TEXT.encode())


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("iso-8859-1", LATIN),
        ('"ISO-8859-1"', LATIN),
        ("latin1", LATIN),
        ("windows-1252", TEXT),
        ("windows-1251", '{"t": "Привет"}'),
        ("koi8-r", '{"t": "Привет"}'),
        ("iso-8859-2", '{"t": "Zażółć"}'),
        ("shift_jis", '{"t": "表示"}'),
        ("euc-jp", '{"t": "表示"}'),
        ("iso-2022-jp", '{"t": "表示"}'),
        ("gb18030", '{"t": "联通"}'),
        ("gbk", '{"t": "联通"}'),
        ("big5", '{"t": "時間"}'),
        ("utf-16", TEXT),
    ],
)
def test_a_stated_charset(charset: str, text: str) -> None:
    body = text.encode(charset.strip('"'))
    assert utf8(response(body, f"application/json; charset={charset}")) == Text(text.encode())


def test_windows_text_under_the_name_of_iso_8859_1() -> None:
    body = TEXT.encode("cp1252")
    assert utf8(response(body, "application/json; charset=iso-8859-1")) == Text(TEXT.encode())


@pytest.mark.parametrize(
    "charset", ["iso-8859-1", "us-ascii", "windows-1252", "nonsense", "zip", ""]
)
def test_utf_8_under_another_name(charset: str) -> None:
    answer = response(TEXT.encode(), f"application/json; charset={charset}")
    assert utf8(answer) == Text(TEXT.encode())


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", ""]
)
def test_western_text_without_a_charset_is_assumed(content_type: str) -> None:
    answer = response(TEXT.encode("cp1252"), content_type)
    assert utf8(answer) == Text(TEXT.encode(), 0, "windows-1252")


def test_a_cut_character_among_others_is_replaced_and_counted() -> None:
    body = '{"t": "Mü", "u": "'.encode() + b'\xc3", "v": "\xf0\x9f\x98"}' + "\ufffd".encode()
    text = utf8(response(body))
    assert text == Text('{"t": "Mü", "u": "\ufffd", "v": "\ufffd"}\ufffd'.encode(), 2)


def test_surrogates_in_utf_8_are_joined() -> None:
    body = '{"t": "ü \ud83d\ude00"}'.encode(errors="surrogatepass")
    assert utf8(response(body)) == Text('{"t": "ü 😀"}'.encode())
    half = '{"t": "ü \ud83d"}'.encode(errors="surrogatepass")
    assert utf8(response(half)) == Text('{"t": "ü \ufffd"}'.encode(), 1)


@pytest.mark.parametrize(
    ("body", "value", "replaced"),
    [
        (rb'["cut \ud83d"]', "cut \ufffd", 1),
        (rb'["cut \ude00 x"]', "cut \ufffd x", 1),
        (rb'["\ud83d\ud83d\ude00"]', "\ufffd😀", 1),
        (rb'["\ud83d\u0041"]', "\ufffdA", 1),
        (rb'["\ud83d\ude00"]', "😀", 0),
        (rb'["\\ud83d"]', "\\ud83d", 0),
        (rb'["\\\ud83d"]', "\\\ufffd", 1),
        (rb'["\x41\x42"]', "AB", 0),
        (rb'["\\x41"]', "\\x41", 0),
        (rb'["it\'s"]', "it's", 0),
        (b'["a\tb\nc\x00d"]', "a\tb\nc\0d", 0),
        (b'[\n\t"a\\"\tb"\n]', 'a"\tb', 0),
        (rb'["\u00e4\/\n\\"]', "ä/\n\\", 0),
    ],
)
def test_slips_with_one_meaning_are_mended(body: bytes, value: str, replaced: int) -> None:
    text = mended(Text(body))
    assert json.loads(text.body) == [value]
    assert text.replaced == replaced


@pytest.mark.parametrize(
    ("body", "value", "non_finite"),
    [
        (b"[NaN,Infinity , -Infinity\n]", [None, None, None], 3),
        (b'[{"a": nan, "b": [1, -inf]}]', [{"a": None, "b": [1, None]}], 2),
        (b'[NaN, "NaN, Infinity]", "a\\", NaN, "]', [None, "NaN, Infinity]", 'a", NaN, '], 1),
        (b'{"NaN": NaN, "x\ty": -Infinity}', {"NaN": None, "x\ty": None}, 2),
    ],
)
def test_numbers_that_are_not_finite_are_null(body: bytes, value: object, non_finite: int) -> None:
    text = mended(Text(body))
    assert json.loads(text.body) == value
    assert text.non_finite == non_finite


@pytest.mark.parametrize(
    "body", [b"[1NaN]", b"[NaNs]", b"[1 NaN x]", b"NaN", b"[--inf]", b"[1.inf]"]
)
def test_what_is_no_number_either_is_left_alone(body: bytes) -> None:
    assert mended(Text(body)) == Text(body)
