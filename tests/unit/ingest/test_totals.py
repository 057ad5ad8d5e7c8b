"""Totals that an API states, in an envelope or a header."""

import pytest

from timetracking_assets.ingest.errors import AnswerError
from timetracking_assets.ingest.spec import TotalSpec
from timetracking_assets.ingest.totals import StatedTotals

IN_BODY, IN_HEADER = TotalSpec(path="meta.total"), TotalSpec(header="X-Total")


def test_lists_are_summed_and_the_last_page_of_each_counts() -> None:
    totals = StatedTotals(IN_BODY)
    for series, total in [("a", 3), ("a", 4), ("b", "5"), ("c", 0)]:
        totals.note(series, {"meta": {"total": total}}, {}, "page 1")
    assert totals.rows == 9


def test_a_header_goes_by_any_case() -> None:
    totals = StatedTotals(IN_HEADER)
    totals.note("a", {}, {"x-total": " 7 "}, "page 1")
    assert totals.rows == 7


@pytest.mark.parametrize("envelope", [{}, {"meta": None}, {"meta": {"total": None}}])
def test_without_a_total_of_every_list_none_is_known(envelope: dict[str, object]) -> None:
    totals = StatedTotals(IN_BODY)
    totals.note("a", {"meta": {"total": 3}}, {}, "page 1")
    totals.note("b", envelope, {}, "page 2")
    assert totals.rows is None


def test_nothing_asked_for_nothing_known() -> None:
    totals = StatedTotals(None)
    totals.note("a", {"meta": {"total": 3}}, {}, "page 1")
    assert totals.rows is None
    assert StatedTotals(IN_BODY).rows is None


@pytest.mark.parametrize("total", ["many", -1, True, 2.5, [3]])
def test_what_is_no_number_is_refused(total: object) -> None:
    with pytest.raises(AnswerError, match=r"page 1 has no number at `meta\.total`"):
        StatedTotals(IN_BODY).note("a", {"meta": {"total": total}}, {}, "page 1")
