"""What goes wrong between us and an API: what is repeated, what fails, what is said."""

from __future__ import annotations

import socket
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from timetracking_assets.sandbox.catalog import KEYS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.platform import Platform
    from timetracking_assets.sandbox.remote_control import RemoteControl

LIST = "time_tracking/time_tracking_data"
TABLE = "time_tracking.time_tracking_data"

# asset, its path, the variable that holds its API's credential
ASSETS = [
    (LIST, "/time_tracking/v1/resource", "TIME_TRACKING_API_KEY"),
    (
        "workspace_time/organizations",
        "/workspace_time/v1/organizations/",
        "WORKSPACE_TIME_API_TOKEN",
    ),
]


@pytest.mark.parametrize(("asset", "path", "variable"), ASSETS, ids=[a for a, _, _ in ASSETS])
def test_wrong_credential(
    hasty_platform: Platform,
    control: RemoteControl,
    monkeypatch: pytest.MonkeyPatch,
    asset: str,
    path: str,
    variable: str,
) -> None:
    monkeypatch.setenv(variable, "wrong-credential-7f3e21")
    outcome = hasty_platform.materialize(asset)

    # two parents are asked for at a time
    assert {request["status"] for request in control.requests()} == {401}
    message = outcome.failures[asset]
    assert all(part in message for part in (asset, "HTTP 401", path, "credentials"))
    assert "wrong-credential-7f3e21" not in message
    assert asset not in outcome.checks
    assert asset not in outcome.retried
    assert hasty_platform.tables() == set()


def test_forbidden_resource_fails_alone(hasty_platform: Platform, control: RemoteControl) -> None:
    control.place_fault("status", status=403, path="/departments$")
    others = ["resource_management/roles", "resource_management/clients"]
    outcome = hasty_platform.materialize("resource_management/departments", *others)

    assert not outcome.succeeded
    assert list(outcome.failures) == ["resource_management/departments"]
    assert outcome.metadata.keys() == set(others)
    assert all(check.passed for other in others for check in outcome.checks[other].values())


def test_a_passing_failure_is_repeated_three_times(
    hasty_platform: Platform, control: RemoteControl
) -> None:
    for status in (500, 502, 504):
        control.place_fault("status", status=status, times=1, api="time_tracking")
    outcome = hasty_platform.materialize(LIST)
    assert outcome.green
    assert [request["status"] for request in control.requests()][:4] == [500, 502, 504, 200]
    assert outcome.metadata[LIST]["retries"] == 3
    assert outcome.metadata[LIST]["requests"] == len(control.requests())


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=cp1252"])
def test_answers_in_another_encoding_are_loaded(
    hasty_platform: Platform, control: RemoteControl, content_type: str
) -> None:
    row = {**control.rows("time_tracking", "time_tracking_data")[0], "note": "Müller, 3 €"}
    control.edit("time_tracking", "time_tracking_data", upsert=[row])
    control.place_fault("encode", encoding="cp1252", content_type=content_type)
    outcome = hasty_platform.materialize(LIST, loud=True)
    assert outcome.green
    [[note]] = hasty_platform.sql(f"SELECT note FROM {TABLE} WHERE id = {row['id']}")
    assert note == "Müller, 3 €"
    # a guess is warned of, a statement is not
    stated = "charset" in content_type
    assert outcome.metadata[LIST].get("assumed_encoding") == (None if stated else "windows-1252")
    assert ("state no charset that fits" in outcome.printed) is not stated


def test_retry_after_and_backoff_are_waited_for(platform: Platform, control: RemoteControl) -> None:
    """With the settings as they are shipped: 2 s before the first repetition, or as told."""
    path = "/roles$"
    control.place_fault("status", status=429, headers={"Retry-After": "3"}, times=1, path=path)
    control.place_fault("status", status=503, times=1, path=path)
    outcome = platform.materialize("resource_management/roles")
    assert outcome.green
    started = [(request["status"], request["started"]) for request in control.requests()]
    assert [status for status, _ in started] == [429, 503, 200]
    waits = [later - earlier for (_, earlier), (_, later) in pairwise(started)]
    assert waits[0] >= 3
    assert waits[1] >= 2


def test_quota_that_comes_back_soon_is_on_the_metadata(
    platform: Platform, control: RemoteControl
) -> None:
    """A payment is wanted, and a second later it is not: the load waits, and says so."""
    path = "/roles$"
    control.place_fault("status", status=402, headers={"Retry-After": "1"}, times=1, path=path)
    outcome = platform.materialize("resource_management/roles")
    assert outcome.green
    metadata = outcome.metadata["resource_management/roles"]
    assert (metadata["requests"], metadata["retries"]) == (2, 1)
    assert 1 <= metadata["seconds_quota"] < 60
    assert metadata["seconds_rate_limited"] == 0


def test_cut_connection_is_repeated(hasty_platform: Platform, control: RemoteControl) -> None:
    control.place_fault("cut", times=1, path="/v1/resource", query="offset=100")
    outcome = hasty_platform.materialize(LIST)
    assert outcome.green
    assert outcome.metadata[LIST]["retries"] == 1
    truth = sorted(row["id"] for row in control.rows("time_tracking", "time_tracking_data"))
    assert hasty_platform.keys(TABLE) == truth


# the body of page 2, and what is said of it
BROKEN_ANSWERS = [
    ("<html><body>Sign in</body></html>", "text/html", "not JSON"),
    ('{"data": [{"id": 1}, {"note": "x"}]}', "application/json", "its key 'id'"),
]


def test_an_answer_that_ends_in_the_middle_changes_nothing(
    hasty_platform: Platform, control: RemoteControl
) -> None:
    """It is requested again, as after a lost connection."""
    assert hasty_platform.materialize(LIST).green
    before = hasty_platform.sql(f"SELECT * FROM {TABLE} ORDER BY id")
    control.edit("time_tracking", "time_tracking_data", upsert=[{"id": before[0][0], "note": "!"}])
    control.place_fault("body", body='{"data": [{"id": 1}, {"id"', query="offset=100")
    control.clear_requests()
    message = hasty_platform.materialize(LIST).failures[LIST]
    assert all(part in message for part in (LIST, "page 2", "it ends in the middle")), message
    assert len(control.requests()) > 2
    assert hasty_platform.sql(f"SELECT * FROM {TABLE} ORDER BY id") == before


def test_broken_answer_changes_nothing(hasty_platform: Platform, control: RemoteControl) -> None:
    assert hasty_platform.materialize(LIST).green
    before = hasty_platform.sql(f"SELECT * FROM {TABLE} ORDER BY id")
    # the first page is a good one, and says something new
    control.edit("time_tracking", "time_tracking_data", upsert=[{"id": before[0][0], "note": "!"}])
    for body, content_type, text in BROKEN_ANSWERS:
        control.clear_faults()
        control.clear_requests()
        control.place_fault("body", body=body, content_type=content_type, query="offset=100")
        message = hasty_platform.materialize(LIST).failures[LIST]

        assert all(part in message for part in (LIST, "page 2", text)), (body, message)
        assert len(control.requests()) == 2, body
        assert hasty_platform.sql(f"SELECT * FROM {TABLE} ORDER BY id") == before, body


def test_nothing_at_the_base_url(hasty_platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIME_TRACKING_BASE_URL", f"http://127.0.0.1:{_free_port()}/time_tracking")
    message = hasty_platform.materialize(LIST).failures[LIST]
    assert all(part in message for part in (LIST, "no server answers", "base URL"))
    assert "TIME_TRACKING_BASE_URL" in message


def test_missing_variables_are_all_named(
    load_platform: Any, control: RemoteControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code location loads with no variable set; a run says which it lacks."""
    for name in ("BASE_URL", "EMAIL_ADDRESS"):
        monkeypatch.delenv(f"PROJECT_MANAGEMENT_{name}")
    monkeypatch.setenv("PROJECT_MANAGEMENT_API_KEY", " ")
    platform: Platform = load_platform()
    keys = platform.definitions.resolve_asset_graph().get_all_asset_keys()
    of_apis = {key for key in keys if key.path[0] in KEYS}
    assert len(of_apis) == sum(map(len, KEYS.values()))

    outcome = platform.materialize("project_management/customers", "resource_management/roles")
    message = outcome.failures["project_management/customers"]
    for name in ("BASE_URL", "EMAIL_ADDRESS", "API_KEY"):
        assert f"PROJECT_MANAGEMENT_{name}" in message
    assert "resource_management/roles" in outcome.metadata


@pytest.mark.duckdb_only(reason="about the file")
def test_warehouse_that_cannot_be_written(
    hasty_platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TIMETRACKING_WAREHOUSE", str(tmp_path / "file" / "w.duckdb"))
    failure = hasty_platform.materialize(LIST).failures[LIST]
    assert "can't write the warehouse" in failure
    assert "TIMETRACKING_WAREHOUSE" in failure


def test_insert_that_fails_takes_its_deletion_back(
    hasty_platform: Platform, control: RemoteControl
) -> None:
    """The two are one transaction: an index of the user's own refuses what is to be inserted."""
    roles, table = "resource_management/roles", "resource_management.roles"
    assert hasty_platform.materialize(roles).green
    before = hasty_platform.sql(f"SELECT * FROM {table} ORDER BY id")
    hasty_platform.sql(f"CREATE UNIQUE INDEX one_of_each_name ON {table} (name)")
    control.edit("resource_management", "roles", upsert=[{"id": 999, "name": before[0][1]}])
    message = hasty_platform.materialize(roles).failures[roles]
    assert "the table is as before, or holds the whole answer" in message
    assert hasty_platform.sql(f"SELECT * FROM {table} ORDER BY id") == before


def _free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])
