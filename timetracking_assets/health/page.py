"""The health report as one HTML page that needs nothing but itself.

Names and errors come from APIs and are hostile: the templates escape everything, the data of the
hours is JSON that can't end its element, and the page's own policy lets no other script run.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from timetracking_assets.health.calendar import calendar, months
from timetracking_assets.health.charts import activity, bar_chart
from timetracking_assets.health.freshness import age
from timetracking_assets.health.hours import Hours
from timetracking_assets.health.model import AssetHealth, CheckResult, Incident, Report, State
from timetracking_assets.orchestration.hours.age import ModelAge

SPAN = 90
"""How many days of incidents the page shows."""
_MOST_INCIDENTS, _MOST_CHANGES = 30, 20


@dataclass(frozen=True)
class HoursPart:
    """The second part of the page: the sums, how old they are, and why there are none."""

    hours: Hours | None = None
    age: ModelAge = ModelAge()  # noqa: RUF009 - it can't be changed
    problem: str = ""

    @property
    def notes(self) -> list[str]:
        """What a reader of the sums has to know."""
        return self.age.notes(self.hours.sources) if self.hours else []


def render_page(report: Report, hours: HoursPart, ui_url: str, refresh: int | None = None) -> str:
    """The page. `ui_url` is where the Dagster UI is (empty: no links), `refresh` the seconds after
    which a served page loads itself again.

    Raises ValueError for a `ui_url` that is no web address.
    """
    check_address(ui_url)
    environment = Environment(
        loader=PackageLoader("timetracking_assets.health"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # a large team's hours are megabytes
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    environment.filters |= {
        "instant": _instant,
        "number": _number,
        "age": age,
        "place": partial(_place, now=report.at),
    }
    source = environment.loader.get_source if environment.loader else None
    assert source is not None
    style, script, hours_script = (
        source(environment, name)[0] for name in ("page.css", "page.js", "hours.js")
    )
    # one element, so that one hash lets it run
    script += hours_script
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("page.html").render(
        report=report,
        incidents=_incidents(report),
        most_incidents=_MOST_INCIDENTS,
        span=SPAN,
        schema_changes=_schema_changes(report),
        part=hours,
        data=hours.hours.for_script() if hours.hours else None,
        ui=ui_url.rstrip("/"),
        refresh=refresh,
        states=[State.FAILED, State.WARNING, State.OK, State.UNUSED],
        calendar=calendar,
        months=months,
        activity=activity,
        bar_chart=bar_chart,
        # our own files, not data
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        script_hash=digest,
    )


def check_address(ui_url: str) -> None:
    """Raise ValueError for an address of the Dagster UI that is no web address; empty is one."""
    if ui_url and urlsplit(ui_url).scheme not in ("http", "https"):
        raise ValueError(f"the address of the Dagster UI must be http or https, got {ui_url!r}")


def _incidents(report: Report) -> list[tuple[AssetHealth, Incident]]:
    """The incidents of all assets that were open in the last days, the newest first."""
    since = report.at - timedelta(days=SPAN)
    recent = [
        (asset, incident)
        for asset in report.assets
        for incident in asset.incidents
        if incident.ended is None or incident.ended >= since
    ]
    return sorted(recent, key=lambda pair: pair[1].began, reverse=True)


def _schema_changes(report: Report) -> list[tuple[AssetHealth, CheckResult]]:
    """The newest changes of columns, the newest first."""
    changes = [(asset, change) for asset in report.assets for change in asset.schema_changes]
    return sorted(changes, key=lambda pair: pair[1].at, reverse=True)[:_MOST_CHANGES]


def _place(incident: Incident, now: datetime) -> str:
    """CSS: where an incident lies on a line of the last days, and how much of it it takes."""
    line = timedelta(days=SPAN)
    begin = max(timedelta(), incident.began - (now - line)) / line
    end = ((incident.ended or now) - (now - line)) / line
    return f"left:{min(begin, 0.99):.2%};width:{max(end - begin, 0):.2%}"


def _instant(at: datetime | None) -> Markup | str:
    if at is None:
        return "never"
    markup = Markup('<time datetime="{}">{} UTC</time>')
    return markup.format(at.isoformat(timespec="seconds"), at.strftime("%Y-%m-%d %H:%M"))


def _number(value: float | None) -> str:
    if value is None or value != value:
        return ""
    return f"{value:,.0f}" if value == round(value) or value >= 100 else f"{value:,.1f}"
