"""Every specification that can't be run is refused, at its key, in words that say what would be."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from timetracking_assets.errors import SpecError, SpecErrors
from timetracking_assets.spec.api import Api, Parent, column_name
from timetracking_assets.spec.model import ApiSpec
from timetracking_assets.spec.window import PartitionsSpec

Resolve = Callable[..., Api]
PEOPLE = {"name": "people", "endpoint": {"path": "people"}}
COMPLETE = {"data_selector": "data", "paginator": "single_page"}
WINDOWED = {
    "sync_mode": "window",
    "partitions": {"type": "daily", "start": "2026-01-01"},
    "window": {"field": "day", "start_param": "from", "end_param": "to"},
    "columns": {"day": {"data_type": "date", "nullable": False}},
}


def entries(path: str = "entries", **given: Any) -> dict[str, Any]:
    endpoint = {"path": path, **given.pop("endpoint", {})}
    return {"name": "entries", "endpoint": endpoint, **given}


def windowed(**given: Any) -> dict[str, Any]:
    """A right windowed resource; a None takes a key out."""
    merged = {**WINDOWED, **given}
    return entries(**{key: value for key, value in merged.items() if value is not None})


def window(**given: Any) -> dict[str, Any]:
    merged = {**WINDOWED["window"], **given}  # type: ignore[dict-item]
    return {key: value for key, value in merged.items() if value is not None}


def test_defaults_are_merged_key_by_key(api: Resolve) -> None:
    resolved = api(
        entries(endpoint={"params": {"size": None, "deep": 1}}, tags={"a": "2"}, page_size=None),
        resource_defaults={
            "primary_key": ["id", "day"],
            "page_size": 50,
            "endpoint": {**COMPLETE, "params": {"size": 50, "lang": "en"}},
            "tags": {"a": "1", "b": "1"},
            "owners": ["team:data"],
            "columns": {"id": {"data_type": "bigint"}},
        },
    ).resources["entries"]
    assert resolved.endpoint["params"] == {"lang": "en", "deep": 1}
    assert resolved.endpoint["paginator"] == "single_page"
    assert resolved.primary_key == ("id", "day")
    assert resolved.page_size is None
    assert resolved.tags == {"a": "2", "b": "1"}
    assert resolved.owners == ("team:data",)
    assert list(resolved.columns) == ["id"]
    assert resolved.sync_mode == "snapshot"
    assert resolved.label == "hours/entries"


def test_a_parent_is_found_in_path_params_json_and_headers(api: Resolve) -> None:
    expression = "{resources.people.id}"
    for endpoint in (
        {"path": f"people/{expression}/entries"},
        {"params": {"person": expression}},
        {"json": {"filter": [{"person": expression}]}},
        {"headers": {"X-Person": expression}},
    ):
        child = entries(**{"endpoint": endpoint, "include_from_parent": ["team_id"]})
        resolved = api(PEOPLE, child).resources
        assert resolved["entries"].parent == Parent("people", ("id", "team_id"))
        assert resolved["people"].parent is None


def test_chains_of_parents_are_taken_in_any_order(api: Resolve) -> None:
    resolved = api(
        {"name": "entries", "endpoint": {"path": "p/{resources.people.id}"}},
        {"name": "people", "endpoint": {"path": "t/{resources.teams.id}"}},
        {"name": "teams", "endpoint": {"path": "o/{resources.configured.office}"}},
        ids={"office": "${HOURS_OFFICES}"},
    )
    parents = {name: item.parent.name for name, item in resolved.resources.items() if item.parent}
    assert parents == {"entries": "people", "people": "teams", "teams": "configured"}


def test_variables_are_listed_and_those_of_auth_and_headers_are_secret(api: Resolve) -> None:
    resolved = api(
        PEOPLE,
        client={
            "base_url": "${BASE}/v1",
            "auth": {"type": "http_basic", "username": "${KEY}", "password": "api_token"},
            "headers": {"X-Api-Key": "${OTHER}"},
        },
        ids={"office": "${OFFICES}"},
    )
    assert resolved.variables == ["BASE", "KEY", "OTHER", "OFFICES"]
    assert resolved.secret_variables == ["KEY", "OTHER"]


@pytest.mark.parametrize(
    ("client", "path", "message"),
    [
        ({}, ("client",), r"`base_url: \$\{MY_API_BASE_URL\}`"),
        ({"base_url": "u", "paginator": "auto"}, ("client",), "into each `endpoint`"),
        ({"base_url": "u", "session": "s"}, ("client",), "into each `endpoint`"),
        (
            {"base_url": "u", "auth": {"type": "bearer", "token": "abc"}},
            ("client", "auth"),
            r"must not be in this file: write `token: \$\{MY_VARIABLE\}`",
        ),
        (
            {"base_url": "u", "auth": {"type": "api_key", "name": "k", "api_key": "abc"}},
            ("client", "auth"),
            r"write `api_key: \$\{MY_VARIABLE\}`",
        ),
        (
            {"base_url": "u", "auth": {"type": "http_basic", "username": "a", "password": "b"}},
            ("client", "auth"),
            r"write `password: \$\{MY_VARIABLE\}`",
        ),
    ],
)
def test_a_client_is_refused(
    api: Resolve, client: dict[str, Any], path: tuple[str, ...], message: str
) -> None:
    with pytest.raises(SpecError, match=message) as refused:
        api(PEOPLE, client=client)
    assert refused.value.path == path
    assert "abc" not in str(refused.value)


@pytest.mark.parametrize("value", ["7,8", "${A},${B}", "x${A}", "${not-a-name}", ""])
def test_ids_are_one_variable(api: Resolve, value: str) -> None:
    with pytest.raises(SpecError, match=r"expected `\$\{VARIABLE\}`: a comma-separated") as refused:
        api(PEOPLE, ids={"office": value})
    assert refused.value.path == ("ids", "office")


@pytest.mark.parametrize(
    ("given", "path", "message"),
    [
        (PEOPLE, ("name",), "'people' is already defined"),
        (
            {"name": "configured", "endpoint": {"path": "x"}},
            ("name",),
            "the name .configured. is reserved",
        ),
        ({"name": "entries"}, ("endpoint",), "'entries' has no `path`"),
        ({"name": "windows", "endpoint": {"path": "x"}}, ("name",), "'windows' is reserved"),
        (entries("{id}"), ("endpoint", "path"), r"\{id\}' is bound to nothing; write `\{resources"),
        (entries("{resources.people}"), ("endpoint", "path"), "is bound to nothing"),
        (entries("{resources.teams.id}"), ("endpoint", "path"), "unknown parent 'teams'.*people"),
        (
            entries("{resources.configured.team}"),
            ("endpoint", "path"),
            "`ids` has no 'team'; there are `office`, `region`",
        ),
        (
            entries("{resources.configured.office}/{resources.configured.region}"),
            ("endpoint", "path"),
            "takes one id from `ids`.*office, region",
        ),
        (
            entries("{resources.configured.office}", include_from_parent=["name"]),
            ("endpoint", "path"),
            "takes one id from `ids`.*name, office",
        ),
        (
            entries("{resources.people.id}/{resources.configured.office}"),
            ("endpoint", "path"),
            r"has 2 parents \(people, configured\); dlt takes one",
        ),
        (entries(include_from_parent=["id"]), ("include_from_parent",), "'entries' has no parent"),
        (
            entries("{resources.entries.id}"),
            ("endpoint", "path"),
            "circle: entries -> entries",
        ),
        (
            entries(columns={"startTime": {"data_type": "text"}}),
            ("columns", "startTime"),
            "'startTime' is called 'start_time' in the warehouse",
        ),
        (entries(primary_key="entryId"), ("primary_key",), "is called 'entry_id'"),
        (
            entries(columns={"at": {"data_type": "timestamp", "timezone": "Mars/Base"}}),
            ("columns", "at", "timezone"),
            "'Mars/Base' is not an IANA time zone such as Europe/Berlin or UTC",
        ),
    ],
)
def test_a_resource_is_refused(
    api: Resolve, given: dict[str, Any], path: tuple[str, ...], message: str
) -> None:
    with pytest.raises(SpecError, match=message) as refused:
        api(PEOPLE, given, ids={"office": "${OFFICES}", "region": "${REGIONS}"})
    assert refused.value.path == ("resources", 1, *path)


@pytest.mark.parametrize(
    ("endpoint", "path", "message"),
    [
        ({"data_selector": "data"}, ("endpoint",), "has no `paginator`.*`single_page`"),
        ({**COMPLETE, "paginator": "auto"}, ("endpoint",), "has no `paginator`"),
        ({"paginator": "single_page"}, ("endpoint", "data_selector"), r"`\$` is the whole answer"),
        ({**COMPLETE, "data_selector": "data[0]"}, ("endpoint", "data_selector"), "dotted path"),
        ({**COMPLETE, "data_selector": "$.data"}, ("endpoint", "data_selector"), "dotted path"),
    ],
)
def test_paginator_and_selector_are_never_guessed(
    api: Resolve, endpoint: dict[str, Any], path: tuple[str, ...], message: str
) -> None:
    with pytest.raises(SpecError, match=message) as refused:
        api(entries(endpoint=endpoint), resource_defaults={"primary_key": "id"})
    assert refused.value.path == ("resources", 0, *path)


def test_a_primary_key_is_never_guessed(api: Resolve) -> None:
    with pytest.raises(SpecError, match="has no `primary_key`, such as") as refused:
        api(entries(endpoint=COMPLETE), resource_defaults={})
    assert refused.value.path == ("resources", 0)


@pytest.mark.parametrize(
    ("given", "path", "message"),
    [
        (windowed(sync_mode="snapshot"), (), "is a snapshot .* takes no `window`"),
        (windowed(sync_mode=None, window=None), (), "is a snapshot"),
        (windowed(sync_mode="window", window=None), (), "`sync_mode: window` needs `window`"),
        (
            windowed(sync_mode="changes", partitions=None),
            (),
            "`sync_mode: changes` needs `partitions`",
        ),
        (
            windowed(window=window(start_param=None, end_param=None)),
            ("window",),
            "either `start_param` or `year_param`",
        ),
        (windowed(window=window(year_param="year")), ("window",), "either `start_param` or"),
        (
            windowed(
                window=window(start_param=None, year_param="year"),
                partitions={"type": "yearly", "start": 2024},
            ),
            ("window", "end_param"),
            "needs `start_param`",
        ),
        (
            windowed(window=window(start_param=None, end_param=None, year_param="year")),
            ("window", "year_param"),
            "needs `partitions` of type yearly",
        ),
        (
            windowed(window=window(format="unix")),
            ("window", "format"),
            "'unix' is not one of iso, date,",
        ),
        (windowed(window=window(field="createdAt")), ("window", "field"), "is called 'created_at'"),
        (windowed(window=window(field="meta.at")), ("window", "field"), "is called 'meta__at'"),
        (windowed(window=window(field="at")), ("window", "field"), "'at' must be declared"),
        (
            windowed(columns={"day": {"data_type": "date"}}),
            ("columns", "day"),
            "needs `nullable: false`",
        ),
        (
            windowed(columns={"day": {"data_type": "text"}}),
            ("window", "field"),
            "with data_type timestamp or date: instants are compared, not text",
        ),
        (
            windowed(partitions={"type": "daily", "start": "2026-13-01"}),
            ("partitions", "start"),
            "'2026-13-01' is not a day, `YYYY-MM-DD`",
        ),
        (
            windowed(partitions={"type": "daily", "start": "2026"}),
            ("partitions", "start"),
            "is not a day",
        ),
        (
            windowed(partitions={"type": "yearly", "start": "soon"}),
            ("partitions", "start"),
            "'soon' is not a year, `YYYY`",
        ),
        (
            windowed(partitions={"type": "daily", "start": "2026-01-01", "timezone": "Berlin"}),
            ("partitions", "timezone"),
            "'Berlin' is not an IANA time zone",
        ),
    ],
)
def test_a_window_is_refused(
    api: Resolve, given: dict[str, Any], path: tuple[str, ...], message: str
) -> None:
    with pytest.raises(SpecError, match=message) as refused:
        api(given)
    assert refused.value.path == ("resources", 0, *path)


def test_all_mistakes_of_a_resource_are_reported(api: Resolve) -> None:
    given = windowed(
        columns={"startTime": {"data_type": "text"}, "endTime": {"data_type": "text"}},
        window=window(field="createdAt"),
        endpoint={"path": "entries", "data_selector": "a b", "params": {"api_key": "k"}},
    )
    with pytest.raises(SpecErrors) as refused:
        api(given)
    assert [error.path[3:] for error in refused.value.each] == [
        ("data_selector",),
        ("params",),
    ]

    given["endpoint"] = {"path": "entries"}
    with pytest.raises(SpecErrors) as refused:
        api(given)
    assert [error.path[2:] for error in refused.value.each] == [
        ("columns", "startTime"),
        ("columns", "endTime"),
        ("window", "field"),
    ]


def test_a_right_window_is_taken(api: Resolve) -> None:
    resolved = api(windowed()).resources["entries"]
    assert resolved.window is not None
    assert resolved.window.field == "day"


def test_longer_circles_and_partitioned_parents_are_refused(api: Resolve) -> None:
    people = {"name": "people", "endpoint": {"path": "{resources.entries.id}"}}
    with pytest.raises(SpecError, match="circle: people -> entries -> people") as refused:
        api(people, entries("{resources.people.id}"))
    assert refused.value.path == ("resources", 0, "endpoint", "path")
    with pytest.raises(SpecError, match="parent 'entries' is partitioned; a fan-out needs"):
        api(people, windowed())


@pytest.mark.parametrize(
    ("kind", "start", "first"),
    [
        ("daily", "2026-02-03", date(2026, 2, 3)),
        ("daily", date(2026, 2, 3), date(2026, 2, 3)),
        ("yearly", "2024", date(2024, 1, 1)),
        ("yearly", 2024, date(2024, 1, 1)),
        ("yearly", "2024-05-06", date(2024, 1, 1)),
    ],
)
def test_starts_as_yaml_reads_them(kind: str, start: object, first: date) -> None:
    assert PartitionsSpec.model_validate({"type": kind, "start": start}).first_day == first


@pytest.mark.parametrize(
    "given",
    [
        {"resources": []},
        {"name": "Hours"},
        {"resources": [{**PEOPLE, "syncmode": "window"}]},
        {"resources": [{**PEOPLE, "page_size": 0}]},
        {"resources": [{**PEOPLE, "columns": {"id": {"data_type": "int"}}}]},
        {"retry": {"max_retries": -1}},
    ],
)
def test_shapes_are_checked_and_unknown_keys_refused(given: dict[str, Any]) -> None:
    right = {"name": "hours", "client": {"base_url": "u"}, "resources": [PEOPLE]}
    ApiSpec.model_validate(right)
    with pytest.raises(ValidationError):
        ApiSpec.model_validate({**right, **given})


def test_columns_are_named_as_in_the_warehouse() -> None:
    assert column_name("startTime") == "start_time"
    assert column_name("client__taxId") == "client__tax_id"
    assert column_name("_people_id") == "_people_id"


def test_variables_of_an_endpoint_are_listed_and_masked_but_for_the_path(api: Resolve) -> None:
    endpoint = {"headers": {"X-Team": "${TEAM}"}, "params": {"k": "${K}"}}
    resolved = api(entries("${OFFICE}/entries", endpoint=endpoint))
    assert set(resolved.variables) == {"HOURS_BASE_URL", "OFFICE", "K", "TEAM"}
    assert set(resolved.secret_variables) == {"K", "TEAM"}


def test_headers_are_merged_like_params(api: Resolve) -> None:
    resolved = api(
        entries(endpoint={"headers": {"X-A": None, "X-B": "2"}}),
        resource_defaults={
            "primary_key": "id",
            "endpoint": {**COMPLETE, "headers": {"X-A": "1", "X-C": "3"}},
        },
    )
    assert resolved.resources["entries"].endpoint["headers"] == {"X-C": "3", "X-B": "2"}


def test_no_key_must_be_declared(api: Resolve) -> None:
    assert api(entries(primary_key=[])).resources["entries"].primary_key == ()
    with pytest.raises(SpecError, match="needs `sync_mode: snapshot`"):
        api(windowed(primary_key=[]))


def test_a_key_that_is_almost_a_column_is_refused(api: Resolve) -> None:
    columns = {"entry_id": {"data_type": "bigint"}}
    with pytest.raises(SpecError, match="`columns`, which have 'entry_id'") as refused:
        api(entries(primary_key="entrys_id", columns=columns))
    assert refused.value.path == ("resources", 0, "primary_key")
    assert api(entries(primary_key="key", columns=columns))


def test_resources_are_selected_and_excluded(api: Resolve) -> None:
    child = {"name": "tasks", "endpoint": {"path": "p/{resources.people.id}"}}
    assert list(api(PEOPLE, entries(), select=["entries"]).resources) == ["entries"]
    assert list(api(PEOPLE, entries(), exclude=["entries"]).resources) == ["people"]
    # what isn't selected may be wrong, and needs no ids
    wrong = {"name": "tasks", "endpoint": {"path": "p/{resources.configured.office}"}}
    chosen = api(PEOPLE, wrong, select=["people"], ids={"office": "${OFFICES}"})
    assert chosen.variables == ["HOURS_BASE_URL"]
    for given, path, message in (
        ({"select": ["persons"]}, ("select", 0), "unknown resource 'persons'"),
        ({"exclude": ["people", "entries", "tasks"]}, ("exclude",), "leaves no resource"),
        (
            {"select": ["tasks"]},
            ("resources", 2, "endpoint", "path"),
            "unknown parent 'people' among the selected resources; there is `tasks`",
        ),
    ):
        with pytest.raises(SpecError, match=message) as refused:
            api(PEOPLE, entries(), child, **given)
        assert refused.value.path == path


@pytest.mark.parametrize(
    ("given", "path", "message"),
    [
        ({"end_inclusive": True}, "end_inclusive", "needs `end_param` and `format: date`"),
        ({"end_param": None, "max_days": 31}, "max_days", "a part has two ends"),
        ({"timezone": "Berlin"}, "timezone", "is not an IANA time zone"),
        ({"timezone": "Europe/Berlin"}, "timezone", "the Z in `format: .*` means UTC"),
        ({"timezone": "Europe/Berlin", "format": "unix_seconds"}, "timezone", "has no meaning"),
        ({"location": "json"}, "location", "needs a body"),
    ],
)
def test_keys_of_a_window_that_contradict_each_other(
    api: Resolve, given: dict[str, Any], path: str, message: str
) -> None:
    with pytest.raises(SpecError, match=message) as refused:
        api(windowed(window=window(**given)))
    assert refused.value.path == ("resources", 0, "window", path)


def test_a_column_names_its_field(api: Resolve) -> None:
    columns = {
        "note": {"data_type": "text", "field": "The Note"},
        "tax_id": {"data_type": "text", "field": ["client", "tax id"]},
        "nameless": {"data_type": "text", "field": ""},
        "day": {"data_type": "date"},
    }
    resolved = api(entries(columns=columns)).resources["entries"].columns
    fields = {name: column.field for name, column in resolved.items()}
    assert fields == {
        "note": ("The Note",),
        "tax_id": ("client", "tax id"),
        "nameless": ("",),
        "day": None,
    }


def test_a_field_goes_into_one_column(api: Resolve) -> None:
    column = {"data_type": "text", "field": "Note"}
    with pytest.raises(SpecError, match="is already the field of column 'note'") as refused:
        api(entries(columns={"note": column, "remark": column}))
    assert refused.value.path == ("resources", 0, "columns", "remark", "field")


def test_only_paginators_that_count_can_stop_at_a_repeated_page(api: Resolve) -> None:
    with pytest.raises(SpecError, match="needs a paginator of type page_number or offset"):
        api(entries(repeated_page="stop"))


def test_what_leads_to_a_resource_that_is_left_out_is_left_out(api: Resolve) -> None:
    ids = {"data_type": "bigint"}
    columns = {"id": ids, "project_id": ids, "person_id": ids, "day": {"data_type": "date"}}
    entries = {
        "name": "entries",
        "endpoint": {"path": "entries"},
        "columns": {**columns, "hours": {"data_type": "double"}},
        "references": {"project_id": "projects", "person_id": "people"},
        "unified": {
            "time_entries": {
                "id": "id",
                "day": "day",
                "hours": "hours",
                "person": "person_id",
                "project": "project_id",
                "client": "project_id.client_id",
            }
        },
    }
    people = {"name": "people", "endpoint": {"path": "people"}, "columns": {"id": ids}}
    projects = {**people, "name": "projects", "columns": {"id": ids, "client_id": ids}}
    whole = api(projects, people, entries).resources["entries"]
    assert list(whole.references) == ["project_id", "person_id"]
    resolved = api(projects, people, entries, exclude=["projects"]).resources["entries"]
    assert list(resolved.references) == ["person_id"]
    assert resolved.unified is not None
    mapping = resolved.unified.time_entries
    assert mapping is not None
    assert mapping.project is not None
    assert (mapping.project.column, mapping.client) == ("project_id", None)


def test_a_message_names_the_place_in_the_file_also_of_a_selection(api: Resolve) -> None:
    people = {"name": "people", "endpoint": {"path": "people"}}
    wrong = {
        "name": "entries",
        "endpoint": {"path": "entries"},
        "checks": {"nulls": {"columns": {"gone": 0}}},
    }
    with pytest.raises(SpecError) as refused:
        api(people, wrong, select=["entries"])
    assert refused.value.path[:2] == ("resources", 1)
