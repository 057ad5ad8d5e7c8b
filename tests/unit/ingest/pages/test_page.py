"""Bodies are split into rows that stay bytes; what is around them stays for the paginator."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import requests

from timetracking_assets.errors import AnswerError
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.ingest.pages.page import Page, page_splitter
from timetracking_assets.ingest.pages.page import split_answer as split
from timetracking_assets.ingest.pages.rest_api import HAS_MORE, HEADERS, ROWS
from timetracking_assets.redaction import Redactor
from timetracking_assets.spec.api import Resource

MakeResource = Callable[..., Resource]
MASKING = Redactor(["top-secret-key"])


def response(body: bytes, status: int = 200, **headers: str) -> requests.Response:
    answer = requests.Response()
    answer.status_code = status
    answer._content = body
    answer.url = "https://api.example/entries?api_key=top-secret-key&page=2"
    answer.headers.update(headers)
    answer.request = requests.PreparedRequest()
    return answer


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
    answer = split(body, resource(data_selector=selector), "here", MASKING)
    found = answer.pop(ROWS)
    assert all(isinstance(row, msgspec.Raw) for row in found)
    assert [bytes(row) for row in found] == rows
    assert answer == envelope


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
            "is not JSON. It begins with: '<html> <title>",
        ),
        ("$", b"<html>", "is not JSON"),
        ("data", b'{"data": [{"id": 1}', "is not JSON"),
        ("$", b"[1, 2", "is not JSON"),
        ("$", b"", "is not JSON. It begins with: ''"),
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


def test_a_response_gives_one_page_and_what_a_paginator_needs(resource: MakeResource) -> None:
    splitter = page_splitter(resource(page_size=2), RequestStats())
    for number, (rows, more) in enumerate((([1, 2], True), ([1], False), ([1, 2, 3], True)), 1):
        body = json.dumps({"data": [{"id": key} for key in rows], "total": 9}).encode()
        answer = response(body, **{"X-Next-Page": "3"})
        splitter(answer, MASKING)
        split_body = answer.json()
        [page] = split_body[ROWS]
        assert (page.number, page.url, len(page.rows)) == (
            number,
            "https://api.example/entries",
            len(rows),
        )
        assert split_body["total"] == 9
        assert split_body[HAS_MORE] is more
        assert split_body[HEADERS] == {"x-next-page": "3"}


def test_an_empty_page_is_an_empty_list(resource: MakeResource) -> None:
    answer = response(b'{"data": []}')
    page_splitter(resource(page_size=2), RequestStats())(answer, MASKING)
    assert answer.json()[ROWS] == []
    assert answer.json()[HAS_MORE] is False


def test_without_a_page_size_there_may_always_be_more(resource: MakeResource) -> None:
    answer = response(b'{"data": [{"id": 1}]}')
    page_splitter(resource(), RequestStats())(answer, MASKING)
    assert answer.json()[HAS_MORE] is True


def test_errors_name_the_page_and_no_query(resource: MakeResource) -> None:
    splitter = page_splitter(resource(), RequestStats())
    splitter(response(b'{"data": []}'), MASKING)
    with pytest.raises(
        AnswerError, match=r"^hours/entries: page 2 \(https://api.example/entries\) is not JSON"
    ) as refused:
        splitter(response(b"<html>"), MASKING)
    assert "top-secret-key" not in str(refused.value)


def test_answers_that_are_no_success_are_left_alone(resource: MakeResource) -> None:
    answer = response(b'{"error": "no"}', status=403)
    page_splitter(resource(), RequestStats())(answer, MASKING)
    assert answer.json() == {"error": "no"}


def test_a_page_takes_the_parents_values_like_a_row() -> None:
    page = Page(1, "u", [])
    page.update({"_people_id": 1})
    page.update({"_people_id": 2, "_people_name": "x"})
    assert page.from_parent == {"_people_id": 2, "_people_name": "x"}


def test_another_success_than_200_is_refused(resource: MakeResource) -> None:
    with pytest.raises(AnswerError, match=r"page 1 .* came with HTTP 204 instead of 200"):
        page_splitter(resource(), RequestStats())(response(b"", status=204), MASKING)


def test_other_successes_are_answers_where_the_file_says_so(resource: MakeResource) -> None:
    accept = page_splitter(resource(success_codes=(201, 204)), RequestStats())
    for body, status, pages in ((b'{"data": [{"id": 1}]}', 201, 1), (b"", 204, 0)):
        answer = response(body, status=status)
        accept(answer, MASKING)
        assert len(answer.json()[ROWS]) == pages
    with pytest.raises(AnswerError, match=r"say `success_codes: \[202\]`"):
        accept(response(b'{"data": []}', status=202), MASKING)


@pytest.mark.parametrize("body", [b'{"a": {"b": null}}', b'{"a": null}', b'{"a": {"b": []}}'])
def test_null_is_no_rows_where_the_file_says_so(resource: MakeResource, body: bytes) -> None:
    answer = response(body)
    accept = page_splitter(resource(data_selector="a.b", null_is_empty=True), RequestStats())
    accept(answer, MASKING)
    assert answer.json()[ROWS] == []
