"""The doctor, given a shipped file against a differing vendor, names what must change.

Each vendor is met twice: with the shipped file as it is, and with what the first page of a vendor's
documentation says (authentication, paths, a required header) put right. `FOUND` is what the doctor
then says, `MISSED` what has to be read in the vendor's documentation all the same.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg
import pytest
import yaml

from tests.support.vendors import VENDOR_DEFS
from timetracking_assets.component import load_api
from timetracking_assets.doctor.examination import examine
from timetracking_assets.doctor.findings import Examination
from timetracking_assets.files.api_file import read_api_files

if TYPE_CHECKING:
    from tests.support.vendors import Vendor

UNTIL = date(2026, 2, 1)

# what the documentation's first page says
CORRECTED = {
    "second_time_tracking": """
  extends: time_tracking
  client: {auth: {name: X-Token, location: header}}
  resources:
    - {name: time_tracking_data, endpoint: {path: api/v2/time-entries}}
""",
    "second_project_management": """
  extends: project_management
  client:
    auth: {type: bearer, token: "${SECOND_PROJECT_MANAGEMENT_API_TOKEN}"}
    headers: {X-Account-Id: "${SECOND_PROJECT_MANAGEMENT_ACCOUNT}"}
  resources:
    - {name: projects, endpoint: {path: rest/projects}}
    - {name: customers, endpoint: {path: rest/customers}}
    - name: absences
      endpoint: {path: rest/absences}
    - name: entries
      window: {start_param: from, end_param: to, format: date}
      endpoint: {path: rest/entries}
""",
    "second_workspace_time": """
  extends: workspace_time
  select: [time_entries, workspace_tasks, workspace_clients]
  resources:
    - name: time_entries
      window: {start_param: since, end_param: until, format: unix_milliseconds}
      endpoint: {path: v9/entries}
    - name: workspace_tasks
      endpoint: {path: "v9/workspace/{resources.configured.workspace_id}/tasks"}
    - name: workspace_clients
      endpoint: {path: "v9/workspace/{resources.configured.workspace_id}/clients"}
""",
    "second_resource_management": """
  extends: resource_management
  select: [people, clients, logged_time]
  client: {headers: {X-Client: "${SECOND_RESOURCE_MANAGEMENT_CLIENT}"}}
  whoami: {path: v3/me, field: user.email}
  resources:
    - {name: people, endpoint: {path: v3/people}}
    - {name: clients, endpoint: {path: v3/clients}}
    - name: logged_time
      window: {format: "%Y-%m-%d %H:%M:%S"}
      endpoint: {path: v3/logged-time}
""",
    "second_time_analytics": """
  extends: time_analytics
  select: [users]
  client:
    auth:
      type: oauth2_client_credentials
      access_token_url: ${SECOND_TIME_ANALYTICS_BASE_URL}/oauth/token
      client_id: ${SECOND_TIME_ANALYTICS_CLIENT_ID}
      client_secret: ${SECOND_TIME_ANALYTICS_CLIENT_SECRET}
  resources:
    - name: users
      endpoint:
        method: POST
        path: "w/{resources.configured.workspace_id}/users"
        json: {paging: {size: 50}}
        paginator: {page_param: null, page_body_path: paging.page}
""",
}


def run(name: str, attributes: str) -> Examination:
    own = yaml.safe_load(f"attributes:\n  name: {name}\n{attributes}")["attributes"]
    api = load_api(own, None, dg.ResolutionContext.default())
    return examine(api, os.environ, UNTIL)


# vendor -> resource -> (topic, line of YAML), of what would make a load fail or lose rows
FOUND: dict[str, dict[str, list[tuple[str, str | None]]]] = {
    "second_time_tracking": {
        "time_tracking_data": [
            ("rows", "endpoint: {data_selector: $}"),
            ("page size", "page_size: 100"),
            ("key", "primary_key: entry_id"),
            ("pages", "endpoint: {paginator: {offset_param: ...}}"),
        ]
    },
    "second_project_management": {
        "projects": [
            ("rows", "null_is_empty: true"),
            ("pages", "endpoint: {paginator: {total_path: headers.x-page-count}}"),
        ],
        "customers": [
            ("rows", "endpoint: {data_selector: result.rows}"),
            ("pages", "endpoint: {paginator: {total_path: headers.x-page-count}}"),
            ("pages", "endpoint: {paginator: {page_param: ...}}"),
        ],
        "absences": [("parameters", None)],
        "entries": [("parameters", "window: {max_days: 31}")],
    },
    "second_workspace_time": {
        "time_entries": [
            ("rows", "endpoint: {data_selector: items}"),
            ("columns", "columns: {start: null}"),
            ("window", "window: {field: begun}"),
            ("window", "begun: {data_type: timestamp, format: unix_milliseconds, nullable: false}"),
        ],
        "workspace_clients": [("rows", "endpoint: {data_selector: items}")],
        "workspace_tasks": [
            ("rows", "endpoint: {data_selector: items}"),
            ("page size", "page_size: 20"),
        ],
    },
    "second_resource_management": {
        "people": [
            ("rows", "endpoint: {data_selector: $}"),
            ("key", "primary_key: people_id"),
            ("columns", "active: {data_type: bigint}"),
        ],
        "clients": [("quota", None)],
        "logged_time": [
            ("rows", "endpoint: {data_selector: $}"),
            ("key", "primary_key: logged_time_id"),
        ],
    },
    "second_time_analytics": {
        "users": [
            ("status", "success_codes: [201]"),
            ("rows", "endpoint: {data_selector: list}"),
        ]
    },
}

# the same, of what may be meant so
ADVISED: dict[str, dict[str, list[tuple[str, str | None]]]] = {
    "second_time_tracking": {
        "time_tracking_data": [
            ("pages", "endpoint: {paginator: {total_path: headers.x-total-count}}"),
            ("times", "begun: {data_type: timestamp, timezone: Europe/Berlin}"),
        ]
    },
    "second_project_management": {"customers": [("columns", "number: null")]},
    "second_workspace_time": {
        "time_entries": [("times", "begun: {data_type: timestamp, format: unix_milliseconds}")]
    },
    "second_resource_management": {
        "people": [
            ("pages", "endpoint: {paginator: {total_path: headers.x-pagination-page-count}}")
        ],
        "logged_time": [("times", "modified: {timezone: Europe/Berlin}")],
    },
    "second_time_analytics": {
        "users": [("pages", "endpoint: {paginator: {has_more_path: headers.x-has-more}}")]
    },
}

MISSED = {
    "second_time_tracking": ["the names of the parameters for offset and limit", "which zone"],
    "second_project_management": [
        "the names of the window's parameters, unless the API tells them",
        "that the last day is counted in",
        "that the page size is requested by another name, as the file has no `page_size`",
        "resources that the file doesn't have",
    ],
    "second_workspace_time": [
        "that a page beyond the second repeats the last",
        "that 404 is an empty list: it is seen only for an id that has none",
    ],
    "second_resource_management": ["which zone", "that a 402 passes"],
    "second_time_analytics": ["where in the body a window goes"],
}

# what the shipped file alone gets to hear, with nothing put right but the base URL
FIRST = {
    "second_time_tracking": "credentials",
    "second_project_management": "credentials",
    "second_workspace_time": "path",
    "second_resource_management": "parameters",
    "second_time_analytics": "credentials",
}


@pytest.mark.parametrize("name", CORRECTED)
def test_what_the_doctor_finds_and_misses(
    name: str, vendors: Mapping[str, Vendor], vendor_settings: Mapping[str, str]
) -> None:
    examination = run(name, CORRECTED[name])
    for level, expected in (("error", FOUND[name]), ("advice", ADVISED[name])):
        for resource, wanted in expected.items():
            said = [f for f in examination.findings[resource] if f.level == level]
            for topic, line in wanted:
                assert any(
                    f.topic == topic and (line is None or line in (f.yaml or "")) for f in said
                ), (resource, topic, line, said)
            if level == "error":
                assert {f.topic for f in said} == {topic for topic, _ in wanted}, resource
    assert not examination.healthy
    assert MISSED[name]
    paths = [request.path for request in vendors[name].requests if "oauth" not in request.path]
    assert max(map(paths.count, paths)) <= 2
    said_of_all = json.dumps(examination.as_json())
    secrets = [value for key, value in vendor_settings.items() if "TOKEN" in key or "KEY" in key]
    assert not [secret for secret in secrets if secret in said_of_all]


@pytest.mark.parametrize("name", CORRECTED)
def test_the_shipped_file_alone_hears_where_to_begin(
    name: str, vendor_settings: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = name.upper()
    for variable in ("API_KEY", "API_TOKEN", "EMAIL_ADDRESS", "WORKSPACE_IDS", "ORGANIZATION_IDS"):
        if f"{prefix}_{variable}" not in vendor_settings:
            monkeypatch.setenv(f"{prefix}_{variable}", "some-value")
    examination = run(name, f"  extends: {name.removeprefix('second_')}")
    said = {f.topic for found in examination.findings.values() for f in found if f.level == "error"}
    assert FIRST[name] in said


def test_a_missing_header_is_named(
    vendor_settings: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    without = CORRECTED["second_project_management"].replace(
        'headers: {X-Account-Id: "${SECOND_PROJECT_MANAGEMENT_ACCOUNT}"}', "headers: {}"
    )
    found = run("second_project_management", without).findings["customers"]
    assert (
        found[0].yaml
        == 'client: {headers: {X-Account-Id: "${MY_VARIABLE}"}}   # beside `resources`'
    )


@pytest.mark.parametrize("name", CORRECTED)
def test_the_right_file_is_found_healthy(name: str, vendor_settings: Mapping[str, str]) -> None:
    [file] = read_api_files(VENDOR_DEFS / name / "defs.yaml")
    api = load_api(file.own, file.path, dg.ResolutionContext.default())
    examination = examine(api, os.environ, UNTIL)
    wrong = {
        resource: [f for f in found if f.level == "error"]
        for resource, found in examination.findings.items()
    }
    if name == "second_resource_management":
        assert [f.topic for f in wrong.pop("clients")] == ["quota"]
    assert not any(wrong.values()), wrong
