"""Messages about incidents, to a receiver on this machine: one at the start, one at the end."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from timetracking_assets.orchestration.automation.failures_sensor import compare
from timetracking_assets.orchestration.automation.incidents import Incident, Observed

if TYPE_CHECKING:
    from tests.support.platform import OfApi
    from tests.support.receiver import Receiver
    from tests.support.sensors import Sensor
    from timetracking_assets.sandbox.remote_control import RemoteControl

DATA = "time_tracking/time_tracking_data"
CHECK = dg.AssetCheckKey(dg.AssetKey.from_user_string(DATA), "primary_key_unique")


def test_a_failed_load(
    of_api: OfApi,
    make: Callable[..., Sensor],
    receiver: Receiver,
    control: RemoteControl,
    settings: dict[str, str],
) -> None:
    """One message with what failed, since when, and the run; none for the same; one at the end."""
    platform = of_api("time_tracking")
    failures = make(platform, "time_tracking_failures")
    failures.tick()
    assert receiver.received == []

    control.place_fault("status", status=403, body="no permission")
    failed = platform.materialize(DATA)
    assert not failed.succeeded
    failures.tick()
    [message] = receiver.received
    assert message["title"] == "time_tracking: problem with time_tracking_data"
    assert "HTTP 403" in message["message"]
    assert "since 20" in message["message"]
    assert f"http://dagster.example/runs/{failed.run_id}" in message["message"]
    assert message["type"] == "failure"
    assert settings["TIME_TRACKING_API_KEY"] not in str(message)
    failures.tick()
    assert not platform.materialize(DATA).succeeded
    failures.tick()
    assert len(receiver.received) == 1

    control.clear_faults()
    assert platform.materialize(DATA).green
    failures.tick()
    failures.tick()
    [_, resolved] = receiver.received
    assert resolved["title"] == "time_tracking: resolved: time_tracking_data"
    assert resolved["type"] == "success"


def test_a_failed_check(of_api: OfApi, make: Callable[..., Sensor], receiver: Receiver) -> None:
    platform = of_api("time_tracking")
    assert platform.materialize(DATA).green
    failures = make(platform, "time_tracking_failures")
    _evaluate(platform.instance, passed=False)
    failures.tick()
    [message] = receiver.received
    assert "check primary_key_unique failed" in message["message"]
    _evaluate(platform.instance, passed=True)
    failures.tick()
    assert [item["type"] for item in receiver.received] == ["failure", "success"]


def _evaluate(instance: dg.DagsterInstance, *, passed: bool) -> None:
    evaluation = dg.AssetCheckEvaluation(
        asset_key=CHECK.asset_key, check_name=CHECK.name, passed=passed, metadata={}
    )
    instance.report_runless_asset_event(evaluation)


def test_a_message_that_was_not_sent_is_sent_later(
    of_api: OfApi,
    make: Callable[..., Sensor],
    receiver: Receiver,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No line that anyone sees holds the receiver's URL or password."""
    platform = of_api("time_tracking")
    assert platform.materialize(DATA).green
    _evaluate(platform.instance, passed=False)
    failures = make(platform, "time_tracking_failures")
    receiver.status = 500
    failures.tick()
    assert "number 1 (json) was not reached" in str(failures.said)
    printed = capfd.readouterr()
    for text in (str(failures.said), str(failures.cursor), printed.out, printed.err, caplog.text):
        assert receiver.password not in text
    receiver.status = 200
    failures.tick()
    assert len(receiver.received) == 1


def test_an_invalid_url(
    of_api: OfApi, make: Callable[..., Sensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = of_api("time_tracking")
    failures = make(platform, "time_tracking_failures")
    monkeypatch.delenv("TIMETRACKING_NOTIFY_URLS", raising=False)
    failures.tick()
    assert "TIMETRACKING_NOTIFY_URLS is not set" in str(failures.said)
    monkeypatch.setenv("TIMETRACKING_NOTIFY_URLS", "nonsense://some-password")
    assert platform.materialize(DATA).green
    _evaluate(platform.instance, passed=False)
    failures.tick()
    assert "number 1 (nonsense) is not known to apprise" in str(failures.said)
    assert "some-password" not in str(failures.said)
    for url in ("some-password:rest", "some-password", "://some-password", "//some-password:1"):
        monkeypatch.setenv("TIMETRACKING_NOTIFY_URLS", url)
        failures.tick()
        assert "number 1 (no scheme) is not known to apprise" in str(failures.said)
        assert "some-password" not in f"{failures.said} {failures.cursor}"


def test_each_service_gets_one_message(
    of_api: OfApi,
    make: Callable[..., Sensor],
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that can't be reached makes no other one hear the same again and again."""
    platform = of_api("time_tracking")
    assert platform.materialize(DATA).green
    _evaluate(platform.instance, passed=False)
    monkeypatch.setenv("TIMETRACKING_NOTIFY_URLS", f"json://127.0.0.1:1/gone {receiver.url}")
    failures = make(platform, "time_tracking_failures")
    for _ in range(3):
        failures.tick()
        assert "number 1 (json) was not reached" in str(failures.said)
    assert len(receiver.received) == 1
    # the first is back: it alone hears of the failure, and both of its end
    monkeypatch.setenv("TIMETRACKING_NOTIFY_URLS", f"{receiver.url} {receiver.url}")
    failures.tick()
    assert len(receiver.received) == 2
    _evaluate(platform.instance, passed=True)
    failures.tick()
    failures.tick()
    assert [item["type"] for item in receiver.received] == ["failure"] * 2 + ["success"] * 2


def test_what_is_gone_is_not_resolved(
    of_api: OfApi, make: Callable[..., Sensor], receiver: Receiver, control: RemoteControl
) -> None:
    """A failed run that was deleted, and a check that was taken out of the YAML."""
    platform = of_api("time_tracking")
    control.place_fault("status", status=403, body="no permission")
    failed = platform.materialize(DATA)
    failures = make(platform, "time_tracking_failures")
    failures.tick()
    assert len(receiver.received) == 1
    cursor = json.loads(str(failures.cursor))
    [incidents] = cursor.values()
    [incident] = incidents.values()
    incidents[f"check {DATA} of_long_ago"] = incident
    failures.cursor = json.dumps(cursor)
    platform.instance.delete_run(failed.run_id)
    failures.tick()
    assert len(receiver.received) == 1
    assert failures.said == "0 new, 0 resolved, 1 open"
    control.clear_faults()
    assert platform.materialize(DATA).green
    failures.tick()
    assert [item["type"] for item in receiver.received] == ["failure", "success"]


def _incident(asset: str = "a/b") -> Incident:
    return Incident(asset, "failed", 0.0)


def test_a_failed_load_that_is_overdue_is_one_incident() -> None:
    load, overdue = "load a/b", "freshness a/b"
    both = Observed({load: _incident(), overdue: _incident()})
    begun, ended = compare({}, both)
    assert (set(begun), set(ended)) == ({load}, set())
    # known first as overdue, then its load fails: nothing is over
    begun, ended = compare({overdue: _incident()}, both)
    assert (set(begun), set(ended)) == ({load}, set())


def test_a_run_under_way_decides_nothing() -> None:
    load = "load a/b"
    begun, ended = compare({load: _incident()}, Observed({}, {load}))
    assert (begun, ended) == ({}, {})
    begun, ended = compare({load: _incident()}, Observed())
    assert set(ended) == {load}
