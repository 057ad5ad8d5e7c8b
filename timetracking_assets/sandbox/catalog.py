"""Which APIs and resources the sandbox serves, where, and what identifies a row.

What an API answers for a resource belongs to `apis`, the rows themselves to `dataset`.
"""

from dataclasses import dataclass
from typing import Final

KEYS: Final[dict[str, dict[str, str]]] = {
    "time_tracking": {"time_tracking_data": "id"},
    "project_management": dict.fromkeys(("projects", "absences", "customers", "entries"), "id"),
    "workspace_time": {
        "time_entries": "id",
        "organizations": "id",
        "organizations_users": "id",
        "organizations_groups": "group_id",
        # A statistics object carries no identifier: the row held does, the answer does not.
        "workspace": "workspace_id",
        "workspace_clients": "id",
        "workspace_projects": "id",
        "workspace_tasks": "id",
    },
    "resource_management": dict.fromkeys(
        (
            "accounts",
            "departments",
            "people",
            "roles",
            "public_holidays",
            "holidays",
            "projects",
            "status",
            "time_off",
            "timeoff_types",
            "clients",
            "phases",
            "project_tasks",
            "milestones",
            "tasks",
            "logged_time",
        ),
        "id",
    ),
    "time_analytics": dict.fromkeys(
        ("users", "projects", "clients", "tags", "user_groups", "time_entries", "tasks"), "id"
    ),
}
"""Per API and resource, the field that identifies a row."""

PREFIXES: Final[dict[str, str]] = {
    "time_tracking": "/time_tracking",
    "project_management": "/project_management",
    "workspace_time": "/workspace_time",
    "resource_management": "/resource_management/v3",
    "time_analytics": "/time_analytics",
}
"""Per API, the path that its base URL ends in."""


@dataclass(frozen=True, slots=True)
class UnknownResourceError(LookupError):
    """There is no such API, or it has no such resource."""

    api: str
    resource: str

    def __str__(self) -> str:
        if self.api not in KEYS:
            return f"no API '{self.api}'; there are: {', '.join(KEYS)}"
        known = ", ".join(KEYS[self.api])
        return f"no resource '{self.resource}' in '{self.api}'; there are: {known}"


def key_field(api: str, resource: str) -> str:
    """The field that identifies a row; `UnknownResourceError` if there is no such resource."""
    try:
        return KEYS[api][resource]
    except KeyError:
        raise UnknownResourceError(api, resource) from None


def api_of_path(path: str) -> str | None:
    """The API that answers below this request path, or None."""
    for api, prefix in PREFIXES.items():
        if path == prefix or path.startswith(f"{prefix}/"):
            return api
    return None
