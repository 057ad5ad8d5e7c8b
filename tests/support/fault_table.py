"""The table fault x phase -> outcome, printed after the tests of `tests/reliability`."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest


class Outcomes:
    """What became of the table after each fault; `FaultTable` prints it at the end."""

    def __init__(self, item: pytest.Item) -> None:
        self._item = item

    def add(self, fault: str, phase: str, outcome: str) -> None:
        """Count one case."""
        self._item.user_properties.append(("outcome", (fault, phase, outcome)))


class FaultTable:
    """Prints what became of tables after faults, as the tests of `tests/reliability` counted it."""

    def __init__(self) -> None:
        self._counted: dict[tuple[str, str], Counter[str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties if report.when == "call" else ():
            if name == "outcome":
                fault, phase, outcome = value
                self._counted.setdefault((fault, phase), Counter())[outcome] += 1

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if not self._counted:
            return
        rows = [
            (fault, phase, f"{counts.total()}", "; ".join(f"{n} x {o}" for o, n in counts.items()))
            for (fault, phase), counts in sorted(self._counted.items())
        ]
        head = ("fault", "phase", "cases", "outcome")
        widths = [max(len(row[column]) for row in [head, *rows]) for column in range(4)]
        terminalreporter.section("fault x phase -> outcome")
        for row in [head, tuple("-" * width for width in widths), *rows]:
            cells = " | ".join(c.ljust(width) for c, width in zip(row, widths, strict=True))
            terminalreporter.write_line(f"| {cells} |")
        terminalreporter.write_line(f"{sum(int(row[2]) for row in rows)} cases")
