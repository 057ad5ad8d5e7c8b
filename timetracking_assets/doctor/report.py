"""An examination as a person reads it.

Nothing is judged here; `--json` prints `Examination.as_json` instead.
"""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from timetracking_assets.doctor.findings import Examination, Finding

_SIGNS = {"ok": "[green]ok[/]    ", "advice": "[yellow]advice[/]", "error": "[red]error[/] "}


def print_examination(console: Console, examination: Examination) -> None:
    """Print each finding with its YAML; what is as configured in one line for each resource."""
    console.print(f"[bold]{examination.api}[/] ({examination.requests} requests)")
    for resource, findings in sorted(examination.findings.items(), key=lambda item: item[0] != ""):
        if resource:
            console.print(f"  [bold]{resource}[/]")
        good = [finding for finding in findings if finding.level == "ok"]
        if good and resource:
            topics = "; ".join(f"{f.topic}: {f.message}" for f in good)
            _line(console, "ok", topics)
            findings = [finding for finding in findings if finding.level != "ok"]
        for finding in findings:
            _finding(console, finding)


def _finding(console: Console, finding: Finding) -> None:
    _line(console, finding.level, f"{finding.topic}: {finding.message}")
    for line in (finding.yaml or "").splitlines():
        console.print(f"             [cyan]{escape(line)}[/]", soft_wrap=True, highlight=False)


def _line(console: Console, level: str, text: str) -> None:
    # an API's messages may look like markup
    console.print(f"    {_SIGNS[level]} {escape(text)}", soft_wrap=True, highlight=False)
