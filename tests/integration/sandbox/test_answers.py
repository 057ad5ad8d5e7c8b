"""What the APIs answer: every row once, in the right envelope, and errors as JSON."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from timetracking_assets.sandbox import SandboxServer
from timetracking_assets.sandbox.catalog import KEYS
from timetracking_assets.sandbox.remote_control import RemoteControl

Get = Callable[..., requests.Response]
Rows = list[dict[str, Any]]

RESOURCE_MANAGEMENT_PATHS = {
    "public_holidays": "/public-holidays",
    "time_off": "/timeoffs",
    "timeoff_types": "/timeoff-types",
    "project_tasks": "/project-tasks",
    "logged_time": "/logged-time",
}
ANALYTICS_PATHS = {"user_groups": "user-groups"}


def pages(get: Get, api: str, path: str, size_name: str, size: int) -> Iterator[Rows]:
    """Numbered pages to the first that is not full."""
    for number in itertools.count(1):
        rows: Rows = get(api, path, {"page": number, size_name: size}).json()["data"]
        yield rows
        if len(rows) < size:
            return


def everything(get: Get, sandbox: SandboxServer, api: str, resource: str) -> Rows:
    """All rows of a resource, as a client reads them."""
    environment = sandbox.environment
    if api == "time_tracking":
        answers = (
            get(api, "/v1/resource", {"offset": offset, "limit": 100}).json()["data"]
            for offset in itertools.count(0, 100)
        )
        return list(itertools.chain(*itertools.takewhile(len, answers)))
    if api == "project_management":
        rows: Rows = []
        for number in itertools.count(1):
            answer = get(api, f"/v2/{resource}", {"page": number}).json()
            rows += answer[resource]
            if number == answer["paging"]["count_pages"]:
                return rows
    if api == "resource_management":
        path = RESOURCE_MANAGEMENT_PATHS.get(resource, f"/{resource}")
        return list(itertools.chain(*pages(get, api, path, "per-page", 200)))
    if api == "workspace_time":
        return workspace_time_rows(get, environment, resource)
    return analytics_rows(get, environment, resource)


def workspace_time_rows(get: Get, environment: dict[str, str], resource: str) -> Rows:
    api = "workspace_time"
    organizations = environment["WORKSPACE_TIME_ORGANIZATION_IDS"].split(",")
    workspaces = environment["WORKSPACE_TIME_WORKSPACE_IDS"].split(",")
    name = resource.partition("_")[2]
    if resource == "time_entries":
        return list(get(api, "/v1/me/time_entries").json()["data"])
    if resource == "organizations":
        return [get(api, f"/v1/organizations/{id_}").json()["data"] for id_ in organizations]
    if resource == "workspace":
        paths = [f"/v1/workspaces/{id_}/statistics" for id_ in workspaces]
        return [get(api, path).json()["data"] for path in paths]
    if resource == "workspace_tasks":
        lists = [
            itertools.chain(*pages(get, api, f"/v1/workspaces/{id_}/tasks", "per_page", 50))
            for id_ in workspaces
        ]
        return list(itertools.chain(*lists))
    kind, ids = (
        ("organizations", organizations)
        if resource.startswith("organizations_")
        else ("workspaces", workspaces)
    )
    answers = (get(api, f"/v1/{kind}/{id_}/{name}").json()["data"] for id_ in ids)
    return list(itertools.chain(*answers))


def analytics_rows(get: Get, environment: dict[str, str], resource: str) -> Rows:
    api, rows = "time_analytics", []

    def read(path: str) -> Rows:
        return list(itertools.chain(*pages(get, api, path, "page-size", 50)))

    for workspace in environment["TIME_ANALYTICS_WORKSPACE_IDS"].split(","):
        root = f"/v1/workspaces/{workspace}"
        if resource == "time_entries":
            for user in read(f"{root}/users"):
                rows += read(f"{root}/user/{user['id']}/time-entries")
        elif resource == "tasks":
            for project in read(f"{root}/projects"):
                rows += read(f"{root}/projects/{project['id']}/tasks")
        else:
            rows += read(f"{root}/{ANALYTICS_PATHS.get(resource, resource)}")
    return rows


@pytest.mark.parametrize(
    ("api", "resource"),
    [
        (api, resource)
        for api, resources in KEYS.items()
        for resource in resources
        if resource not in {"absences", "workspace"}
    ],
)
def test_a_client_reads_every_row_once(
    get: Get, sandbox: SandboxServer, control: RemoteControl, api: str, resource: str
) -> None:
    key = KEYS[api][resource]
    held = control.rows(api, resource)
    read = everything(get, sandbox, api, resource)
    assert sorted(read, key=lambda row: str(row[key])) == sorted(
        held, key=lambda row: str(row[key])
    )


def test_statistics_are_one_object_without_identifier(
    get: Get, sandbox: SandboxServer, control: RemoteControl
) -> None:
    held = control.rows("workspace_time", "workspace")
    read = everything(get, sandbox, "workspace_time", "workspace")
    assert [set(row) for row in read] == [{"admins", "members_count", "groups_count"}] * 3
    assert [
        {**row, "workspace_id": id_["workspace_id"]} for row, id_ in zip(read, held, strict=True)
    ] == held


def test_one_list_is_empty(get: Get) -> None:
    answer = get("resource_management", "/milestones", {"per-page": 200})
    assert answer.json() == {"data": []}
    assert answer.headers["X-Pagination-Total-Count"] == "0"


def test_an_organization_is_one_object(get: Get, sandbox: SandboxServer) -> None:
    first = sandbox.environment["WORKSPACE_TIME_ORGANIZATION_IDS"].split(",")[0]
    answer = get("workspace_time", f"/v1/organizations/{first}").json()
    assert answer["data"]["id"] == int(first)


@pytest.mark.parametrize(
    ("api", "path", "message"),
    [
        ("workspace_time", "/v1/organizations/1", "there is no organization '1'"),
        ("workspace_time", "/v1/organizations/1/users", "there is no organization '1'"),
        ("workspace_time", "/v1/workspaces/1/statistics", "there is no workspace '1'"),
        ("workspace_time", "/v1/workspaces/1/tasks", "there is no workspace '1'"),
        ("workspace_time", "/v1/organizations/71001", "there is no organization '71001'"),
        ("time_analytics", "/v1/workspaces/0/users", "there is no workspace '0'"),
        ("time_analytics", "/v1/workspaces/0/user/0/time-entries", "there is no workspace '0'"),
        ("time_analytics", "/v1/workspaces/{0}/user/0/time-entries", "there is no user '0'"),
        ("time_analytics", "/v1/workspaces/{0}/projects/0/tasks", "there is no project '0'"),
        ("time_tracking", "/v1/nothing", "there is nothing at /time_tracking/v1/nothing"),
        ("time_tracking", "/v1/resource/", "there is nothing at"),
        ("resource_management", "/time_off", "there is nothing at"),
    ],
)
def test_what_is_unknown_is_answered_with_404_as_json(
    get: Get, sandbox: SandboxServer, api: str, path: str, message: str
) -> None:
    workspaces = sandbox.environment["TIME_ANALYTICS_WORKSPACE_IDS"].split(",")
    answer = get(api, path.format(*workspaces))
    assert answer.status_code == 404
    assert message in answer.json()["error"]["message"]


def test_a_user_of_another_workspace_is_unknown(get: Get, sandbox: SandboxServer) -> None:
    one, other = sandbox.environment["TIME_ANALYTICS_WORKSPACE_IDS"].split(",")
    user = get("time_analytics", f"/v1/workspaces/{one}/users").json()["data"][0]["id"]
    path = f"/v1/workspaces/{{}}/user/{user}/time-entries"
    assert get("time_analytics", path.format(one)).status_code == 200
    assert get("time_analytics", path.format(other)).status_code == 404


def test_other_methods_are_refused_as_json(
    sandbox: SandboxServer, session: requests.Session
) -> None:
    url = sandbox.environment["TIME_TRACKING_BASE_URL"] + "/v1/resource"
    answer = session.post(url, json={}, timeout=10)
    assert (answer.status_code, answer.json()["error"]["status"]) == (405, 405)


def test_the_index_lists_the_base_urls(sandbox: SandboxServer, session: requests.Session) -> None:
    listed = session.get(sandbox.url, timeout=10).json()["base_urls"]
    environment = sandbox.environment
    assert listed == {api: environment[f"{api.upper()}_BASE_URL"] for api in KEYS}
    assert session.get(f"{sandbox.url}/health", timeout=10).json() == {"status": "ok"}
