"""Which error of a chain says what happened."""

from __future__ import annotations

from errno import ENOSPC, EXDEV

from timetracking_assets.errors import ApiError, IngestError, cause_of


def test_the_cause_is_the_outermost_error_of_ours_else_the_innermost() -> None:
    innermost, ours, outermost = ValueError("a"), ApiError("b"), RuntimeError("c")
    outermost.__cause__, ours.__context__ = ours, innermost

    assert cause_of(outermost, IngestError) is ours
    assert cause_of(outermost, KeyError) is innermost


def test_a_full_disk_is_the_cause_and_not_the_rename_that_was_tried_before() -> None:
    full, outermost = OSError(ENOSPC, "No space left"), RuntimeError("c")
    outermost.__cause__ = full
    full.__context__ = OSError(EXDEV, "Invalid cross-device link")

    assert cause_of(outermost, IngestError) is full
    assert cause_of(full.__context__, IngestError) is full.__context__
