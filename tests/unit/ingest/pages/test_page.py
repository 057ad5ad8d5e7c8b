"""Bodies are split into rows that stay bytes; what is around them stays for the paginator."""

import json
from collections.abc import Callable
from itertools import count
from typing import Any

import msgspec
import pytest
import requests

from timetracking_assets.errors import AnswerError
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.ingest.pages.page import Page, PageReader
from timetracking_assets.ingest.pages.page import split_answer as split
from timetracking_assets.ingest.pages.statements import HEADERS
from timetracking_assets.redaction import Redactor
from timetracking_assets.spec.api import Resource

MakeResource = Callable[..., Resource]
MASKING = Redactor(["top-secret-key"])


def reader(resource: Resource) -> PageReader:
    return PageReader(resource, RequestStats(), count(1))


def read(resource: Resource, answer: requests.Response) -> Page:
    one = reader(resource)
    one.read(answer, MASKING)
    return one.page_of(answer)


def envelope_of(page: Page) -> dict[str, Any]:
    assert page.envelope is not None
    return page.envelope.json()


def response(body: bytes, status: int = 200, **headers: str) -> requests.Response:
    answer = requests.Response()
    answer.status_code = status
    answer._content = body
    answer.url = "https://api.example/entries?api_key=top-secret-key&page=2"
    answer.headers.update(headers)
    answer.request = requests.PreparedRequest()
    return answer


@pytest.mark.parametrize(("opens", "closes"), [(b"[", b"]"), (b'{"a":', b"}")])
@pytest.mark.parametrize(
    ("selector", "around"),
    [
        ("$", b'[{"id": 1, "a": %s}]'),
        ("rows", b'{"meta": %s, "rows": [{"id": 1}]}'),
        ("rows.*", b'{"rows": {"x": %s}}'),
    ],
)
def test_what_nests_too_deep_to_be_read_is_refused(
    resource: MakeResource, selector: str, around: bytes, opens: bytes, closes: bytes
) -> None:
    body = around % (opens * 5000 + (b"1" if opens != b"[" else b"") + closes * 5000)
    with pytest.raises(AnswerError, match=r"page 1 .* about a thousand levels deep") as refused:
        read(resource(data_selector=selector), response(body))
    assert refused.value.__context__ is None


@pytest.mark.parametrize(
    ("selector", "body", "rows", "envelope"),
    [
        ("$", b'[{"id": 1.10}, {"id":2}]', [b'{"id": 1.10}', b'{"id":2}'], {}),
        ("$", b' {"id": 1} ', [b'{"id": 1}'], {}),
        ("$", b"[]", [], {}),
        ("data", b'{"data": [], "next": "x"}', [], {"next": "x"}),
        ("data", b'{"data": {"id": 1}, "n": {"a": [1]}}', [b'{"id": 1}'], {"n": {"a": [1]}}),
        (
            "result.items",
            b'{"meta": 1, "result": {"total": 2, "items": [{"id": 1}]}}',
            [b'{"id": 1}'],
            {"meta": 1, "result": {"total": 2}},
        ),
        ("a.b.c", b'{"a": {"b": {"c": [[1]]}}}', [b"[1]"], {"a": {"b": {}}}),
    ],
)
def test_rows_and_envelope(
    resource: MakeResource, selector: str, body: bytes, rows: list[bytes], envelope: dict[str, Any]
) -> None:
    result, around = split(body, resource(data_selector=selector), "here", MASKING)
    assert all(isinstance(row, msgspec.Raw) for row in result)
    assert [bytes(row) for row in result] == rows
    assert around == envelope


@pytest.mark.parametrize(
    ("selector", "body", "said"),
    [
        ("data", b'{"items": []}', "has nothing at `data`: there is no 'data'"),
        ("a.b", b'{"a": {"c": []}}', "has nothing at `a.b`: there is no 'b'"),
        ("data", b'{"data": null}', "has null at `data`: say `null_is_empty: true`"),
        ("data", b'{"data": 5}', "has no rows at `data`"),
        ("a.b", b'{"a": null}', "has null at `a.b`"),
        ("data", b"[]", "has no rows at `data`"),
        ("$", b'"text"', r"has no rows at `\$`"),
        (
            "data",
            b"<html>\n  <title>Sign in</title>",
            r"is not JSON: invalid character \(byte 0\). It begins with: '<html> <title>",
        ),
        ("$", b"<html>", "is not JSON"),
        ("data", b'{"data": [{"id": 1}', "is not JSON"),
        ("$", b"[1, 2", "is not JSON"),
        ("$", b"", "is not JSON: it ends in the middle. It begins with: ''"),
        ("data", b'{"data": [], "x": "\xff"}', "is not JSON"),
    ],
)
def test_anything_else_is_refused_with_its_beginning(
    resource: MakeResource, selector: str, body: bytes, said: str
) -> None:
    with pytest.raises(AnswerError, match=f"^here {said}") as refused:
        split(body, resource(data_selector=selector), "here", MASKING)
    assert "Check `data_selector`, `path` and the base URL." in str(refused.value)
    assert not refused.value.transient


@pytest.mark.parametrize("offset", [0, 100, 110, 119])
def test_a_secret_in_the_answer_is_masked_before_the_answer_is_cut(
    resource: MakeResource, offset: int
) -> None:
    body = b"x" * offset + b"top-secret-key and more" * 20
    with pytest.raises(AnswerError) as refused:
        split(body, resource(), "here", MASKING)
    assert "top" not in str(refused.value)


def test_a_response_is_a_page_and_what_a_paginator_needs(resource: MakeResource) -> None:
    one = reader(resource())
    for number, rows in enumerate(([1, 2], [1], [1, 2, 3]), 1):
        body = json.dumps({"data": [{"id": key} for key in rows], "total": 9}).encode()
        answer = response(body, **{"X-Next-Page": "3", "Link": '</next>; rel="next"'})
        one.read(answer, MASKING)
        page = one.page_of(answer)
        assert (page.number, page.url, len(page.rows)) == (
            number,
            "https://api.example/entries",
            len(rows),
        )
        headers = {"x-next-page": "3", "link": '</next>; rel="next"'}
        assert envelope_of(page) == {"total": 9, HEADERS: headers}
        assert page.envelope is not None
        assert page.envelope.links["next"]["url"] == "/next"


def test_an_empty_page_has_no_rows(resource: MakeResource) -> None:
    assert read(resource(), response(b'{"data": []}')).rows == []


def test_errors_name_the_page_and_no_query(resource: MakeResource) -> None:
    one = reader(resource())
    one.read(response(b'{"data": []}'), MASKING)
    with pytest.raises(
        AnswerError, match=r"^hours/entries: page 2 \(https://api.example/entries\) is not JSON"
    ) as refused:
        one.read(response(b"<html>"), MASKING)
    assert "top-secret-key" not in str(refused.value)


def test_answers_that_are_no_success_are_left_alone(resource: MakeResource) -> None:
    answer = response(b'{"error": "no"}', status=403)
    reader(resource()).read(answer, MASKING)
    assert answer.json() == {"error": "no"}


def test_another_success_than_200_is_refused(resource: MakeResource) -> None:
    with pytest.raises(AnswerError, match=r"page 1 .* came with HTTP 202 instead of 200"):
        read(resource(), response(b"", status=202))


def test_other_successes_are_answers_where_the_file_says_so(resource: MakeResource) -> None:
    entries = resource(success_codes=(201, 204))
    for body, status, rows in ((b'{"data": [{"id": 1}]}', 201, 1), (b"", 204, 0)):
        assert len(read(entries, response(body, status=status)).rows) == rows
    with pytest.raises(AnswerError, match=r"say `success_codes: \[202\]`"):
        read(entries, response(b'{"data": []}', status=202))


@pytest.mark.parametrize("body", [b'{"a": {"b": null}}', b'{"a": null}', b'{"a": {"b": []}}'])
def test_null_is_no_rows_where_the_file_says_so(resource: MakeResource, body: bytes) -> None:
    assert read(resource(data_selector="a.b", null_is_empty=True), response(body)).rows == []


@pytest.mark.parametrize("selector", ["data", "*", "data.*"])
def test_numbers_that_are_not_finite_are_null_and_counted(
    resource: MakeResource, selector: str
) -> None:
    body = {
        "data": b'{"data": [{"id": 1, "rate": NaN, "t": "NaN"}], "sum": -Infinity}',
        "*": b'{"a": [{"id": 1, "rate": NaN, "t": "NaN"}, {"id": 2, "rate": -Infinity}]}',
        "data.*": b'{"data": {"a": [{"id": 1, "rate": NaN, "t": "NaN"}]}, "sum": Infinity}',
    }[selector]
    one = reader(resource(data_selector=selector))
    answer = response(body)
    one.read(answer, MASKING)
    page = one.page_of(answer)
    assert json.loads(bytes(page.rows[0])) == {"id": 1, "rate": None, "t": "NaN"}
    assert one._stats.non_finite_numbers == 2
    with pytest.raises(AnswerError, match="is not JSON"):
        one.read(response(b'{"data": [{"id": 1, "rate": NaNs}]}'), MASKING)
