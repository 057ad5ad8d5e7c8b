"""The health report as compact Markdown, for the metadata of an asset in the Dagster UI."""

from __future__ import annotations

import html
import re

from timetracking_assets.health.model import ApiHealth, PartitionState, Report

_MOST_PROBLEMS = 20


def render_markdown(report: Report, ui_url: str) -> str:
    """A table of APIs, and what needs attention. Names and errors can't become markup."""
    lines = [
        f"**{report.state.symbol} {report.state.word}** as of {report.at:%Y-%m-%d %H:%M} UTC",
        "",
        "| API | state | resources ok | checks passed | partitions missing or failed |",
        "| --- | --- | ---: | ---: | ---: |",
        *(_row(api) for api in report.apis),
    ]
    problems = report.problems
    if problems:
        lines += ["", "**What needs attention**", ""]
    for asset, problem in problems[:_MOST_PROBLEMS]:
        line = f"- {problem.state.symbol} **{_text(asset.name)}**: {_text(problem.what)}. "
        line += _text(problem.advice)
        lines.append(line + (f" [Open]({ui_url}{problem.link})" if ui_url else ""))
    if len(problems) > _MOST_PROBLEMS:
        lines.append(f"- and {len(problems) - _MOST_PROBLEMS} more, see the page")
    lines += [f"\n{_text(note)}" for note in report.notes]
    return "\n".join(lines)


def _row(api: ApiHealth) -> str:
    good = sum(asset.state.name == "OK" for asset in api.assets)
    passed = sum(asset.checks_passed for asset in api.assets)
    checks = sum(asset.checks_evaluated for asset in api.assets)
    lacking = sum(
        asset.count(state)
        for asset in api.assets
        for state in (PartitionState.MISSING, PartitionState.FAILED)
    )
    return (
        f"| {_text(api.name)} | {api.state.symbol} {api.state.word} | {good} of {len(api.assets)} "
        f"| {passed} of {checks} | {lacking} |"
    )


def _text(text: str) -> str:
    """Text as Markdown shows it letter by letter, on one line."""
    one_line = " ".join(text.split())
    return re.sub(r"([\\`*_\[\]|<>#~])", r"\\\1", html.escape(one_line, quote=False))
