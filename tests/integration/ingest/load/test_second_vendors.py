"""Five differing vendors, each loaded by YAML alone: every table equals what the vendor holds."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from tests.support.vendors import VENDOR_DEFS
from timetracking_assets.component import load_api
from timetracking_assets.files.api_file import read_api_files
from timetracking_assets.orchestration.assets import build_api_definitions
from timetracking_assets.orchestration.resources import WAREHOUSE, WarehouseResource

if TYPE_CHECKING:
    from tests.support.platform import Platform
    from tests.support.vendors import Vendor

DAYS = ("2026-01-01", "2026-02-10")

# API -> resource -> table of the vendor, partition or range of them
RESOURCES: dict[str, dict[str, tuple[str, Any]]] = {
    "second_time_tracking": {"time_entries": ("time_entries", None)},
    "second_project_management": {
        "projects": ("projects", None),
        "customers": ("customers", None),
        "labels": ("labels", None),
        "absences": ("absences", ("2025", "2026")),
        "entries": ("entries", DAYS),
    },
    "second_workspace_time": {
        "time_entries": ("time_entries", DAYS),
        "tasks": ("tasks", None),
        "clients": ("clients", None),
    },
    "second_resource_management": {
        "staff": ("people", None),
        "clients": ("clients", None),
        "logged_time": ("logged-time", DAYS),
    },
    "second_time_analytics": {
        "users": ("users", None),
        "time_entries": ("entries", DAYS),
    },
}


def with_warehouse(definitions: dg.Definitions) -> dg.Definitions:
    shared = dg.Definitions(resources={WAREHOUSE: WarehouseResource()})
    return dg.Definitions.merge(definitions, shared)


@pytest.fixture
def load(
    vendor_settings: Mapping[str, str], platform: Platform
) -> Iterator[Callable[[str], Platform]]:
    """The platform with one vendor's file; its instance keeps events in memory, being many."""
    settings = vendor_settings

    def load(name: str) -> Platform:
        assert settings
        [file] = read_api_files(VENDOR_DEFS / name / "defs.yaml")
        api = load_api(file.own, file.path, dg.ResolutionContext.default())
        definitions = with_warehouse(build_api_definitions(api))
        return replace(platform, definitions=definitions, instance=ephemeral)

    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield load


@pytest.mark.parametrize("name", RESOURCES)
def test_each_table_is_what_the_vendor_holds(
    load: Callable[[str], Platform], vendors: Mapping[str, Vendor], name: str
) -> None:
    platform = load(name)
    for resource, (table, days) in RESOURCES[name].items():
        outcome = platform.materialize(f"{name}/{resource}", days=days)
        assert outcome.succeeded, outcome.failures
        failed = [
            (name, check.description, check.metadata)
            for checks in outcome.checks.values()
            for name, check in checks.items()
            # their rows end before the range of days does
            if not check.passed and name != "volume_as_usual"
        ]
        assert failed == []
        held = vendors[name].tables[table]
        assert outcome.metadata[f"{name}/{resource}"]["dagster/row_count"] == len(held)
        if held:
            assert stored(platform, f"{name}.{resource}", list(held[0])) == sorted(
                ([_comparable(v) for v in row.values()] for row in held), key=str
            )


def stored(platform: Platform, table: str, columns: list[str]) -> list[list[Any]]:
    rows = platform.sql(f"SELECT {', '.join(columns)} FROM {table}")
    return sorted(([_comparable(value) for value in row] for row in rows), key=str)


def _comparable(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def test_no_window_is_longer_than_the_vendor_allows(
    load: Callable[[str], Platform], vendors: Mapping[str, Vendor]
) -> None:
    load("second_project_management").materialize("second_project_management/entries", days=DAYS)
    asked = {
        (request.query["from"], request.query["to"])
        for request in vendors["second_project_management"].requests
    }
    assert asked == {
        ("2026-01-01", "2026-01-31"),
        ("2026-02-01", "2026-02-10"),
    }


def test_a_table_without_a_key_is_replaced(
    load: Callable[[str], Platform], vendors: Mapping[str, Vendor]
) -> None:
    platform = load("second_project_management")
    key = "second_project_management/labels"
    platform.materialize(key)
    labels = vendors["second_project_management"].tables["labels"]
    labels[0] = {"label": "new", "color": "blue"}
    labels.append(dict(labels[1]))
    metadata = platform.materialize(key).metadata[key]
    counted = {
        name: metadata[f"rows_{name}"] for name in ("inserted", "updated", "unchanged", "deleted")
    }
    assert counted == {"inserted": 2, "updated": 0, "unchanged": 29, "deleted": 1}
    assert stored(platform, "second_project_management.labels", ["label", "color"]) == sorted(
        (list(row.values()) for row in labels), key=str
    )
    # a table that shrinks too far is left alone, with or without a key
    del labels[5:]
    outcome = platform.materialize(key)
    assert "would remove" in outcome.failures[key]


def test_two_accounts_of_one_vendor_are_two_folders(
    tmp_path: Path,
    platform: Platform,
    vendor_settings: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    package = tmp_path / "accounts"
    shutil.copytree(VENDOR_DEFS / "second_resource_management", package / "defs" / "vienna")
    folder = package / "defs" / "berlin"
    folder.mkdir(parents=True)
    (package / "__init__.py").touch()
    (folder / "defs.yaml").write_text(
        "type: timetracking_assets.RestApi\n"
        "attributes: {name: berlin, extends: ../vienna, select: [staff]}\n"
    )
    (tmp_path / "pyproject.toml").write_text(
        '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "accounts"\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    for key, value in vendor_settings.items():
        if key.startswith("SECOND_RESOURCE_MANAGEMENT_"):
            monkeypatch.setenv(key.replace("SECOND_RESOURCE_MANAGEMENT", "BERLIN"), value)
    definitions = with_warehouse(dg.load_from_defs_folder(path_within_project=package))
    both = replace(platform, definitions=definitions)
    outcome = both.materialize("berlin/staff", "second_resource_management/staff")
    assert outcome.green, outcome.failures
    assert both.tables() == {"berlin.staff", "second_resource_management.staff"}
    assert both.keys("berlin.staff", "people_id") == list(range(1, 131))
    assert os.environ["BERLIN_API_TOKEN"] not in f"{outcome.metadata}{outcome.printed}"
