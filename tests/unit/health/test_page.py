"""The page, the Markdown and the terminal: what they show, and that nothing in it is markup."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from io import StringIO

import pytest
from rich.console import Console

from tests.support.health import large_report
from timetracking_assets.health import terminal
from timetracking_assets.health.calendar import calendar
from timetracking_assets.health.charts import activity, bar_chart
from timetracking_assets.health.hours import DIMENSIONS, Hours
from timetracking_assets.health.markdown import render_markdown
from timetracking_assets.health.model import (
    ApiHealth,
    AssetHealth,
    CheckHealth,
    CheckResult,
    Load,
    Partition,
    PartitionState,
    Problem,
    Report,
    State,
)
from timetracking_assets.health.page import HoursPart, render_page
from timetracking_assets.orchestration.hours.age import ModelAge
from timetracking_assets.orchestration.ui_address import DEFAULT

NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&[/bold] | `x` [a](b)"


def report(text: str = "plain") -> Report:
    check = CheckHealth(text, text, (CheckResult(NOW, False, True, text, text),))
    load = Load(text, NOW, {"requests": 3, "seconds_load": 1.5, "quota_remaining": 40})
    problem = Problem(State.FAILED, text, text, "/runs/1", NOW, text)
    asset = AssetHealth(
        path=("api", text),
        group=text,
        description=text,
        state=State.FAILED,
        last_success=NOW,
        freshness=text,
        freshness_state=State.WARNING,
        rows=1234,
        problems=(problem,),
        checks=(check,),
        loads=(load,),
        partitions=(
            Partition("2026-03-09", PartitionState.LOADED, 5),
            Partition("2026-03-10", PartitionState.FAILED),
        ),
    )
    return Report(NOW, (ApiHealth(text, (asset,)),), (text,))


def hours(text: str = "plain") -> HoursPart:
    """One week of one person, whose project, client and source are the same text."""
    found = Hours(
        weeks=(date(2026, 3, 9),),
        names=dict.fromkeys(DIMENSIONS, ((text, text),)),
        currencies=(text,),
        days=((0, 0, 0, 0, 144_000, 27_000, 3_600, 4, 5),),
        work=((0, 0, 0, 0, 0, 27_000, 3_600, 0, 12.5),),
        last_due=date(2026, 3, 13),
    )
    return HoursPart(found, ModelAge(True, NOW, (text,), (text,)))


class _Elements(HTMLParser):
    """The elements of a page with their attributes, and the text of its scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_hostile_text_adds_no_element_and_no_handler() -> None:
    plain = _Elements(render_page(report(), hours(), DEFAULT)).found
    hostile = _Elements(render_page(report(HOSTILE), hours(HOSTILE), DEFAULT)).found
    assert [tag for tag, _ in hostile] == [tag for tag, _ in plain]
    assert [sorted(attributes) for _, attributes in hostile] == [
        sorted(attributes) for _, attributes in plain
    ]


def test_the_page_needs_nothing_but_itself() -> None:
    page = render_page(report(), hours(), ui_url="")
    for tag, attributes in _Elements(page).found:
        assert tag not in ("link", "img", "iframe"), attributes
        assert "src" not in attributes
        assert not (attributes.get("href") or "#").startswith("http")
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert re.search(r"default-src 'none'.*script-src 'sha256-[A-Za-z0-9+/]+=*'", page)


def test_links_lead_to_the_dagster_ui() -> None:
    page = render_page(report(), HoursPart(), ui_url="https://dagster.example/base/")
    assert 'href="https://dagster.example/base/runs/1"' in page
    with pytest.raises(ValueError, match="http"):
        render_page(report(), HoursPart(), ui_url="javascript:alert(1)")


def test_faults_are_in_words_and_signs() -> None:
    page = render_page(report("the reason"), HoursPart(), DEFAULT)
    assert "Something has failed" in page
    assert "What needs attention" in page
    assert "the reason" in page
    assert "2026-03-10: failed" in page


def test_a_large_report_stays_small() -> None:
    page = render_page(large_report(), HoursPart(), DEFAULT)
    assert len(page.encode()) <= 500_000


def test_each_asset_has_its_place_with_all_that_is_known_of_it() -> None:
    page = render_page(large_report(), HoursPart(), DEFAULT)
    assert page.count('class="asset"') == 36
    assert 'id="asset-resource_management-people"' in page
    assert 'href="#asset-resource_management-people"' in page
    assert "Downstream: resource_management/child" in page
    assert "team:data" in page
    assert "new: nickname (text)" in page
    assert "28 of 30" in page
    assert "schedule is off" in page
    assert "still open" in page
    assert "<title>✗ 4 to look at" in page


def test_markdown_shows_text_letter_by_letter() -> None:
    text = render_markdown(report(HOSTILE), "https://dagster.example")
    assert "<script" not in text
    assert "[a](b)" not in text
    assert "](https://dagster.example/runs/1)" in text
    # every row of the table has as many cells as its head
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}


def test_terminal_and_json() -> None:
    printed = StringIO()
    console = Console(file=printed, width=200)
    terminal.print_report(report(HOSTILE), console)
    assert "[/bold]" in printed.getvalue()
    document = json.loads(terminal.as_json(report(HOSTILE)))
    assert document["state"] == "failed"
    assert document["assets"][0]["partitions"] == {"loaded": 1, "failed": 1}
    assert document["assets"][0]["problems"][0]["detail"] == HOSTILE


@pytest.mark.parametrize("width", [80, 120])
def test_names_and_dates_stay_whole_in_a_narrow_terminal(width: int) -> None:
    given = report()
    [api] = given.apis
    path = ("resource_management", "organizations_groups")
    asset = replace(api.assets[0], path=path, freshness="loaded 59 minutes ago", rows=1_234_567)
    given = replace(given, apis=(ApiHealth(path[0], (asset,)),))
    printed = StringIO()
    terminal.print_report(given, Console(file=printed, width=width))
    table = printed.getvalue().partition("Check")[0]
    [line] = [line for line in table.splitlines() if path[1] in line and "1,234,567" in line]
    assert "failed" in line
    assert "2026-03-11 12:00" in line
    assert ("59 minutes" in line) == (width == 120)
    assert any(path[0] in line for line in table.splitlines())
    assert "1 asset, 1 failed" in printed.getvalue()


def test_calendar_puts_days_into_their_weeks() -> None:
    first = date(2025, 1, 1)
    partitions = [
        Partition((first + timedelta(days=n)).isoformat(), PartitionState.LOADED, n % 5)
        for n in range(434)
    ]
    found = calendar(partitions)
    assert found is not None
    assert len(found.weeks) == 53
    assert found.weeks[-1] == date(2026, 3, 9)
    for weekday, row in enumerate(found.days):
        assert len(row) == 53
        assert all(cell.day.weekday() == weekday for cell in row if cell)
    # the last day is a Tuesday: the week's other days are still to come
    assert [row[-1] is not None for row in found.days] == [True, True] + [False] * 5
    # the months show all, also those that the calendar leaves out
    assert sum(month.loaded for month in found.months) == 434
    assert {cell.level for row in found.days for cell in row if cell} == {0, 1, 2, 3, 4}
    assert calendar([Partition("2026", PartitionState.LOADED)]) is None


def test_charts_show_each_day_and_the_lowest_quota() -> None:
    [api] = report().apis
    [asset] = api.assets
    loads = (
        *asset.loads,
        Load("b", NOW, {"requests": 2, "quota_remaining": 30}),
        Load("c", NOW - timedelta(days=2), {"requests": 1}),
    )
    done = activity(replace(api, assets=(replace(asset, loads=loads),)))
    values = {series.title: series.values for series in done.series}
    assert len(done.days) == 30
    assert done.loads[-3:] == (1, 0, 2)
    assert values["Requests"][-3:] == (1, 0, 5)
    assert values["Lowest quota left"][-1] == 30
    svg = bar_chart(done.days, done.series[1])
    assert "<script" not in svg
    assert "<style" not in svg
    assert "11 Mar: 5 requests" in svg
