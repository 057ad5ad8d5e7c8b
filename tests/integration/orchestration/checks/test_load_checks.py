"""Asset checks: alone, over tables that somebody else has broken, and as a gate."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from timetracking_assets.ingest.load import run as loading
from timetracking_assets.ingest.load.changes import Changes, StagedAnswer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from tests.support.platform import Platform
    from timetracking_assets.sandbox.remote_control import RemoteControl

ROLES, TABLE = "resource_management/roles", "resource_management.roles"
CUSTOMERS = "project_management/customers"
UNIQUE, NOT_NULL = "primary_key_unique", "primary_key_not_null"
RECONCILED, NO_DUPLICATES = "rows_reconciled", "no_duplicate_rows_in_answer"


def test_not_green_without_a_table(platform: Platform, control: RemoteControl) -> None:
    outcome = platform.check(ROLES)
    expected = {UNIQUE, NOT_NULL, RECONCILED, NO_DUPLICATES, "schema_unchanged"}
    assert outcome.checks[ROLES].keys() == expected
    for check in outcome.checks[ROLES].values():
        assert not check.passed
        assert "table resource_management.roles does not exist" in str(check.description)
    assert outcome.metadata == {}
    assert control.requests() == []


def test_alone_on_a_good_and_on_a_broken_table(platform: Platform, control: RemoteControl) -> None:
    assert platform.materialize(ROLES).green
    keys = platform.keys(TABLE)
    control.clear_requests()

    alone = platform.check(ROLES, names=[UNIQUE])
    assert alone.green
    assert alone.checks[ROLES].keys() == {UNIQUE}
    assert alone.checks[ROLES][UNIQUE].metadata["rows"].value == len(keys)
    assert alone.metadata == {}

    # the first key three times, the second twice, and two rows without one
    for statement in (
        f"INSERT INTO {TABLE} SELECT * FROM {TABLE} WHERE id IN ({keys[0]}, {keys[1]})",
        f"INSERT INTO {TABLE} SELECT DISTINCT * FROM {TABLE} WHERE id = {keys[0]}",
        f"ALTER TABLE {TABLE} ALTER COLUMN id DROP NOT NULL",
        f"UPDATE {TABLE} SET id = NULL WHERE id IN ({keys[3]}, {keys[4]})",
    ):
        platform.sql(statement)
    broken = platform.check(ROLES)
    unique, not_null = broken.checks[ROLES][UNIQUE], broken.checks[ROLES][NOT_NULL]
    assert not unique.passed
    assert unique.metadata["rows"].value == len(keys) + 3
    assert str([str(keys[0])])[1:-1] in str(unique.metadata["sample_keys"].value[0])
    assert not not_null.passed
    assert not_null.metadata["rows_without_key"].value == 2
    assert len(not_null.metadata["sample_rows"].value) == 2
    assert control.requests() == []

    # two rows without a key are not two rows with the same key
    assert unique.metadata["duplicate_keys"].value == 2


def test_load_mends_a_table_that_somebody_has_broken(
    platform: Platform, control: RemoteControl
) -> None:
    assert platform.materialize(ROLES).green
    keys = platform.keys(TABLE)
    platform.sql(f"INSERT INTO {TABLE} SELECT * FROM {TABLE} WHERE id = {keys[0]}")
    assert not platform.check(ROLES).green
    assert platform.materialize(ROLES).green
    assert platform.keys(TABLE) == keys


def test_keys_are_checked_where_a_load_can_have_broken_them(
    platform: Platform, first_day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries, table = "project_management/entries", "project_management.entries"
    week = [first_day + timedelta(days=number) for number in range(9)]
    days = [day.isoformat() for day in week if day.weekday() < 5]

    def load(day: int) -> tuple[bool, str]:
        outcome = platform.materialize(entries, partition=days[day])
        check = outcome.checks[entries][UNIQUE]
        return check.passed, str(check.metadata["checked"].value)

    def load_again(day: int) -> tuple[bool, str]:
        """Load rows that the table lacks: those that it holds as they are are not written."""
        platform.sql(f"DELETE FROM {table} WHERE time_last_change::DATE = DATE '{days[day]}'")
        return load(day)

    def repeat_one(day: int) -> None:
        """Let a row stand twice that came on the day number `day`."""
        platform.sql(
            f"INSERT INTO {table} SELECT * FROM {table} "
            f"WHERE time_last_change::DATE = DATE '{days[day]}' LIMIT 1"
        )

    assert load(1) == (True, "whole table")
    assert load(2) == (True, "keys of the answer")

    run_load = loading.run_load

    def load_and_empty(*arguments: Any) -> Any:
        report = run_load(*arguments)
        platform.sql("DELETE FROM project_management_staging.entries")
        return report

    with monkeypatch.context() as emptied:
        # dlt can be told to: nothing then says which keys the answer had
        emptied.setattr(loading, "run_load", load_and_empty)
        assert load_again(2) == (True, "whole table")

    for breaks in (2, 3):
        # a table is broken among the keys that come, then among others
        with monkeypatch.context() as broken:

            def load_and_break(*arguments: Any, day: int = breaks) -> Any:
                report = run_load(*arguments)
                repeat_one(day)
                return report

            broken.setattr(loading, "run_load", load_and_break)
            assert load_again(2) == (breaks != 2, "keys of the answer")
        if breaks == 2:
            # nobody trusts the rest of a table of which a part was broken
            assert load(2) == (True, "whole table")
            assert load(3) == (True, "keys of the answer")
    check = platform.check(entries, names=[UNIQUE]).checks[entries][UNIQUE]
    assert (check.passed, check.metadata["checked"].value) == (False, "whole table")
    assert load(2) == (False, "whole table")


def test_first_load_beside_an_older_staging_table_is_checked_whole(
    platform: Platform, first_day: date
) -> None:
    entries = "project_management/entries"
    days = [day for n in range(9) if (day := first_day + timedelta(days=n)).weekday() < 5]

    def checked(day: date) -> str:
        outcome = platform.materialize(entries, partition=day.isoformat())
        assert outcome.green
        return str(outcome.checks[entries][UNIQUE].metadata["checked"].value)

    assert [checked(day) for day in days[1:3]] == ["whole table", "keys of the answer"]
    platform.sql("DROP SCHEMA project_management CASCADE")
    assert checked(days[2]) == "whole table"


def test_blocking_check_keeps_downstream_from_running(
    platform: Platform, control: RemoteControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table is broken between its load and its checks: nothing is built on it."""
    parent, child = "workspace_time/organizations", "workspace_time/organizations_users"
    assert platform.materialize(parent, child).green

    def load_and_break(*arguments: Any) -> Any:
        report = run_load(*arguments)
        table = "workspace_time.organizations"
        platform.sql(f"INSERT INTO {table} SELECT * FROM {table} LIMIT 1")
        return report

    run_load = loading.run_load
    monkeypatch.setattr(loading, "run_load", load_and_break)
    control.clear_requests()
    broken = platform.materialize(parent, child)
    assert not broken.succeeded
    assert parent in broken.metadata
    assert not broken.checks[parent][UNIQUE].passed
    assert broken.checks[parent][UNIQUE].blocking
    assert child not in broken.metadata
    assert not any("/users" in request["path"] for request in control.requests())


def test_failed_parent_keeps_its_children_from_running(
    platform: Platform, control: RemoteControl
) -> None:
    parent, child = "workspace_time/organizations", "workspace_time/organizations_groups"
    control.place_fault("status", status=403, path="/v1/organizations/[0-9]+$")
    outcome = platform.materialize(parent, child)
    assert list(outcome.failures) == [parent]
    assert child not in outcome.metadata
    assert not any("/groups" in request["path"] for request in control.requests())


def answer_customers(control: RemoteControl, ids: list[int], total: int | None) -> None:
    """Let the API answer with these customers, and state that total."""
    paging = {"count_pages": 1, **({} if total is None else {"count_items": total})}
    rows = [{"id": number, "name": f"customer {number}"} for number in ids]
    body = json.dumps({"paging": paging, "customers": rows})
    control.place_fault("body", body=body, path="/v2/customers$")


@pytest.mark.parametrize(
    ("ids", "total", "reconciled", "unique_answer"),
    [
        ([1, 2, 3], 3, True, True),
        ([1, 2, 3], None, True, True),
        ([1, 2, 3], 4, False, True),
        ([1, 2, 2], 3, False, False),  # 3 was left out
        ([1, 2, 3, 3], 3, True, False),
    ],
)
def test_an_answer_is_compared_with_the_total_that_the_api_states(
    platform: Platform,
    control: RemoteControl,
    ids: list[int],
    total: int | None,
    reconciled: bool,
    unique_answer: bool,
) -> None:
    answer_customers(control, ids, total)
    outcome = platform.materialize(CUSTOMERS)
    checks = outcome.checks[CUSTOMERS]
    assert (checks[RECONCILED].passed, checks[NO_DUPLICATES].passed) == (reconciled, unique_answer)
    assert checks[RECONCILED].blocking
    assert checks[NO_DUPLICATES].severity == dg.AssetCheckSeverity.WARN
    assert outcome.succeeded == reconciled
    assert checks[NO_DUPLICATES].metadata["rows_repeated"].value == len(ids) - len(set(ids))
    if total is not None:
        assert outcome.metadata[CUSTOMERS]["stated_total"] == total
    if not reconciled:
        assert f"states a total of {total} rows" in str(checks[RECONCILED].description)

    # later, and alone, they say the same of that load
    again = platform.check(CUSTOMERS).checks[CUSTOMERS]
    assert (again[RECONCILED].passed, again[NO_DUPLICATES].passed) == (reconciled, unique_answer)


def test_rows_that_a_load_loses_are_missed(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between what was loaded and what is counted, one row goes and another comes."""

    def count_after_loss(staged: StagedAnswer, changes: Changes) -> Changes:
        opened = staged._warehouse
        [[first]] = opened.rows(f"SELECT min(id) FROM {TABLE}")
        opened.change(f"UPDATE {TABLE} SET id = -1 WHERE id = {first}")
        return after(staged, changes)

    after = StagedAnswer.after
    monkeypatch.setattr(StagedAnswer, "after", count_after_loss)
    outcome = platform.materialize(ROLES)
    assert not outcome.succeeded
    assert not outcome.checks[ROLES][RECONCILED].passed
    assert outcome.checks[ROLES][UNIQUE].passed


@pytest.mark.parametrize(
    ("key", "statement", "passes"),
    [
        (ROLES, "DELETE FROM {table} WHERE id = (SELECT min(id) FROM {table})", False),
        (ROLES, "INSERT INTO {table} SELECT {copied} FROM {table} LIMIT 1", False),
        ("project_management/absences", "DELETE FROM {table}", False),
        ("resource_management/logged_time", "DELETE FROM {table}", False),
        (
            "resource_management/logged_time",
            "INSERT INTO {table} SELECT {copied} FROM {table} LIMIT 1",
            True,  # silence means unchanged: there may be more rows than were answered
        ),
    ],
)
def test_alone_the_table_is_compared_with_the_latest_load(
    platform: Platform, day_of: Callable[[int], str], key: str, statement: str, passes: bool
) -> None:
    partition = {
        ROLES: None,
        "project_management/absences": day_of(0)[:4],
        "resource_management/logged_time": day_of(8),
    }[key]
    assert platform.materialize(key, partition=partition).green
    assert platform.check(key, names=[RECONCILED]).green
    table = key.replace("/", ".")
    copied = ", ".join("-1" if name == "id" else name for name in platform.columns(table))
    platform.sql(statement.format(table=table, copied=copied))
    assert platform.check(key, names=[RECONCILED]).green == passes


def test_a_materialization_without_counts_can_not_be_reconciled(platform: Platform) -> None:
    assert platform.materialize(ROLES).green
    platform.instance.report_runless_asset_event(
        dg.AssetMaterialization(["resource_management", "roles"])
    )
    outcome = platform.check(ROLES, names=[RECONCILED, NO_DUPLICATES])
    for check in outcome.checks[ROLES].values():
        assert not check.passed
        assert "materialize the asset again" in str(check.description)
