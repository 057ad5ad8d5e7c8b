"""Counts of an answer, of its table and of the API's own total, compared."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.builders import MakeResource
from timetracking_assets.orchestration.checks.load_facts import LoadFacts
from timetracking_assets.orchestration.checks.reconciliation import (
    differences,
    reconciliation_metadata,
    repeated_metadata,
)
from timetracking_assets.spec.model import DeletedIdsSpec


def facts(**given: Any) -> LoadFacts:
    counts: dict[str, Any] = {
        "window": None,
        "rows_in_answer": 10,
        "distinct_keys": 10,
        "rows_outside_window": 0,
        "rows_marked_deleted": 0,
        "stated_total": None,
        "repeated_keys": [],
    }
    return LoadFacts(**{**counts, **given})


@pytest.mark.parametrize(
    ("mode", "given", "in_scope", "count"),
    [
        ("snapshot", {}, 10, 0),
        ("snapshot", {}, 9, 1),
        ("snapshot", {}, 11, 1),
        ("window", {}, 11, 1),
        # in this mode rows stay of which the answer says nothing
        ("changes", {}, 11, 0),
        ("changes", {}, 9, 1),
        ("snapshot", {}, None, 0),
        ("snapshot", {"keys_held": 10}, 10, 0),
        ("snapshot", {"keys_held": 9}, 10, 1),
        ("snapshot", {"keys_held": 9}, 9, 2),
        ("window", {"stated_total": 10}, 10, 0),
        ("window", {"stated_total": 12}, 10, 1),
        # what lies in other windows is part of what the API counts
        ("window", {"stated_total": 12, "rows_outside_window": 2}, 10, 0),
        ("window", {"stated_total": 11, "rows_marked_deleted": 1}, 10, 0),
    ],
)
def test_each_difference_is_a_sentence(
    resource: MakeResource, mode: str, given: Any, in_scope: int | None, count: int
) -> None:
    found = differences(resource(sync_mode=mode), facts(**given), in_scope)
    assert len(found) == count
    assert all(sentence.endswith(".") for sentence in found)


def test_without_a_key_each_row_counts(resource: MakeResource) -> None:
    [difference] = differences(resource(primary_key=()), facts(keys_held=3), 9)
    assert "10 rows" in difference


def test_ids_that_another_endpoint_lists_are_no_part_of_the_answer(resource: MakeResource) -> None:
    given = resource(sync_mode="changes", deleted_ids=DeletedIdsSpec(endpoint={"path": "deleted"}))
    counted = facts(stated_total=10, rows_marked_deleted=4)
    assert differences(given, counted, None) == []


def test_only_what_was_counted_is_metadata() -> None:
    assert reconciliation_metadata(facts(), None, []) == {"distinct_keys": 10, "differences": 0}
    metadata = reconciliation_metadata(facts(keys_held=9, stated_total=0), 8, ["x", "y"])
    assert metadata == {
        "distinct_keys": 10,
        "keys_held": 9,
        "rows_in_scope": 8,
        "stated_total": 0,
        "differences": 2,
    }
    assert repeated_metadata(facts(rows_in_answer=12))["rows_repeated"] == 2
