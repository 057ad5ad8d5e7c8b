"""An answer compared with its file: status, rows, key, columns, window."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import yaml

from tests.support.builders import MakeResource
from timetracking_assets.doctor.diagnosis import (
    decoded,
    find_rows,
    judge_columns,
    judge_key,
    judge_status,
    judge_window_field,
)
from timetracking_assets.doctor.sample import Sample
from timetracking_assets.doctor.shapes import MISSING
from timetracking_assets.ingest.windows import Window
from timetracking_assets.spec.window import WindowSpec

LOCAL = "2026-02-03 04:05:06"


@pytest.mark.parametrize(
    ("status", "message", "topic", "advice"),
    [
        (201, "", "status", "success_codes: [201]"),
        (400, "", "parameters", None),
        (
            400, "X-Account-Id is required", "parameters",
            'client: {headers: {X-Account-Id: "${MY_VARIABLE}"}}   # beside `resources`',
        ),
        (400, "at most 31 days", "parameters", "window: {max_days: 31}"),
        (401, "", "credentials", None),
        (402, "", "quota", None),
        (403, "", "permission", "exclude: [entries]   # beside `resources`"),
        (404, "", "path", "# endpoint: {path: ...}, or, for an empty list: success_codes: [404]"),
        (405, "", "method", "endpoint: {method: POST, json: {}}"),
        (429, "", "quota", None),
        (500, "", "status", None),
    ],
)  # fmt: skip
def test_a_status_that_is_no_success(
    resource: MakeResource, status: int, message: str, topic: str, advice: str | None
) -> None:
    finding = judge_status(resource(window="at"), Sample(status), message)
    assert (finding.level, finding.topic, finding.yaml) == ("error", topic, advice)
    assert f"HTTP {status}" in finding.message
    assert message in finding.message


def test_a_success(resource: MakeResource) -> None:
    assert judge_status(resource(), Sample(200), "").level == "ok"
    assert judge_status(resource(success_codes=(404,)), Sample(404), "").level == "ok"


def test_no_answer_at_all(resource: MakeResource) -> None:
    finding = judge_status(resource(), Sample(problem="no server answers"), "")
    assert (finding.topic, finding.message) == ("reachable", "no server answers")
    finding = judge_status(resource(), Sample(problem="used up", quota_used_up=True), "")
    assert finding.topic == "quota"


def test_a_401_names_the_authentication_that_the_api_asks_for(resource: MakeResource) -> None:
    sample = Sample(401, headers={"www-authenticate": 'Basic realm="x"'})
    assert "Basic" in judge_status(resource(), sample, "").message


def test_numbers_keep_their_digits_and_no_json_is_missing() -> None:
    assert decoded(b'{"rate": 0.10}') == {"rate": Decimal("0.10")}
    assert decoded(b"<html>") is MISSING
    assert decoded(b'{"name": "\xff"}') is MISSING


@pytest.mark.parametrize(
    ("body", "given", "place", "level", "advice"),
    [
        ({"data": [{"id": 1}]}, {}, "data", "ok", None),
        ({"data": []}, {}, "data", "ok", None),
        ({"items": [{"id": 1}]}, {}, "items", "error", "endpoint: {data_selector: items}"),
        ([{"id": 1}], {}, "$", "error", "endpoint: {data_selector: $}"),
        ({"data": None}, {}, "data", "error", "null_is_empty: true"),
        ({"data": None}, {"null_is_empty": True}, "data", "ok", None),
        (
            {"items": None}, {}, "items", "error",
            "endpoint: {data_selector: items}\nnull_is_empty: true",
        ),
        # one object where a list is
        (
            {"data": {"rows": [{"id": 1}]}}, {}, "data.rows", "advice",
            "endpoint: {data_selector: data.rows}",
        ),
        ({"data": {"id": 1, "tags": [{"name": "x"}]}}, {}, "data", "ok", None),
        # no JSON, or none that could hold rows
        (MISSING, {}, "data", "error", None),
        (7, {}, "data", "error", None),
        ({"message": "welcome"}, {}, "data", "error", None),
    ],
)  # fmt: skip
def test_where_the_rows_are(
    resource: MakeResource, body: Any, given: Any, place: str, level: str, advice: str | None
) -> None:
    found, rows, finding = find_rows(resource(**given), body)
    assert (finding.level, finding.yaml) == (level, advice)
    assert found == place
    assert rows in ([], [{"id": 1}], [{"id": 1, "tags": [{"name": "x"}]}])


def test_rows_are_seen_as_columns_are_named(resource: MakeResource) -> None:
    _, rows, _ = find_rows(resource(), {"data": [{"projectId": 1, "client": {"Name": "x"}}]})
    assert rows == [{"project_id": 1, "client__name": "x"}]


@pytest.mark.parametrize(
    ("key", "rows", "level", "advice"),
    [
        (("id",), [{"id": 1}, {"id": 2}], "ok", None),
        (("a", "b"), [{"a": 1, "b": 1}, {"a": 1, "b": 2}], "ok", None),
        (("id",), [{"id": 1, "key": 1}, {"id": 1, "key": 2}], "error", {"primary_key": "key"}),
        (("id",), [{"id": 1}, {"id": 1}], "error", {"primary_key": []}),
        (
            ("id",), [{"entry_id": 1}, {"entry_id": 2}], "error",
            {"primary_key": "entry_id",
             "columns": {"id": None, "entry_id": {"data_type": "bigint", "nullable": False}}},
        ),
        ((), [{"id": 1}, {"id": 2}], "advice", {"primary_key": "id"}),
    ],
)  # fmt: skip
def test_the_key(resource: MakeResource, key: Any, rows: Any, level: str, advice: Any) -> None:
    given = resource(primary_key=key, columns={"id": "bigint"})
    [finding] = judge_key(given, rows)
    assert finding.level == level
    assert (yaml.safe_load(finding.yaml) if finding.yaml else None) == advice


@pytest.mark.parametrize(
    ("column", "value", "level", "advice"),
    [
        ({"data_type": "bigint"}, "7", "error", {"data_type": "text"}),
        ({"data_type": "bigint"}, Decimal("7.5"), "error", {"data_type": "double"}),
        ({"data_type": "bigint"}, {"x": 1}, "error", {"data_type": "json"}),
        ({"data_type": "timestamp"}, 1_770_000_000, "error",
         {"data_type": "timestamp", "format": "unix_seconds"}),
        ({"data_type": "timestamp"}, LOCAL, "advice", {"timezone": "Europe/Berlin"}),
        ({"data_type": "timestamp", "timezone": "Europe/Berlin"}, LOCAL, None, None),
        ({"data_type": "text"}, "x", None, None),
    ],
)  # fmt: skip
def test_a_declared_column_and_its_values(
    resource: MakeResource, column: Any, value: Any, level: str | None, advice: Any
) -> None:
    rows = [{"id": 1, "field": value}]
    given = resource(columns={"id": "bigint", "field": column})
    findings = list(judge_columns(given, rows))
    assert [finding.level for finding in findings] == ([level] if level else [])
    for finding in findings:
        assert yaml.safe_load(finding.yaml or "") == {"columns": {"field": advice}}


def test_declared_columns_that_no_row_has(resource: MakeResource) -> None:
    columns = {"id": "bigint", "day": {"data_type": "date", "nullable": False}, "note": "text"}
    needed, rest = judge_columns(resource(columns=columns), [{"id": 1}])
    assert (needed.level, needed.yaml) == ("error", "columns: {day: null}")
    assert (rest.level, rest.yaml) == ("advice", "columns: {note: null}")


def test_times_that_are_not_declared(resource: MakeResource) -> None:
    [finding] = judge_columns(resource(), [{"id": 1, "at": "2026-02-03T04:05:06Z"}])
    assert yaml.safe_load(finding.yaml or "") == {"columns": {"at": {"data_type": "timestamp"}}}


def test_the_field_that_places_a_row_in_a_window(resource: MakeResource) -> None:
    given = resource(window="at")
    assert list(judge_window_field(given, [{"at": "2026-02-03"}])) == []
    [finding] = judge_window_field(given, [{"day": "2026-02-03"}])
    assert finding.level == "error"
    assert yaml.safe_load(finding.yaml or "") == {
        "window": {"field": "day"},
        "columns": {"day": {"data_type": "date", "nullable": False}},
    }
    [finding] = judge_window_field(given, [{"name": "x"}])
    assert (finding.level, finding.yaml) == ("error", None)


@pytest.mark.parametrize(
    ("at", "bounds", "words"),
    [
        ("2026-02-02T23:30:00Z", {"end_param": "to"}, "by at most 31 minutes"),
        ("2026-02-03T00:00:00Z", {"end_param": "to"}, None),
        ("2026-02-04T01:59:00+01:00", {"end_param": "to"}, "by at most 60 minutes"),
        # no end was requested
        ("2026-02-04T00:59:00Z", {}, None),
        # farther than any zone: not a matter of days
        ("2026-02-01T12:00:00Z", {}, None),
        # days of a zone hold more than the window
        ("2026-02-02T23:30:00Z", {"format": "date", "timezone": "Europe/Berlin"}, None),
        ("2026-02-02T22:30:00Z", {"format": "date", "timezone": "Europe/Berlin"}, "31 minutes"),
        ("no time", {}, None),
    ],
)
def test_rows_outside_of_the_window(
    resource: MakeResource, at: str, bounds: dict[str, str], words: str | None
) -> None:
    entries = resource(window="at", columns={"at": "timestamp"}).model_copy(
        update={"window": WindowSpec(field="at", start_param="from", **bounds)}
    )
    window = Window.of_days(date(2026, 2, 3), date(2026, 2, 4))
    findings = list(judge_window_field(entries, [{"at": at}], window))
    assert [words in f.message for f in findings if words] == ([True] if words else [])
    assert bool(findings) is bool(words)


TASKS = {"11": {"id": 11}, "12": {"id": 12}}


@pytest.mark.parametrize(
    ("selector", "body", "place"),
    [
        ("results.tasks", {"results": {"tasks": TASKS}}, "results.tasks.*"),
        ("data", {"results": {"tasks": TASKS}}, "results.tasks.*"),
        ("$", TASKS, "*"),
        ("results", {"results": {"tasks": TASKS}}, "results.tasks.*"),
    ],
)
def test_rows_below_keys_are_proposed(
    resource: MakeResource, selector: str, body: Any, place: str
) -> None:
    entries = resource(data_selector=selector)
    found, rows, finding = find_rows(entries, body)
    assert (found, rows) == (place, [{"id": 11}, {"id": 12}])
    assert finding.level == "error"
    assert finding.yaml == (
        f'endpoint: {{data_selector: "{place}"}}\nouter_fields: {{key: "{place}"}}'
    )
    again = find_rows(resource(data_selector=place), body)
    assert (again[1], again[2].level) == (rows, "ok")


@pytest.mark.parametrize(
    ("given", "findings"),
    [
        ({"format": "date"}, 1),
        ({"format": "%d.%m.%Y"}, 1),
        ({"format": "date", "timezone": "UTC"}, 0),
        ({"format": "iso"}, 0),
    ],
)
def test_days_of_no_stated_zone_are_mentioned(
    resource: MakeResource, given: dict[str, Any], findings: int
) -> None:
    spec = WindowSpec(field="at", start_param="from", end_param="to", **given)
    entries = resource(columns={"at": "timestamp"}, window="at").model_copy(update={"window": spec})
    result = list(judge_window_field(entries, [{"at": "2026-01-01T00:00:00Z"}]))
    assert [finding.topic for finding in result] == ["window"] * findings
