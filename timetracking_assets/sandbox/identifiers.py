"""The identifiers that a user configures: organizations and workspaces.

They are constants, independent of the seed and of the day, because environments are written from
them before any server runs. Identifiers of ordinary rows belong to the dataset.
"""

from hashlib import sha256
from typing import Final


def hex_id(*labels: object) -> str:
    """A stable 24-digit hexadecimal identifier for what the labels name."""
    return sha256("/".join(str(label) for label in labels).encode()).hexdigest()[:24]


ORGANIZATION_IDS: Final[tuple[int, ...]] = (9_001, 9_002)
"""Organizations of `workspace_time`."""

WORKSPACE_ORGANIZATIONS: Final[dict[int, int]] = {71_001: 9_001, 71_002: 9_001, 72_001: 9_002}
"""Workspaces of `workspace_time`, each with the organization that it belongs to."""

WORKSPACE_IDS: Final[tuple[int, ...]] = tuple(WORKSPACE_ORGANIZATIONS)
"""Workspaces of `workspace_time`."""

ANALYTICS_WORKSPACE_IDS: Final = (hex_id("workspace", 1), hex_id("workspace", 2))
"""Workspaces of `time_analytics`."""
