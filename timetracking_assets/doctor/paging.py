"""The paginator, compared with what an answer states about its pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import requests

from timetracking_assets.doctor.findings import Finding, Level
from timetracking_assets.doctor.sample import Sample
from timetracking_assets.doctor.shapes import MISSING, Row, at, counters
from timetracking_assets.errors import AnswerError
from timetracking_assets.ingest.pages.list_end import ReferenceEnd
from timetracking_assets.ingest.pages.page import Envelope, Page
from timetracking_assets.ingest.pages.statements import HEADERS, at_path, number, total_of
from timetracking_assets.spec.api import Resource


def judge_pages(
    resource: Resource, sample: Sample, body: Any, rows_at: str, rows: Sequence[Row]
) -> Iterator[Finding]:
    """Whether the answer holds what the paginator reads, and whether the page size is followed."""
    paginator = resource.endpoint["paginator"]
    settings = paginator if isinstance(paginator, dict) else {"type": paginator}
    counts = counters(body, rows_at, sample.headers)
    stated = ", ".join(f"{kind} at `{path}` ({value})" for kind, (path, value) in counts.items())
    yield from _page_size(resource, sample, rows)
    if settings["type"] == "single_page":
        if _has_more(counts, len(rows)):
            yaml = "endpoint:\n  paginator: " + _paginator(counts)
            yield Finding("error", "pages", f"`single_page`, but there are more: {stated}", yaml)
        return
    if problem := _reference_problem(settings, body, sample):
        yield Finding("error", "pages", problem)
        return
    for key in ("total_path", "has_more_path", "cursor_path", "next_url_path"):
        path = settings.get(key)
        if not isinstance(path, str) or _holds(path, body, sample):
            continue
        expected = "total rows" if settings["type"] == "offset" else "total pages"
        counter = counts.get(expected) if key == "total_path" else counts.get("has more")
        level: Level = "error" if key in ("total_path", "has_more_path") else "advice"
        yaml = f"endpoint: {{paginator: {{{key}: {counter[0] if counter else 'null'}}}}}"
        if not counter and level == "error":
            yaml += "\n# page_size: ...   # rows of a full page"
        message = f"nothing at `{path}`" + (f"; {stated}" if stated else "; no count is stated")
        yield Finding(level, "pages", message, yaml)
        return
    if isinstance(path := settings.get("total_path"), str):
        yaml = "endpoint: {paginator: {total_path: null}}"
        envelope = _envelope(body, sample)
        try:
            total = number(at_path(envelope, path), "the answer", f"`{path}`", "total_path")
        except AnswerError as error:
            yield Finding("error", "pages", str(error), yaml)
            return
        if total is None:
            message = f"`{path}` states no number: the list ends with an empty page"
            yield Finding("advice", "pages", message, yaml)
            return
    kinds = {"page_number": "total pages", "offset": "total rows"}
    better = counts.get(kinds.get(settings["type"], ""))
    if better and settings.get("total_path") is None:
        yaml = f"endpoint: {{paginator: {{total_path: {better[0]}}}}}"
        yield Finding("advice", "pages", f"counted at `{better[0]}` ({better[1]})", yaml)
    elif "has more" in counts and not settings.get("has_more_path"):
        path = counts["has more"][0]
        yaml = f"endpoint: {{paginator: {{has_more_path: {path}}}}}"
        yield Finding("advice", "pages", f"stated at `{path}`", yaml)
    else:
        yield Finding("ok", "pages", stated or f"{settings['type']}, up to an empty or short page")


def _reference_problem(settings: dict[str, Any], body: Any, sample: Sample) -> str | None:
    """Why the value in the place of a link or a cursor can't be one; None if it can."""
    if settings["type"] not in ("json_link", "cursor") or not isinstance(body, Mapping):
        return None
    answer = requests.Response()
    answer.headers.update(sample.headers)
    page = Page(1, "", [], envelope=Envelope(answer, dict(body)))
    try:
        ReferenceEnd(settings).goes_on(page, "the answer")
    except AnswerError as error:
        return str(error)
    return None


def judge_second_page(
    resource: Resource, sample: Sample, first: Sequence[Row], second: Sequence[Row]
) -> Iterator[Finding]:
    """Whether the second page is another than the first, and the first as long as requested."""
    cut = sample.requested_size is not None and 0 < len(first) < sample.requested_size
    if cut and second and list(first) != list(second):
        yield _fewer_than_requested(sample.requested_size, len(first))
    # the second page may be a longer one
    again = list(second) == list(first) or (
        sample.requested_size == len(first) and list(second[: len(first)]) == list(first)
    )
    if not first or not again or resource.repeated_page == "stop":
        return
    if sample.requested_size and len(first) < sample.requested_size:
        message = "a page beyond the last holds the last one's rows again"
        # where a short page is the last, the one beyond is never requested
        harm: Level = "error" if resource.page_size is None else "advice"
        yield Finding(harm, "pages", message, "repeated_page: stop")
        return
    message = (
        "the second page holds the first one's rows: the API takes the page by another parameter, "
        "has no pages, or repeats its only one"
    )
    offset = "offset" in str(resource.endpoint["paginator"])
    param = "offset_param" if offset else "page_param"
    yaml = f"# endpoint: {{paginator: {{{param}: ...}}}}, or: repeated_page: stop"
    yield Finding("error", "pages", message, yaml)


def judge_page_size(
    resource: Resource, sample: Sample, body: Any, rows_at: str, rows: Sequence[Row]
) -> Iterator[Finding]:
    """Whether a second page, as long as loads request it, is cut off by the API.

    Where the API states a total, that tells whether such a page is the last; else a round number of
    rows is a hint.
    """
    size = sample.requested_size
    if size is None or not 0 < len(rows) < size:
        return
    counts = counters(body, rows_at, sample.headers)
    total, pages = (_count(counts.get(kind)) for kind in ("total rows", "total pages"))
    if total is not None:
        certain, more = True, total != size + len(rows)
    elif pages is not None:
        certain, more = True, pages > 2
    else:
        certain, more = False, len(rows) % 10 == 0
    if more and certain:
        yield _fewer_than_requested(size, len(rows))
    elif more:
        message = (
            f"{size} rows were requested, {len(rows)} came: either the second page is the last, or "
            "the API gives fewer in a page than requested. No row is left out by that"
        )
        yaml = f"# page_size: {len(rows)}   # if the API's documentation says so"
        yield Finding("advice", "page size", message, yaml)


def _fewer_than_requested(requested: int | None, received: int) -> Finding:
    message = (
        f"{requested} rows were requested, {received} came, and more follow: the API gives fewer "
        "in a page than requested. No row is left out by that, but a total of pages may be wrong"
    )
    return Finding("advice", "page size", message, "# name a `total` if the API states one")


def judge_total(resource: Resource, sample: Sample, body: Any) -> Iterator[Finding]:
    """Whether the answer states the total with which loads compare their rows."""
    spec = resource.total
    if spec is None:
        return
    place = f"header {spec.header}" if spec.header else f"`{spec.path}`"
    try:
        total = total_of(spec, _envelope(body, sample), "the answer")
    except AnswerError as error:
        yield Finding("error", "total", str(error), "total: null")
        return
    if total is None:
        message = f"no total at {place}: `rows_reconciled` has nothing to compare with"
        yield Finding("advice", "total", message, "total: null   # or where the API states it")


def _page_size(resource: Resource, sample: Sample, rows: Sequence[Row]) -> Iterator[Finding]:
    if sample.requested_size and len(rows) > sample.requested_size:
        yield Finding(
            "error",
            "page size",
            f"{sample.requested_size} rows were requested, {len(rows)} came: the parameter has "
            f"another name. A page shorter than `page_size: {resource.page_size}` ends the list",
            f"page_size: {len(rows)}   # or give the parameter its right name in `params`",
        )


def _holds(path: str, body: Any, sample: Sample) -> bool:
    if path.startswith("headers."):
        return path.removeprefix("headers.") in sample.headers
    return at(body, path) is not MISSING


def _envelope(body: Any, sample: Sample) -> dict[str, Any]:
    return {**(body if isinstance(body, Mapping) else {}), HEADERS: sample.headers}


def _count(counter: tuple[str, Any] | None) -> int | None:
    text = str(counter[1]) if counter else ""
    return int(text) if text.isascii() and text.isdecimal() else None


def _has_more(counts: dict[str, tuple[str, Any]], rows: int) -> bool:
    pages, total = counts.get("total pages"), counts.get("total rows")
    return bool(
        (pages and str(pages[1]).isdecimal() and int(pages[1]) > 1)
        or (total and str(total[1]).isdecimal() and int(total[1]) > rows)
        or ("has more" in counts and str(counts["has more"][1]).lower() == "true")
        or ("next link" in counts and counts["next link"][1])
        or ("next cursor" in counts and counts["next cursor"][1])
    )


def _paginator(counts: dict[str, tuple[str, Any]]) -> str:
    if counts.get("next link", ("",))[0] == "headers.link":
        return "header_link"
    for kind, text in (
        ("total pages", "{{type: page_number, base_page: 1, total_path: {0}}}"),
        ("next cursor", "{{type: cursor, cursor_path: {0}, cursor_param: cursor}}"),
        ("next link", "{{type: json_link, next_url_path: {0}}}"),
        ("has more", "{{type: page_number, base_page: 1, total_path: null, has_more_path: {0}}}"),
    ):
        if kind in counts:
            return text.format(counts[kind][0])
    return "{type: page_number, base_page: 1, total_path: null}"
