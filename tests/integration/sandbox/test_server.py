"""Starting and stopping the server, in a thread and in the foreground."""

import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta

import pytest
import requests

from timetracking_assets.sandbox import PortInUseError, SandboxServer, serve
from timetracking_assets.sandbox.remote_control import RemoteControl


def test_a_port_in_use_is_named(sandbox: SandboxServer) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    message = f"port {port} on 127.0.0.1 is in use"
    with pytest.raises(PortInUseError, match=message):
        SandboxServer(port=port).start()
    with pytest.raises(PortInUseError, match=message):
        serve(port=port)


def test_a_stopped_server_frees_its_port_and_can_start_again(sandbox_today: date) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = SandboxServer(port=port, today=sandbox_today)
    for _ in range(2):
        with server:
            assert server.url == f"http://127.0.0.1:{port}"
            assert requests.get(f"{server.url}/health", timeout=10).status_code == 200
        with pytest.raises(requests.exceptions.ConnectionError):
            requests.get(f"http://127.0.0.1:{port}/health", timeout=10)


def test_a_server_that_does_not_run_has_no_address() -> None:
    server = SandboxServer()
    with pytest.raises(RuntimeError, match="has not been started"):
        _ = server.environment
    server.stop()


def test_a_server_starts_once(sandbox: SandboxServer) -> None:
    with pytest.raises(RuntimeError, match="runs already"):
        sandbox.start()


def test_a_slow_fault_does_not_hold_up_the_end(sandbox_today: date) -> None:
    with SandboxServer(today=sandbox_today) as server:
        server.control.place_fault("slow", seconds=60)
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.get(f"{server.environment['TIME_TRACKING_BASE_URL']}/", timeout=0.1)
        begun = time.monotonic()
    assert time.monotonic() - begun < 30


def test_data_ends_with_the_day_before_the_given_one(sandbox: SandboxServer) -> None:
    rows = sandbox.control.rows("time_tracking", "time_tracking_data")
    assert max(row["date"] for row in rows) == "2026-02-03"


def test_the_day_moves_on_while_it_runs(sandbox_today: date) -> None:
    """What was tracked stays as it was, what the day brought comes to it."""
    entries = ("time_tracking", "time_tracking_data")
    with SandboxServer(today=sandbox_today) as server:
        before = {row["id"]: row for row in server.control.rows(*entries)}
        server.control.set_today(sandbox_today + timedelta(days=2))
        after = {row["id"]: row for row in server.control.rows(*entries)}
    assert before.items() < after.items()
    assert {after[key]["date"] for key in after.keys() - before} == {"2026-02-04", "2026-02-05"}


def test_servers_at_a_time_do_not_share_edits(sandbox: SandboxServer, sandbox_today: date) -> None:
    with SandboxServer(today=sandbox_today) as other:
        other.control.replace("resource_management", "roles", [])
        assert other.control.rows("resource_management", "roles") == []
    assert len(sandbox.control.rows("resource_management", "roles")) == 6


def test_another_seed_gives_other_rows(sandbox: SandboxServer, sandbox_today: date) -> None:
    with SandboxServer(seed=1, today=sandbox_today) as other:
        rows = other.control.rows("time_tracking", "time_tracking_data")
    assert rows != sandbox.control.rows("time_tracking", "time_tracking_data")


def test_serve_says_its_address_has_data_to_yesterday_and_ends_with_an_interrupt() -> None:
    script = (
        "from timetracking_assets.sandbox import serve\n"
        "serve(port=0, on_listening=lambda url: print(url, flush=True))\n"
        "print('ended')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        today = datetime.now(UTC).date()
        rows = RemoteControl(url).rows("time_tracking", "time_tracking_data")
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, output, errors) == (0, "ended\n", "")
    # A long weekend may lie between.
    last = date.fromisoformat(max(row["date"] for row in rows))
    assert today - timedelta(days=6) < last < today


def test_a_thousand_rows_take_little_time(sandbox: SandboxServer) -> None:
    environment = sandbox.environment
    credential = (
        environment["PROJECT_MANAGEMENT_EMAIL_ADDRESS"],
        environment["PROJECT_MANAGEMENT_API_KEY"],
    )
    # as often as a busy machine needs for an undisturbed one
    for _ in range(30):
        answer = requests.get(
            f"{environment['PROJECT_MANAGEMENT_BASE_URL']}/v2/entries", auth=credential, timeout=10
        )
        assert len(answer.json()["entries"]) == 1_000
        fastest = min(request["seconds"] for request in sandbox.control.requests())
        if fastest < 0.05:
            return
    pytest.fail(f"the fastest of 30 answers took {fastest:.3f} s")
