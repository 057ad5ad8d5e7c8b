"""Charts of loads over time: SVG made here, so that the page needs no script to show them.

pygal draws; its script and style are left out, colours come from the page (so that they follow
light and dark), and each mark gets a title. Each chart has its figures beside it as a table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from xml.etree import ElementTree

import pygal
from markupsafe import Markup
from pygal.style import Style

from timetracking_assets.health.model import ApiHealth, Load

DAYS = 30
_LONG_NUMBER = re.compile(r"(\d+\.\d)\d+")
_SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Series:
    """What one chart shows: a number for each day, summed (or the lowest) over the day's loads."""

    title: str
    unit: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Activity:
    """The loads of an API on each of the last days, oldest first; days without one are there."""

    days: tuple[date, ...]
    loads: tuple[int, ...]
    """How many loads there were on each day."""
    series: tuple[Series, ...]


def activity(api: ApiHealth) -> Activity:
    """What the API's loads took on each of the 30 days up to the newest one; empty without any."""
    by_day: dict[date, list[Load]] = {}
    for asset in api.assets:
        for load in asset.loads:
            by_day.setdefault(load.at.date(), []).append(load)
    last = max(by_day, default=None)
    days = tuple(last - timedelta(days=n) for n in reversed(range(DAYS))) if last else ()

    def series(title: str, unit: str, of: Callable[[Load], float]) -> Series:
        return Series(title, unit, tuple(sum(map(of, by_day.get(day, []))) for day in days))

    shown = [
        series("Duration", "seconds", lambda load: load.seconds),
        series("Requests", "requests", lambda load: load.numbers.get("requests", 0)),
        series("Retries", "retries", lambda load: load.numbers.get("retries", 0)),
        series("Rows changed", "rows", lambda load: load.rows_changed),
    ]
    quotas = [
        [
            n
            for load in by_day.get(day, [])
            if (n := load.numbers.get("quota_remaining")) is not None
        ]
        for day in days
    ]
    if any(quotas):
        lowest = tuple(min(quota) if quota else float("nan") for quota in quotas)
        shown.append(Series("Lowest quota left", "requests", lowest))
    return Activity(days, tuple(len(by_day.get(day, [])) for day in days), tuple(shown))


def bar_chart(days: Sequence[date], series: Series) -> Markup:
    """A small bar chart as inline SVG; safe, because pygal's text is escaped by its XML writer."""
    chart = pygal.Bar(
        width=360,
        height=170,
        margin=4,
        margin_top=8,
        # room for half of the last day's name
        margin_right=16,
        spacing=4,
        style=Style(font_family="inherit"),
        js=[],
        css=[],
        show_legend=False,
        include_x_axis=True,
        max_scale=5,
        min_scale=2,
        show_minor_x_labels=False,
        x_labels=[f"{day:%d %b}" for day in days],
        x_labels_major_count=4,
        truncate_label=-1,
        disable_xml_declaration=True,
    )
    chart.add(
        series.title,
        [{"value": None if value != value else round(value, 2)} for value in series.values],
    )
    ElementTree.register_namespace("", _SVG[1:-1])
    tree = ElementTree.fromstring(chart.render(is_unicode=True))  # noqa: S314 - we wrote it
    for unneeded in [*tree.findall(f"{_SVG}defs"), *tree.findall(f"{_SVG}title")]:
        tree.remove(unneeded)
    for bar in tree.iter(f"{_SVG}g"):
        notes = {note.get("class"): note.text for note in bar.findall(f"{_SVG}desc")}
        for note in bar.findall(f"{_SVG}desc"):
            bar.remove(note)
        if "value" in notes:
            title = ElementTree.SubElement(bar, f"{_SVG}title")
            title.text = f"{notes.get('x_label')}: {notes['value']} {series.unit}"
    for element in tree.iter():
        for name, value in element.attrib.items():
            # a tenth of a pixel is enough
            element.set(name, _LONG_NUMBER.sub(r"\1", value))
    tree.set("role", "img")
    tree.set("aria-label", f"{series.title} by day; the figures are in the table below")
    tree.attrib.pop("id", None)
    return Markup(ElementTree.tostring(tree, encoding="unicode"))  # noqa: S704 - escaped above
