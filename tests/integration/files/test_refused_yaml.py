"""Wrong `defs.yaml` files, loaded as Dagster loads them: refused with file, line and key."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import jsonschema
import pytest
import yaml

import timetracking_assets
from timetracking_assets.files.locations import shipped_apis
from timetracking_assets.files.schema import file_schema
from timetracking_assets.ingest.pages.grammar import grammar_schemas
from timetracking_assets.orchestration.resources import WAREHOUSE, WarehouseResource

GOOD = """\
type: timetracking_assets.RestApi

attributes:
  name: example
  client:
    base_url: ${EXAMPLE_BASE_URL}
    auth: {type: bearer, token: "${EXAMPLE_TOKEN}"}
  resource_defaults:
    endpoint: {data_selector: data, paginator: single_page}
  resources:
    - name: people
      primary_key: id
      endpoint: {path: people}
    - name: hours
      primary_key: id
      sync_mode: window
      partitions: {type: daily, start: 2026-01-01, timezone: UTC}
      window: {field: day, start_param: start, end_param: end, format: date}
      endpoint: {path: "people/{resources.people.id}/hours"}
      columns: {day: {data_type: date, nullable: false}}
"""

_DAY = "      columns: {day: {data_type: date, nullable: false}}\n"
# what is wrong -> text, what is written instead, line of the refusal, words of the message
MISTAKES = {
    "key that we don't know": (
        "      primary_key: id\n      sync_mode",
        "      primary_keys: id\n      sync_mode",
        15,
        ["primary_keys"],
    ),
    "no primary key": (
        "      primary_key: id\n      endpoint: {path: people}",
        "      endpoint: {path: people}",
        11,
        ["people", "primary_key"],
    ),
    "unknown parent": (
        "{resources.people.id}",
        "{resources.persons.id}",
        19,
        ["persons", "people"],
    ),
    "unbound placeholder": ("{resources.people.id}", "{person_id}", 19, ["person_id", "resources"]),
    "start that is no day": ("start: 2026-01-01", "start: yesterday", 17, ["yesterday", "start"]),
    "start that never was": ("start: 2026-01-01", "start: 2026-02-30", 17, ["2026-02-30"]),
    "unknown zone": ("timezone: UTC", "timezone: Berlin", 17, ["Berlin", "timezone"]),
    "partitions of an unknown type": ("type: daily", "type: weekly", 17, ["type", "daily"]),
    "no paginator": (
        "{data_selector: data, paginator: single_page}",
        "{data_selector: data}",
        13,
        ["people", "paginator"],
    ),
    "no data selector": (
        "{data_selector: data, paginator: single_page}",
        "{paginator: single_page}",
        13,
        ["people", "data_selector"],
    ),
    "auth that dlt doesn't know": (
        "type: bearer",
        "type: basic",
        6,
        ["basic", "did you mean `http_basic`"],
    ),
    "endpoint that dlt refuses": (
        "endpoint: {path: people}",
        "endpoint: {path: people, methods: GET}",
        13,
        ["people", "methods", "did you mean `method`"],
    ),
    "paginator that dlt refuses": (
        "endpoint: {path: people}",
        "endpoint: {path: people, paginator: {type: page_number, limit: 5}}",
        13,
        ["people", "limit", "unknown key"],
    ),
    "secret in the file": ('"${EXAMPLE_TOKEN}"', "abc-123", 7, ["auth", "${"]),
    "secret in a header": (
        'auth: {type: bearer, token: "${EXAMPLE_TOKEN}"}',
        "headers: {X-Api-Key: abc-123}",
        7,
        ["headers", "X-Api-Key", "${"],
    ),
    "secret in an endpoint": (
        "endpoint: {path: people}",
        "endpoint: {path: people, params: {api_key: abc-123}}",
        13,
        ["api_key", "client"],
    ),
    "limit of no requests": (
        "  resource_defaults:\n",
        "  rate_limit: {requests: 0}\n  resource_defaults:\n",
        8,
        ["rate_limit", "requests"],
    ),
    "window column of no type": (
        "{data_type: date, nullable: false}",
        "{data_type: text}",
        18,
        ["day", "timestamp"],
    ),
    "window of a snapshot": ("      sync_mode: window\n", "", 14, ["hours", "snapshot"]),
    "mapping of an unknown column": (
        _DAY,
        _DAY + "      unified: {time_entries: {id: day, day: dya, seconds: {value: 1}}}\n",
        21,
        ["hours", "unified.time_entries.day", "'dya' is not declared", "did you mean `day`"],
    ),
    "mapping without a unit": (
        _DAY,
        _DAY + "      unified: {time_entries: {id: day, day: day}}\n",
        21,
        ["hours", "unified.time_entries", "needs a unit"],
    ),
    "mapping with two units": (
        _DAY,
        _DAY + "      unified: {time_entries: {id: day, day: day, seconds: {value: 1}, "
        "hours: {value: 1}}}\n",
        21,
        ["unified.time_entries.hours", "excludes `seconds`"],
    ),
    "mapping through an unknown reference": (
        _DAY,
        _DAY + "      unified:\n        time_entries:\n          id: day\n          day: day\n"
        "          seconds: {value: 1}\n          client: day.client_id\n",
        26,
        ["unified.time_entries.client", "'day' refers to nothing", "`references`"],
    ),
    "key of an older version": (
        _DAY,
        _DAY + "      hours: {date: day, seconds: seconds, person: user_id, customer: client_id}\n",
        21,
        [
            "hours",
            "is no longer a key",
            "`unified: {time_entries: {id: id, day: day, seconds: seconds, person: user_id, "
            "client: client_id}}`",
        ],
    ),
    "name that is written twice": ("- name: hours", "- name: people", 14, ["people", "already"]),
}

# what an editor sees by the schema; the others take the meaning of other keys, or of values
SHAPES = {
    "key of an older version",
    "key that we don't know",
    "partitions of an unknown type",
    "auth that dlt doesn't know",
    "endpoint that dlt refuses",
    "paginator that dlt refuses",
    "limit of no requests",
}

Load = Callable[[str], dg.Definitions]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load a project folder with that one file, as a code location does."""
    package = f"project_{tmp_path.name}"
    (tmp_path / "pyproject.toml").write_text(
        '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\n'
        f'root_module = "{package}"\ndefs_module = "{package}.defs"\n'
    )
    folder = tmp_path / package / "defs" / "example"
    folder.mkdir(parents=True)
    (tmp_path / package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))

    def load(text: str) -> dg.Definitions:
        (folder / "defs.yaml").write_text(text)
        return dg.Definitions.merge(
            dg.load_from_defs_folder(path_within_project=tmp_path / package),
            dg.Definitions(resources={WAREHOUSE: WarehouseResource()}),
        )

    return load


def test_good_file(load: Load) -> None:
    keys = load(GOOD).resolve_asset_graph().get_all_asset_keys()
    assert {key.to_user_string() for key in keys} == {"example/people", "example/hours"}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_named_with_its_place(load: Load, mistake: str) -> None:
    text, instead, line, words = MISTAKES[mistake]
    assert GOOD.count(text) == 1
    with pytest.raises(Exception) as refusal:  # noqa: PT011 - Dagster wraps it in many ways
        load(GOOD.replace(text, instead))
    message = _whole_message(refusal.value)
    assert all(word in message for word in words), message
    place = re.search(r"defs\.yaml[\"']?(?::|, line )(\d+)", message)
    assert place, message
    # a flow mapping is one line; inside a block, the nearest line that says it is good enough
    assert abs(int(place.group(1)) - line) <= 1, message


def _whole_message(error: BaseException | None) -> str:
    parts = []
    while error is not None:
        parts.append(str(error))
        error = error.__cause__ or error.__context__
    return "\n".join(parts)


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.mkdir", "!!python/object/new:os.mkdir"])
def test_yaml_makes_no_python_objects(load: Load, tmp_path: Path, tag: str) -> None:
    made = tmp_path / "made-by-yaml"
    with pytest.raises(Exception) as refusal:  # noqa: PT011 - Dagster wraps it in many ways
        load(GOOD.replace("name: example", f"name: {tag} [{made}]"))
    assert "could not determine a constructor for the tag" in _whole_message(refusal.value)
    assert not made.exists()


def test_shipped_files_load_from_a_copy(load: Load, tmp_path: Path) -> None:
    """A file is all that an API takes: copied to another project, it works there."""
    source = Path(timetracking_assets.__file__).parent / "defs"
    target = next(tmp_path.glob("project_*")) / "defs"
    for folder in ("time_tracking", "time_analytics"):
        shutil.copytree(source / folder, target / folder)
    keys = load(GOOD).resolve_asset_graph().get_all_asset_keys()
    assert {key.path[0] for key in keys} == {"example", "time_tracking", "time_analytics"}


def as_editors_do(text: str) -> object:
    """The YAML as JSON has it: a date is a text."""
    return yaml.safe_load(re.sub(r"(?<=start: )(\d{4}-\d\d-\d\d)", r'"\1"', text))


def test_the_schema_of_editors_refuses_each_wrong_shape_and_no_right_file() -> None:
    schema = jsonschema.Draft7Validator(file_schema(grammar_schemas()))
    right = [GOOD, *(path.read_text() for path in shipped_apis().values())]
    assert [error for text in right for error in schema.iter_errors(as_editors_do(text))] == []
    refused = {
        name
        for name, (old, new, *_) in MISTAKES.items()
        if any(schema.iter_errors(as_editors_do(GOOD.replace(old, new, 1))))
    }
    assert refused == SHAPES
