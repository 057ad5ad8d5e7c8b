"""What an API states of its lists is read wherever it stands, and compared with what came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from timetracking_assets.errors import AnswerError
from timetracking_assets.ingest.pages.list_end import ListProgress, PageSizes, RangeEnd
from timetracking_assets.ingest.pages.page import Envelope
from timetracking_assets.ingest.pages.statements import HEADERS
from timetracking_assets.ingest.pages.totals import ListRead, StatedTotals
from timetracking_assets.spec.api import Resource
from timetracking_assets.spec.model import TotalSpec

MakeResource = Callable[..., Resource]
IN_BODY, IN_HEADER = TotalSpec(path="meta.total"), TotalSpec(header="X-Total")


def envelope(body: dict[str, Any]) -> Envelope:
    return Envelope(requests.Response(), {HEADERS: {}, **body})


def listed(
    last: dict[str, Any],
    *,
    first: dict[str, Any] | None = None,
    pages: tuple[int, ...] = (3,),
    end: RangeEnd | None = None,
) -> ListRead:
    progress = ListProgress()
    for rows in pages:
        progress.received(rows, None)
    return ListRead(
        envelope(last if first is None else first), envelope(last), "page 1", progress, end
    )


def of(total: object) -> dict[str, Any]:
    return {"meta": {"total": total}}


def test_lists_are_summed(resource: MakeResource) -> None:
    totals = StatedTotals(resource(total=IN_BODY))
    for total in [4, "5", 0]:
        totals.note(listed(of(total)))
    assert totals.rows == 9


def test_a_header_goes_by_any_case(resource: MakeResource) -> None:
    totals = StatedTotals(resource(total=IN_HEADER))
    totals.note(listed({HEADERS: {"x-total": " 7 "}}))
    assert totals.rows == 7


@pytest.mark.parametrize(
    ("text", "rows"), [("items 0-24/319", 319), ("items 0-24/*", None), ("7.0", 7), ("-1", None)]
)
def test_a_total_in_other_words(resource: MakeResource, text: str, rows: int | None) -> None:
    totals = StatedTotals(resource(total=TotalSpec(header="Content-Range")))
    totals.note(listed({HEADERS: {"content-range": text}}))
    assert totals.rows == rows


@pytest.mark.parametrize("body", [{}, {"meta": None}, of(None), of(-1), of(""), of("null")])
def test_without_a_total_of_every_list_none_is_known(
    resource: MakeResource, body: dict[str, Any]
) -> None:
    totals = StatedTotals(resource(total=IN_BODY))
    totals.note(listed(of(3)))
    totals.note(listed(body))
    assert totals.rows is None


def test_nothing_requested_nothing_known(resource: MakeResource) -> None:
    totals = StatedTotals(resource())
    totals.note(listed(of(3)))
    assert totals.rows is None
    assert StatedTotals(resource(total=IN_BODY)).rows is None


@pytest.mark.parametrize(
    ("total", "words"),
    [
        ("many", "the text 'many'"),
        (True, "true"),
        (2.5, "the number 2.5"),
        ([3], "a list of 1"),
        ({"value": 3}, "an object with `value`"),
    ],
)
def test_what_is_no_number_is_refused(resource: MakeResource, total: object, words: str) -> None:
    with pytest.raises(AnswerError, match=r"page 1 has no number at `meta\.total`") as refused:
        StatedTotals(resource(total=IN_BODY)).note(listed(of(total)))
    assert str(refused.value).endswith(f"but {words}")


@pytest.mark.parametrize(
    ("unit", "total", "pages", "right"),
    [
        ("pages", 2, (10, 5), True),
        ("pages", 2, (10, 5, 0), True),
        ("pages", 1, (0,), True),
        ("pages", 0, (0,), True),
        ("pages", 3, (10, 5), False),
        ("pages", 15, (10, 5), True),
        ("remaining", 0, (10, 5), True),
        ("remaining", 4, (10, 5), False),
    ],
)
def test_totals_are_compared_in_their_unit(
    resource: MakeResource, unit: Any, total: int, pages: tuple[int, ...], right: bool
) -> None:
    totals = StatedTotals(resource(total=TotalSpec(path="meta.total", unit=unit)))
    totals.note(listed(of(total), pages=pages))
    assert totals.rows is None
    assert totals.differences == [] if right else f"states {total} " in totals.differences[0]


def test_what_a_paginator_looks_at_is_compared_too(resource: MakeResource) -> None:
    paginator = {"type": "offset", "limit": 10, "total_path": "meta.total"}
    entries = resource(endpoint={"path": "x", "paginator": paginator})
    end = RangeEnd(paginator, entries, ListProgress(), PageSizes())
    alone = StatedTotals(entries)
    alone.note(listed(of(9), pages=(3,), end=end))
    # of one list its distinct rows are compared: see the check
    assert alone.rows == 9
    several = StatedTotals(entries)
    for stated in (3, 9, 9, 9, 9, 9):
        several.note(listed(of(stated), pages=(3,), end=end))
    assert several.rows is None
    assert several.differences[0] == "page 1: the API states 9 rows; its pages held 3."
    assert several.differences[-1] == "So it is in 2 more lists."


def test_a_part_of_a_list_says_nothing_of_the_whole(resource: MakeResource) -> None:
    paginator = {"type": "offset", "limit": 10, "total_path": "meta.total", "maximum_offset": 20}
    entries = resource(endpoint={"path": "x", "paginator": paginator})
    totals = StatedTotals(entries)
    end = RangeEnd(paginator, entries, ListProgress(), PageSizes())
    totals.note(listed(of(90), pages=(10, 10), end=end))
    assert (totals.rows, totals.differences) == (None, [])


def test_a_total_that_changes_while_a_list_is_read_is_noticed(resource: MakeResource) -> None:
    totals = StatedTotals(resource(total=IN_BODY))
    assert totals.stability == "one page"
    totals.note(listed(of(24), first=of(24), pages=(10, 10, 4)))
    assert totals.stability == "stated"
    # more rows hide none
    totals.note(listed(of(25), first=of(24), pages=(10, 10, 5)))
    assert totals.stability == "changed"
    assert totals.changed == "page 1: the API stated 24 rows on the first page and 25 on the last"


@pytest.mark.parametrize("unit", ["rows", "pages"])
def test_a_list_that_lost_rows_while_it_was_read_removes_none(
    resource: MakeResource, unit: Any
) -> None:
    """A living row moved to a page already read: only the total shows it."""
    spec = TotalSpec(path="meta.total", unit=unit)
    before, after, pages = (25, 24, (10, 10, 3)) if unit == "rows" else (3, 2, (10, 10))
    with pytest.raises(AnswerError, match=f"{before} {unit} on the first page and {after}") as no:
        StatedTotals(resource(total=spec)).note(listed(of(after), first=of(before), pages=pages))
    assert no.value.transient
    silent = StatedTotals(resource(total=spec, sync_mode="changes"))
    silent.note(listed(of(after), first=of(before), pages=pages))
    assert silent.stability == "changed"


def test_a_count_of_each_page_is_no_list_that_shrinks(resource: MakeResource) -> None:
    totals = StatedTotals(resource(total=IN_BODY))
    totals.note(listed(of(5), first=of(10), pages=(10, 10, 5)))
    assert totals.rows == 5


def test_without_a_total_a_shift_would_not_be_noticed(resource: MakeResource) -> None:
    totals = StatedTotals(resource())
    totals.note(listed({}, pages=(10,)))
    assert totals.stability == "one page"
    totals.note(listed({}, pages=(10, 3)))
    assert totals.stability == "unknown"
