"""The health report of a real instance: as an asset, by the command line, and in a browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from timetracking_assets.health.asset import HealthReportResource
from timetracking_assets.health.build import HealthReport, read_health
from timetracking_assets.health.model import State
from timetracking_assets.hours.report import By, Line, Selection, read_lines, total
from timetracking_assets.orchestration.resources import WarehouseResource

if TYPE_CHECKING:
    from tests.support.demo import Demo
    from tests.support.platform import Platform
    from timetracking_assets.sandbox.remote_control import RemoteControl

pytestmark = pytest.mark.timeout(600)

CHROMIUM = "/usr/bin/chromium"
ENTRIES, TABLE = "workspace_time/time_entries", "workspace_time.time_entries"
ROLES, DEPARTMENTS = "resource_management/roles", "resource_management/departments"


def read(platform: Platform) -> HealthReport:
    return read_health(platform.instance, platform.definitions, WarehouseResource().open())


def test_what_has_happened_is_in_the_report(
    hasty_platform: Platform, control: RemoteControl, day_of: Any, days_due: set[str]
) -> None:
    platform = hasty_platform
    control.place_fault("status", status=403, body="not <b>yours</b>", path="/departments$")
    platform.materialize(ROLES, DEPARTMENTS)
    platform.materialize(ENTRIES, days=(day_of(0), day_of(3)))
    platform.materialize(ENTRIES, partition=day_of(5))
    report = read(platform).report
    assets = {asset.name: asset for asset in report.assets}
    assert assets[ROLES].state == State.OK
    assert assets[ROLES].rows == len(platform.keys("resource_management.roles"))
    assert assets["time_tracking/time_tracking_data"].state == State.UNUSED

    departments = assets[DEPARTMENTS]
    assert departments.state == State.FAILED
    assert "HTTP 403" in str(departments.problems[0].detail)

    entries = assets[ENTRIES]
    reported = [problem.what for problem in entries.problems if problem.state == State.FAILED]
    between, stale = reported
    assert between == f"1 partition missing between others: {day_of(4)}"
    assert stale in {f"Not fresh: {day} is missing" for day in days_due}
    # one load for each run, though the range left an event for each of its days
    assert len(entries.loads) == 2
    counted = {partition.key: partition.rows for partition in entries.partitions}
    for number in range(4):
        day = day_of(number)
        [[rows]] = platform.sql(
            f"SELECT count(*) FROM {TABLE} WHERE CAST(start AS DATE) = DATE '{day}'"
        )
        assert (counted[day] or 0) == rows


def test_the_asset_writes_the_page(platform: Platform) -> None:
    platform.materialize(ROLES)
    outcome = platform.materialize("health_report")
    assert outcome.succeeded, outcome.failures
    metadata = outcome.metadata["health_report"]
    page = Path(metadata["page"])
    assert page == platform.warehouse.with_name("health_report.html")
    assert "roles" in page.read_text()
    assert "resource_management" in metadata["report"]
    assert metadata["assets_ok"] == 1


@pytest.mark.duckdb_only(reason="readers of a server wait for nobody")
def test_report_goes_without_a_warehouse_that_is_held(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for where nothing is published."""
    monkeypatch.setenv("TIMETRACKING_PUBLISH", "on_demand")
    platform.materialize(ROLES)
    warehouse = WarehouseResource(lock_timeout=0.1).open()
    with warehouse.exclusive("a long load", dataset="any"):
        health = read_health(platform.instance, platform.definitions, warehouse)
    assert any("a long load" in note for note in health.report.notes)
    assert {a.name: a.state for a in health.report.assets}[ROLES] == State.OK


def test_report_goes_with_the_tables_that_can_be_read(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, day_of: Any
) -> None:
    """A column that YAML declares may not be there yet; the sums of hours may be another
    version's."""
    monkeypatch.setenv("TIMETRACKING_PUBLISH", "on_demand")
    platform.materialize(ENTRIES, days=(day_of(0), day_of(9)))
    assert "has not been built yet" in read(platform).hours.problem
    platform.sql("CREATE SCHEMA IF NOT EXISTS hours")
    for table in ("person_days", "person_project_weeks"):
        platform.sql(f"CREATE TABLE hours.{table} (week DATE)")
    health = read(platform)
    assert health.report.notes == ()
    assert "hours.person_days of the model lacks person_key, day" in health.hours.problem
    assert "lacks person_key" in health.page("")
    platform.sql(f"ALTER TABLE {TABLE} DROP COLUMN start")
    platform.sql(f"ALTER TABLE {TABLE} ADD COLUMN start VARCHAR")
    reported = read(platform).report.notes
    assert any(f"Rows of {ENTRIES}" in note for note in reported)
    assert all("\n" not in note for note in reported)


@pytest.mark.duckdb_only(reason="only a DuckDB file has a copy for readers")
@pytest.mark.parametrize("content", [b"", b"no database" * 999])
def test_report_goes_without_a_broken_copy(platform: Platform, content: bytes) -> None:
    platform.materialize(ROLES)
    copy = platform.warehouse.with_suffix(".published.duckdb")
    copy.chmod(0o600)
    copy.write_bytes(content)
    assert any("not a valid DuckDB" in note for note in read(platform).report.notes)
    platform.warehouse.unlink()
    [note] = read(platform).report.notes
    assert note.startswith(f"There is no warehouse {platform.warehouse}")


def test_a_page_that_cannot_be_written(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    platform.materialize(ROLES)
    for path in (tmp_path, tmp_path / "dagster_home" / "dagster.yaml" / "report.html"):
        monkeypatch.setenv("TIMETRACKING_REPORT", str(path))
        outcome = platform.materialize("health_report")
        assert f"can't write the health report {path}" in outcome.failures["health_report"]
        assert "TIMETRACKING_REPORT" in outcome.failures["health_report"]


def test_an_address_with_a_slash_at_its_end() -> None:
    assert HealthReportResource(ui_url="https://dagster.example/").ui() == "https://dagster.example"


def test_sensor_asks_for_a_report_after_runs_and_not_after_its_own(platform: Platform) -> None:
    repository = platform.definitions.get_repository_def()
    sensor = repository.get_sensor_def("health_report_after_runs")

    def tick(cursor: str | None) -> Any:
        return sensor.evaluate_tick(
            dg.build_sensor_context(
                instance=platform.instance, cursor=cursor, repository_def=repository
            )
        )

    assert tick(None).skip_message
    platform.materialize(ROLES)
    first = tick(None)
    assert len(first.run_requests) == 1
    platform.materialize("health_report")
    assert tick(first.cursor).skip_message
    platform.materialize(ROLES)
    second = tick(first.cursor)
    assert len(second.run_requests) == 1
    # everything at once: the report may have come first
    platform.materialize("health_report", ROLES)
    assert len(tick(second.cursor).run_requests) == 1


def _call(
    demo: Demo, clean_environment: Mapping[str, str], cwd: Path, *command: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("timetracking")), *command],
        cwd=cwd,
        env={**clean_environment, "TIMETRACKING_HOME": str(demo.home), "COLUMNS": "160"},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.timeout(300)
def test_status_of_the_demo(
    demo: Demo, clean_environment: Mapping[str, str], late_start: Mapping[str, str], tmp_path: Path
) -> None:
    result = _call(demo, {**clean_environment, **late_start}, tmp_path, "status", "--json")
    document = json.loads(result.stdout)
    states = {asset["asset"]: asset["state"] for asset in document["assets"]}
    assert len(states) == 51
    assert result.returncode == (document["state"] == "failed"), result.stderr
    assert states["time_tracking/time_tracking_data"] == "ok"


def test_status_is_red_for_cron(
    hasty_platform: Platform, control: RemoteControl, settings: Mapping[str, str], tmp_path: Path
) -> None:
    control.place_fault("status", status=403, path="/departments$")
    hasty_platform.materialize(DEPARTMENTS)
    result = subprocess.run(
        [str(Path(sys.executable).with_name("timetracking")), "status"],
        cwd=tmp_path,
        env={**os.environ, **settings, "COLUMNS": "160"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 1, result.stderr
    assert "HTTP 403" in result.stdout
    assert "workspace_time: not in use" in result.stdout


@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no Chromium here")
@pytest.mark.timeout(300)
def test_the_page_in_a_browser(
    demo: Demo, monkeypatch: pytest.MonkeyPatch, late_start: Mapping[str, str], tmp_path: Path
) -> None:
    """Both parts, on a desk and on a phone, in light and dark: nothing overflows, nothing fails."""
    from playwright.sync_api import sync_playwright

    from timetracking_assets.definitions import defs

    for name, value in late_start.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TIMETRACKING_WAREHOUSE", str(demo.warehouse))
    for name, value in demo.variables.items():
        monkeypatch.setenv(name, value)
    file = tmp_path / "health_report.html"
    with demo.instance() as instance:
        health = read_health(instance, defs(), WarehouseResource().open())
    file.write_text(health.page(""))
    hours = health.hours.hours
    assert hours is not None
    assert hours.names is not None
    assert {key for key, _ in hours.names["source"]} == {
        "time_tracking",
        "project_management",
        "workspace_time",
        "resource_management",
        "time_analytics",
    }
    [[worked]] = demo.sql("SELECT sum(seconds) FROM hours.time_entries")
    assert sum(row[5] for row in hours.days) == sum(row[5] for row in hours.work) == worked

    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        for scheme in ("light", "dark"):
            for width, height in ((1440, 900), (768, 1024), (390, 844)):
                page = browser.new_page(
                    viewport={"width": width, "height": height},
                    color_scheme=scheme,  # type: ignore[arg-type]
                )
                complaints: list[str] = []
                page.on("console", lambda message, c=complaints: c.append(message.text))
                page.on("pageerror", lambda error, c=complaints: c.append(str(error)))
                page.on("request", lambda request, c=complaints: c.append(request.url))
                for part in ("health", "hours"):
                    page.goto(f"{file.as_uri()}#{part}")
                    page.locator(f"#part-{part}").wait_for()
                    page.screenshot(path=tmp_path / f"{part}-{width}-{scheme}.png")
                    overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                    assert overflow <= 0, (part, width)
                # the page itself is all that was asked for, and nothing was said
                assert {complaint.partition("#")[0] for complaint in complaints} == {file.as_uri()}
                page.close()
        _filters_narrow_the_hours(browser.new_page(), file)
        browser.close()


def _shown(page: Any) -> list[list[str]]:
    """The cells of the table, line by line; the last line is of all."""
    rows: list[list[str]] = page.evaluate(
        "[...document.querySelectorAll('#lines tr')].map(r => [...r.cells].map(c => c.innerText))"
    )
    return rows[1:]


def _figures(line: Line, *names: str) -> list[str]:
    return [f"{getattr(line, name) / 3600:,.2f}" for name in names]


def _days(line: Line) -> str:
    return f"{line.missing_days:,}/{line.due_days:,}" if line.due_days else ""


def _filters_narrow_the_hours(page: Any, file: Path) -> None:
    """Each line of the page is that of the terminal, which counts in SQL."""

    def lines(by: By, **chosen: Any) -> list[Line]:
        with WarehouseResource().open().reading("a test") as opened:
            return read_lines(opened, by, Selection(**chosen))

    times = ("planned", "absent", "available", "worked", "billable")
    # weeks that are over: the page's are whole
    today = datetime.now(UTC).date()
    last = today - timedelta(days=today.weekday() + 8)
    first = last - timedelta(weeks=30, days=-1)
    weeks = lines("week", first=first, last=last)
    page.goto(f"{file.as_uri()}#hours?by=week&from={first}&to={last}")
    page.reload()
    assert {row[0]: [*row[1:6], row[8]] for row in _shown(page)[:-1]} == {
        week.label: [*_figures(week, *times), _days(week)] for week in weeks
    }
    people = lines("person", first=first, last=last)
    page.locator("select[name=by]").select_option("person")
    assert {row[0]: [*row[1:6], row[8]] for row in _shown(page)[:-1]} == {
        person.label: [*_figures(person, *times), _days(person)] for person in people
    }

    # a filter by what only entries have; it is part of the address, and stays over a reload
    page.locator("select[name=by]").select_option("project")
    page.locator("select[name=source]").select_option("resource_management")
    [busiest, *_] = lines("person", source="resource_management", first=first, last=last)
    page.locator("select[name=person]").select_option(busiest.key)
    projects = lines(
        "project", source="resource_management", person=busiest.key, first=first, last=last
    )
    assert projects
    for _ in range(2):
        assert {row[0]: row[1:3] for row in _shown(page)[:-1]} == {
            project.label: _figures(project, "worked", "billable") for project in projects
        }
        assert "source=resource_management" in page.url
        assert "known by person and week" in page.locator("#range").inner_text()
        page.reload()

    # what isn't in the data is named, and matches nothing
    page.goto(f"{file.as_uri()}#hours?client=gone%3A1")
    page.reload()
    chosen = page.locator("select[name=client] option:checked")
    assert chosen.inner_text() == "gone:1 (not in the data)"
    assert page.locator("#range").inner_text() == "No hours match."
    page.get_by_role("button", name="Reset").click()
    page.wait_for_function("document.querySelectorAll('#lines tr').length > 2")
    assert page.url.endswith("#hours")
    # plans and working days of years to come are shown on request
    page.locator("input[name=to]").fill("")
    everything = total(lines("person"))
    assert _shown(page)[-1][1:6] == _figures(everything, *times)
