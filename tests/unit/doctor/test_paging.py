"""What an answer says of its pages, compared with the paginator of the file."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.builders import MakeResource
from timetracking_assets.doctor.paging import (
    judge_page_size,
    judge_pages,
    judge_second_page,
    judge_total,
)
from timetracking_assets.doctor.sample import Sample
from timetracking_assets.spec.model import TotalSpec

ROWS = [{"id": n} for n in range(10)]


def judged(
    resource: MakeResource,
    paginator: Any,
    body: dict[str, Any],
    headers: dict[str, str] | None = None,
    requested_size: int | None = None,
) -> Any:
    """The only finding: its level, its topic, its YAML."""
    endpoint = {"path": "entries", "params": {}, "paginator": paginator}
    sample = Sample(200, headers=headers or {}, requested_size=requested_size)
    [finding] = judge_pages(resource(endpoint=endpoint), sample, body, "data", body["data"])
    return finding.level, finding.topic, finding.yaml


@pytest.mark.parametrize(
    ("envelope", "paginator"),
    [
        ({"pages": 3}, "{type: page_number, base_page: 1, total_path: pages}"),
        ({"total": 30}, "{type: page_number, base_page: 1, total_path: null}"),
        ({"next_cursor": "x"}, "{type: cursor, cursor_path: next_cursor, cursor_param: cursor}"),
        ({"next": "/2"}, "{type: json_link, next_url_path: next}"),
        (
            {"has_more": True},
            "{type: page_number, base_page: 1, total_path: null, has_more_path: has_more}",
        ),
    ],
)
def test_a_single_page_that_is_not_alone(
    resource: MakeResource, envelope: dict[str, Any], paginator: str
) -> None:
    verdict = judged(resource, "single_page", {"data": ROWS, **envelope})
    assert verdict == ("error", "pages", f"endpoint:\n  paginator: {paginator}")


def test_a_link_in_a_header_has_a_paginator_of_its_own(resource: MakeResource) -> None:
    headers = {"link": '</entries?page=2>; rel="next"'}
    level, _, yaml = judged(resource, {"type": "single_page"}, {"data": ROWS}, headers)
    assert (level, yaml) == ("error", "endpoint:\n  paginator: header_link")


@pytest.mark.parametrize("envelope", [{}, {"pages": 1}, {"total": 10}, {"has_more": False}])
def test_a_single_page_that_is_alone(resource: MakeResource, envelope: dict[str, Any]) -> None:
    endpoint = {"path": "entries", "params": {}, "paginator": "single_page"}
    body = {"data": ROWS, **envelope}
    assert list(judge_pages(resource(endpoint=endpoint), Sample(200), body, "data", ROWS)) == []


@pytest.mark.parametrize(
    ("paginator", "envelope", "level", "yaml"),
    [
        # what is looked for is elsewhere, or nowhere
        (
            {"type": "page_number", "total_path": "pages"},
            {"meta": {"total_pages": 2}},
            "error",
            "endpoint: {paginator: {total_path: meta.total_pages}}",
        ),
        (
            {"type": "page_number", "total_path": "pages"},
            {},
            "error",
            "endpoint: {paginator: {total_path: null}}\n# page_size: ...   # rows of a full page",
        ),
        (
            {"type": "cursor", "cursor_path": "next"},
            {},
            "advice",
            "endpoint: {paginator: {cursor_path: null}}",
        ),
        # a count that the file does not use
        (
            {"type": "offset", "limit": 10, "total_path": None},
            {"total": 30},
            "advice",
            "endpoint: {paginator: {total_path: total}}",
        ),
        (
            {"type": "page_number", "total_path": None},
            {"has_more": True},
            "advice",
            "endpoint: {paginator: {has_more_path: has_more}}",
        ),
        ({"type": "page_number", "total_path": "pages"}, {"pages": 2}, "ok", None),
        ({"type": "page_number", "total_path": "headers.x-pages"}, {}, "ok", None),
    ],
)
def test_the_count_that_a_paginator_looks_for(
    resource: MakeResource, paginator: Any, envelope: dict[str, Any], level: str, yaml: str | None
) -> None:
    headers = {"x-pages": "2"} if "headers" in str(paginator) else {}
    verdict = judged(resource, paginator, {"data": ROWS, **envelope}, headers)
    assert verdict == (level, "pages", yaml)


def test_more_rows_than_requested_mean_that_the_parameter_has_another_name(
    resource: MakeResource,
) -> None:
    paginator = {"type": "page_number", "total_path": None}
    endpoint = {"path": "entries", "params": {}, "paginator": paginator}
    given = resource(endpoint=endpoint, page_size=100)
    size, pages = judge_pages(given, Sample(200, requested_size=5), {"data": ROWS}, "data", ROWS)
    assert (size.level, size.topic) == ("error", "page size")
    assert (size.yaml or "").startswith("page_size: 10")
    assert pages.level == "ok"


@pytest.mark.parametrize(
    ("first", "second", "page_size", "requested", "repeated", "level", "yaml"),
    [
        (ROWS, ROWS[:3], None, 10, "refuse", None, None),
        ([], [], None, 10, "refuse", None, None),
        (ROWS, ROWS, None, 10, "stop", None, None),
        (ROWS, ROWS, None, 10, "refuse", "error", "# endpoint: {paginator: {page_param: ...}}"),
        # a short page again: the API repeats its last one; where short means last, no harm
        (ROWS[:3], ROWS[:3], None, 10, "refuse", "error", "repeated_page: stop"),
        (ROWS[:3], ROWS[:3], 100, 10, "refuse", "advice", "repeated_page: stop"),
    ],
)
def test_a_second_page_that_is_the_first_again(
    resource: MakeResource, first: Any, second: Any, page_size: int | None, requested: int,
    repeated: str, level: str | None, yaml: str | None,
) -> None:  # fmt: skip
    given = resource(page_size=page_size, repeated_page=repeated)
    findings = list(judge_second_page(given, Sample(200, requested_size=requested), first, second))
    assert [finding.level for finding in findings] == ([level] if level else [])
    assert all((finding.yaml or "").startswith(yaml or "") for finding in findings)


@pytest.mark.parametrize(
    ("paginator", "body", "words"),
    [
        ({"type": "json_link", "next_url_path": "next"}, {"next": 2}, "but the number 2"),
        ({"type": "json_link", "next_url_path": "next"}, {"next": {"href": "/2"}}, "next.href"),
        ({"type": "cursor", "cursor_path": "next"}, {"next": ["a"]}, "but a list of 1"),
    ],
)
def test_what_is_no_link_is_an_error(
    resource: MakeResource, paginator: Any, body: dict[str, Any], words: str
) -> None:
    endpoint = {"path": "entries", "params": {}, "paginator": paginator}
    [finding] = judge_pages(resource(endpoint=endpoint), Sample(200), body, "data", ROWS)
    assert finding.level == "error"
    assert words in finding.message


def test_pages_shorter_than_requested_are_seen(resource: MakeResource) -> None:
    [finding] = judge_second_page(
        resource(page_size=10), Sample(200, requested_size=10), ROWS[:5], ROWS[5:]
    )
    assert (finding.level, finding.topic) == ("advice", "page size")
    assert "10 rows were requested, 5 came, and more follow" in finding.message


@pytest.mark.parametrize(
    ("rows", "envelope", "words"),
    [
        # 100 and 20 rows: what is stated tells whether the second page is the last
        (20, {"total": 120}, None),
        (20, {"total": 900}, "and more follow"),
        (20, {"pages": 2}, None),
        (20, {"pages": 45}, "and more follow"),
        (20, {}, "either the second page is the last"),
        (23, {}, None),
        (100, {}, None),
        (0, {}, None),
    ],
)
def test_a_second_page_shorter_than_requested(
    resource: MakeResource, rows: int, envelope: dict[str, Any], words: str | None
) -> None:
    body = {"data": [{"id": n} for n in range(rows)], **envelope}
    sample = Sample(200, requested_size=100)
    findings = list(judge_page_size(resource(page_size=100), sample, body, "data", body["data"]))
    assert [words in f.message for f in findings if words] == ([True] if words else [])
    assert bool(findings) is bool(words)


@pytest.mark.parametrize(
    ("total", "body", "level"),
    [
        (None, {}, None),
        ({"path": "total"}, {"total": 12}, None),
        ({"path": "total"}, {"total": None}, "advice"),
        ({"path": "total"}, {}, "advice"),
        ({"path": "total"}, {"total": {}}, "error"),
        ({"header": "X-Total"}, {}, None),
        ({"header": "X-Sum"}, {}, "advice"),
    ],
)
def test_the_total_that_loads_compare(
    resource: MakeResource, total: Any, body: dict[str, Any], level: str | None
) -> None:
    spec = TotalSpec.model_validate(total) if total else None
    sample = Sample(200, headers={"x-total": "12"})
    findings = list(judge_total(resource(total=spec), sample, body))
    assert [finding.level for finding in findings] == ([level] if level else [])


@pytest.mark.parametrize(
    ("value", "level"), [(None, "advice"), ("", "advice"), ("many", "error"), ([], "error")]
)
def test_a_total_of_pages_that_is_no_number(resource: MakeResource, value: Any, level: str) -> None:
    paginator = {"type": "page_number", "total_path": "pages"}
    verdict = judged(resource, paginator, {"data": ROWS, "pages": value})
    assert verdict == (level, "pages", "endpoint: {paginator: {total_path: null}}")
