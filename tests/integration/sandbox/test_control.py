"""The control endpoints: rows, reset, latency and the request log, over HTTP."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import Any

import pytest
import requests

from timetracking_assets.sandbox import SandboxServer
from timetracking_assets.sandbox.control import _is_loopback
from timetracking_assets.sandbox.remote_control import ControlError, RemoteControl

Get = Callable[..., requests.Response]


def test_edits_show_in_the_answers(get: Get, control: RemoteControl) -> None:
    first, second = control.rows("project_management", "projects")[:2]
    changes = control.edit(
        "project_management",
        "projects",
        upsert=[{"id": second["id"], "name": "Nové jméno"}, {"id": 1, "name": "new"}],
        delete=[first["id"]],
    )
    assert changes == {"inserted": 1, "updated": 1, "deleted": 1}
    rows = get("project_management", "/v2/projects").json()["projects"]
    assert first["id"] not in [row["id"] for row in rows]
    assert rows[0] == {**second, "name": "Nové jméno"}
    assert rows[-1] == {"id": 1, "name": "new"}
    control.reset()
    assert control.rows("project_management", "projects")[:2] == [first, second]


def test_a_deleted_workspace_is_unknown(get: Get, control: RemoteControl) -> None:
    control.edit("workspace_time", "workspace", delete=[71_001])
    assert get("workspace_time", "/v1/workspaces/71001/clients").status_code == 404
    assert get("workspace_time", "/v1/workspaces/71002/clients").status_code == 200


def test_replaced_rows_are_answered_as_they_are(get: Get, control: RemoteControl) -> None:
    rows: list[dict[str, Any]] = [{"id": 5}, {"id": 5}, {"name": "no key"}]
    control.replace("resource_management", "roles", rows)
    assert get("resource_management", "/roles").json() == {"data": rows}


def test_keys_of_text_are_deleted_too(control: RemoteControl) -> None:
    tag = control.rows("time_analytics", "tags")[0]["id"]
    assert control.edit("time_analytics", "tags", delete=[tag])["deleted"] == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("GET", "/nope/people/rows", None, 404, "no API 'nope'"),
        ("GET", "/resource_management/nope/rows", None, 404, "no resource 'nope'"),
        ("POST", "/time_tracking/nope/rows", "{}", 404, "no resource 'nope'"),
        ("PUT", "/time_tracking/nope/rows", "[]", 404, "no resource 'nope'"),
        ("POST", "/resource_management/roles/rows", "{", 400, "cannot be read"),
        ("POST", "/resource_management/roles/rows", '{"remove": []}', 400, "unknown field"),
        ("POST", "/resource_management/roles/rows", '{"upsert": [{}]}', 400, "needs its key 'id'"),
        ("PUT", "/resource_management/roles/rows", "{}", 400, "Expected `array`"),
        ("POST", "/faults", '{"kind": "status"}', 400, "needs a 'status'"),
        ("POST", "/latency", '{"seconds": -1}', 400, "must not be negative"),
        ("POST", "/latency", "", 400, "cannot be read"),
        ("GET", "/nope", None, 404, "there is nothing at /control/nope"),
    ],
)
def test_what_cannot_be_done_is_reported(
    sandbox: SandboxServer,
    session: requests.Session,
    method: str,
    path: str,
    body: str | None,
    status: int,
    message: str,
) -> None:
    answer = session.request(method, f"{sandbox.url}/control{path}", data=body, timeout=10)
    assert answer.status_code == status
    assert message in answer.json()["error"]["message"]


def test_the_remote_control_says_why_it_was_refused(control: RemoteControl) -> None:
    with pytest.raises(ControlError, match=r"GET /nope/people/rows: 404: no API 'nope'"):
        control.rows("nope", "people")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("192.168.1.7", False),
        ("nowhere", False),
    ],
)
def test_only_the_same_machine_may_control(host: str, expected: bool) -> None:
    assert _is_loopback(host) is expected


def test_latency_slows_the_apis_and_not_the_control(get: Get, control: RemoteControl) -> None:
    control.set_latency(0.5)
    begun = time.perf_counter()
    assert get("resource_management", "/roles").status_code == 200
    assert time.perf_counter() - begun >= 0.5
    control.set_latency(60)
    begun = time.perf_counter()
    control.reset()
    get("resource_management", "/roles")
    assert time.perf_counter() - begun < 30


def test_the_log_holds_what_the_client_sent_and_saw(get: Get, control: RemoteControl) -> None:
    before = time.time()
    get("time_tracking", "/v1/resource", {"offset": 100, "note": ""}, headers={"X-Trace": "A b"})
    get("resource_management", "/nope")
    control.place_fault("status", status=503)
    get("resource_management", "/roles")
    first, second, third = control.requests()
    assert first["api"] == "time_tracking"
    assert first["method"] == "GET"
    assert first["path"] == "/time_tracking/v1/resource"
    assert [pair for pair in first["query"] if pair[0] != "api_key"] == [
        ["offset", "100"],
        ["note", ""],
    ]
    assert first["headers"]["x-trace"] == "A b"
    assert first["status"] == 200
    assert before - 1 <= first["started"] <= time.time() + 1
    assert 0 < first["seconds"] < 60
    assert (second["path"], second["status"]) == ("/resource_management/v3/nope", 404)
    assert (third["path"], third["status"]) == ("/resource_management/v3/roles", 503)


def test_the_log_can_be_cleared_and_holds_no_control_requests(
    get: Get, control: RemoteControl
) -> None:
    get("resource_management", "/roles")
    assert len(control.requests()) == 1
    control.clear_requests()
    assert control.requests() == []
    assert control.most_in_flight("resource_management") == 0


def test_requests_in_flight_are_counted_per_api(get: Get, control: RemoteControl) -> None:
    control.set_latency(1)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: get("resource_management", "/roles"), range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert control.most_in_flight("resource_management") == 4
    assert control.most_in_flight("time_tracking") == 0


def test_a_running_request_is_in_the_log(get: Get, control: RemoteControl) -> None:
    control.place_fault("slow", seconds=1.5)
    thread = Thread(target=get, args=("resource_management", "/roles"))
    thread.start()
    deadline = time.monotonic() + 5
    while not (found := control.requests()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert thread.is_alive()
    assert (found[0]["status"], found[0]["seconds"]) == (None, None)
    thread.join()
    assert control.requests()[0]["seconds"] >= 1.5
