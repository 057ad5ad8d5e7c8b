"""Findings of the doctor, each with the YAML that would help.

Only shapes belong here; they are made in `diagnosis.py` and `paging.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

Level = Literal["ok", "advice", "error"]


@dataclass(frozen=True)
class Finding:
    """`error`: a load fails or loses rows; `advice`: it may be meant so; `ok`: as configured.

    `yaml` is what to merge into the resource (into the API's attributes, where the finding has no
    resource, or a key is not one of a resource). What only a person can complete is a comment.
    """

    level: Level
    topic: str
    message: str
    yaml: str | None = None


@dataclass
class Examination:
    """The findings of one API, by resource; those about the API as a whole under the empty name."""

    api: str
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    requests: int = 0
    mask: Callable[[str], str] = str

    def add(self, resource: str, *findings: Finding) -> None:
        """Note findings of a resource, secrets masked: an answer may repeat what was sent."""
        masked = [replace(finding, message=self.mask(finding.message)) for finding in findings]
        self.findings.setdefault(resource, []).extend(masked)

    @property
    def healthy(self) -> bool:
        """Whether a load would succeed and lose nothing, as far as was seen."""
        return not any(f.level == "error" for findings in self.findings.values() for f in findings)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        resources = {name: list(map(asdict, findings)) for name, findings in self.findings.items()}
        return {
            "api": self.api,
            "healthy": self.healthy,
            "requests": self.requests,
            "findings": resources.pop("", []),
            "resources": resources,
        }
