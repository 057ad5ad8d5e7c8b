"""References between generated rows hold."""

import re
from datetime import date
from typing import Any

import pytest

from timetracking_assets.sandbox.dataset import DEFAULT_SEED, generate

DATA = generate(DEFAULT_SEED, date(2026, 2, 4))

# Resource, path of the field that refers, the resource referred to, its key.
REFERENCES = [
    ("project_management", "projects", "customers_id", "customers", "id"),
    ("project_management", "entries", "customer_id", "customers", "id"),
    ("project_management", "entries", "project_id", "projects", "id"),
    ("workspace_time", "time_entries", "workspace_id", "workspace", "workspace_id"),
    ("workspace_time", "time_entries", "project_id", "workspace_projects", "id"),
    ("workspace_time", "time_entries", "task_id", "workspace_tasks", "id"),
    ("workspace_time", "time_entries", "user_id", "organizations_users", "user_id"),
    ("workspace_time", "organizations_users", "organization_id", "organizations", "id"),
    ("workspace_time", "organizations_users", "workspaces", "workspace", "workspace_id"),
    ("workspace_time", "organizations_groups", "organization_id", "organizations", "id"),
    ("workspace_time", "organizations_groups", "users", "organizations_users", "user_id"),
    ("workspace_time", "workspace_clients", "workspace_id", "workspace", "workspace_id"),
    ("workspace_time", "workspace_projects", "workspace_id", "workspace", "workspace_id"),
    ("workspace_time", "workspace_projects", "client_id", "workspace_clients", "id"),
    ("workspace_time", "workspace_tasks", "workspace_id", "workspace", "workspace_id"),
    ("workspace_time", "workspace_tasks", "project_id", "workspace_projects", "id"),
    ("workspace_time", "workspace_tasks", "user_id", "organizations_users", "user_id"),
    ("resource_management", "departments", "parent_id", "departments", "id"),
    ("resource_management", "people", "department_id", "departments", "id"),
    ("resource_management", "people", "department.id", "departments", "id"),
    ("resource_management", "people", "role_id", "roles", "id"),
    ("resource_management", "holidays", "creator_id", "accounts", "id"),
    ("resource_management", "projects", "client_id", "clients", "id"),
    ("resource_management", "projects", "project_manager", "accounts", "id"),
    ("resource_management", "phases", "project_id", "projects", "id"),
    ("resource_management", "project_tasks", "project_id", "projects", "id"),
    ("resource_management", "tasks", "project_id", "projects", "id"),
    ("resource_management", "tasks", "phase_id", "phases", "id"),
    ("resource_management", "tasks", "project_task_id", "project_tasks", "id"),
    ("resource_management", "tasks", "person_id", "people", "id"),
    ("resource_management", "status", "person_id", "people", "id"),
    ("resource_management", "time_off", "timeoff_type_id", "timeoff_types", "id"),
    ("resource_management", "time_off", "people_ids", "people", "id"),
    ("resource_management", "time_off", "status.by", "accounts", "id"),
    ("resource_management", "logged_time", "person_id", "people", "id"),
    ("resource_management", "logged_time", "project_id", "projects", "id"),
    ("resource_management", "logged_time", "task_id", "tasks", "id"),
    ("time_analytics", "projects", "clientId", "clients", "id"),
    ("time_analytics", "user_groups", "userIds", "users", "id"),
    ("time_analytics", "tasks", "projectId", "projects", "id"),
    ("time_analytics", "tasks", "assigneeIds", "users", "id"),
    ("time_analytics", "time_entries", "userId", "users", "id"),
    ("time_analytics", "time_entries", "projectId", "projects", "id"),
    ("time_analytics", "time_entries", "taskId", "tasks", "id"),
    ("time_analytics", "time_entries", "tagIds", "tags", "id"),
]


def field(row: dict[str, Any], path: str) -> Any:
    value: Any = row
    for name in path.split("."):
        value = value[name]
    return value


@pytest.mark.parametrize(
    ("api", "resource", "path", "target", "key"),
    REFERENCES,
    ids=[f"{api}.{resource}.{path}" for api, resource, path, _, _ in REFERENCES],
)
def test_references_hold(api: str, resource: str, path: str, target: str, key: str) -> None:
    known = {row[key] for row in DATA[api][target]}
    referred: set[Any] = set()
    for row in DATA[api][resource]:
        value = field(row, path)
        referred.update(value if isinstance(value, list) else [value])
    referred.discard(None)
    assert referred, "nothing refers: the test proves nothing"
    assert referred <= known


def test_an_entry_its_project_and_its_task_belong_together() -> None:
    projects = {row["id"]: row for row in DATA["workspace_time"]["workspace_projects"]}
    tasks = {row["id"]: row for row in DATA["workspace_time"]["workspace_tasks"]}
    for entry in DATA["workspace_time"]["time_entries"]:
        assert entry["workspace_id"] == projects[entry["project_id"]]["workspace_id"]
        if entry["task_id"] is not None:
            assert tasks[entry["task_id"]]["project_id"] == entry["project_id"]
    plans = {row["id"]: row for row in DATA["resource_management"]["tasks"]}
    for logged in DATA["resource_management"]["logged_time"]:
        if logged["task_id"] is not None:
            assert plans[logged["task_id"]]["project_id"] == logged["project_id"]
    users = {row["id"]: row for row in DATA["time_analytics"]["users"]}
    analytics_tasks = {row["id"]: row for row in DATA["time_analytics"]["tasks"]}
    for row in DATA["time_analytics"]["time_entries"]:
        assert row["workspaceId"] == users[row["userId"]]["workspaceId"]
        if row["taskId"] is not None:
            assert analytics_tasks[row["taskId"]]["projectId"] == row["projectId"]


def test_users_are_in_one_workspace_only() -> None:
    users = DATA["time_analytics"]["users"]
    assert len({row["workspaceId"] for row in users}) == 2
    assert all(re.fullmatch("[0-9a-f]{24}", row["id"]) for row in users)
