"""Totals are read wherever an API states them."""

import pytest

from timetracking_assets.errors import AnswerError
from timetracking_assets.ingest.pages.totals import HEADERS, StatedTotals
from timetracking_assets.spec.model import TotalSpec

IN_BODY, IN_HEADER = TotalSpec(path="meta.total"), TotalSpec(header="X-Total")


def test_lists_are_summed() -> None:
    totals = StatedTotals(IN_BODY)
    for total in [4, "5", 0]:
        totals.note({"meta": {"total": total}}, "page 1")
    assert totals.rows == 9


def test_a_header_goes_by_any_case() -> None:
    totals = StatedTotals(IN_HEADER)
    totals.note({HEADERS: {"x-total": " 7 "}}, "page 1")
    assert totals.rows == 7


@pytest.mark.parametrize("envelope", [{}, {"meta": None}, {"meta": {"total": None}}])
def test_without_a_total_of_every_list_none_is_known(envelope: dict[str, object]) -> None:
    totals = StatedTotals(IN_BODY)
    totals.note({"meta": {"total": 3}}, "page 1")
    totals.note(envelope, "page 2")
    assert totals.rows is None


def test_nothing_asked_for_nothing_known() -> None:
    totals = StatedTotals(None)
    totals.note({"meta": {"total": 3}}, "page 1")
    assert totals.rows is None
    assert StatedTotals(IN_BODY).rows is None


@pytest.mark.parametrize("total", ["many", -1, True, 2.5, [3]])
def test_what_is_no_number_is_refused(total: object) -> None:
    with pytest.raises(AnswerError, match=r"page 1 has no number at `meta\.total`"):
        StatedTotals(IN_BODY).note({"meta": {"total": total}}, "page 1")
