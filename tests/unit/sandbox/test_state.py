"""Edits of the rows that the server holds."""

from datetime import date

import pytest

from timetracking_assets.sandbox.catalog import UnknownResourceError
from timetracking_assets.sandbox.dataset import DEFAULT_SEED
from timetracking_assets.sandbox.state import Changes, MissingKeyError, State

CLIENTS = ("resource_management", "clients")


@pytest.fixture
def state() -> State:
    return State(DEFAULT_SEED, date(2026, 2, 4))


def test_upsert_merges_known_rows_in_place_and_appends_others(state: State) -> None:
    before = list(state.rows(*CLIENTS))
    second = before[1]["id"]
    changes = state.edit(*CLIENTS, upsert=[{"id": second, "name": "B"}, {"id": 1, "vat": None}])
    rows = state.rows(*CLIENTS)
    assert changes == Changes(inserted=1, updated=1, deleted=0)
    assert rows[1] == {**before[1], "name": "B"}
    assert rows[-1] == {"id": 1, "vat": None}
    assert len(rows) == len(before) + 1


def test_delete_removes_by_key_and_counts_what_was_there(state: State) -> None:
    before = list(state.rows(*CLIENTS))
    changes = state.edit(*CLIENTS, delete=[before[0]["id"], -1])
    assert changes == Changes(inserted=0, updated=0, deleted=1)
    assert state.rows(*CLIENTS) == before[1:]


def test_a_row_deleted_and_upserted_at_once_is_new(state: State) -> None:
    first = state.rows(*CLIENTS)[0]["id"]
    changes = state.edit(*CLIENTS, upsert=[{"id": first}], delete=[first])
    assert changes == Changes(inserted=1, updated=0, deleted=1)
    assert state.rows(*CLIENTS)[-1] == {"id": first}


def test_the_same_new_key_twice_is_one_row(state: State) -> None:
    changes = state.edit(*CLIENTS, upsert=[{"id": 1, "a": 1}, {"id": 1, "b": 2}])
    assert changes == Changes(inserted=1, updated=1, deleted=0)
    assert state.rows(*CLIENTS)[-1] == {"id": 1, "a": 1, "b": 2}


def test_a_row_without_key_changes_nothing(state: State) -> None:
    before = list(state.rows("workspace_time", "organizations_groups"))
    with pytest.raises(MissingKeyError, match="needs its key 'group_id'"):
        state.edit("workspace_time", "organizations_groups", upsert=[{"id": 1}])
    assert state.rows("workspace_time", "organizations_groups") == before


def test_replace_keeps_duplicates(state: State) -> None:
    rows = [{"id": 1}, {"id": 1}, {}]
    assert state.replace(*CLIENTS, rows) == 3
    assert state.rows(*CLIENTS) == rows


def test_reset_undoes_every_edit_and_servers_do_not_share_edits(state: State) -> None:
    untouched = State(DEFAULT_SEED, date(2026, 2, 4))
    before = list(state.rows(*CLIENTS))
    state.edit(*CLIENTS, upsert=[{"id": before[0]["id"], "name": "other"}])
    state.replace("resource_management", "roles", [])
    assert untouched.rows(*CLIENTS) == before
    state.reset()
    assert state.rows(*CLIENTS) == before
    assert state.rows("resource_management", "roles") == untouched.rows(
        "resource_management", "roles"
    )


@pytest.mark.parametrize(
    ("api", "resource", "message"),
    [
        ("nope", "clients", "no API 'nope'; there are: time_tracking, "),
        ("time_tracking", "nope", "no resource 'nope' in 'time_tracking'"),
    ],
)
def test_an_unknown_resource_is_named_with_the_known_ones(
    state: State, api: str, resource: str, message: str
) -> None:
    with pytest.raises(UnknownResourceError) as refusal:
        state.rows(api, resource)
    assert message in str(refusal.value)
