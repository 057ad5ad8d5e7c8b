"""`timetracking docs` and `timetracking schema`."""

import json

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner, Result

from timetracking_assets.cli.main import app
from timetracking_assets.files.locations import shipped_apis


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_the_pages_are_listed_by_the_commands_that_print_them() -> None:
    result = call("docs")
    assert result.exit_code == 0
    assert "timetracking docs reference " in result.stdout
    assert "YAML reference" in result.stdout


def test_a_section_is_printed_and_all_that_share_its_name() -> None:
    result = call("docs", "reference", "total")
    assert result.stdout.startswith("## `total`")
    assert result.stdout.count("## ") == 1
    assert call("docs", "reference", "schedule").stdout.count("## `schedule`") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["refrence"], "did you mean `reference`?"),
        (["reference", "totl"], "did you mean `total`?"),
    ],
)
def test_what_does_not_exist_is_answered_by_what_does(arguments: list[str], message: str) -> None:
    result = call("docs", *arguments)
    assert result.exit_code == 1
    assert message in result.output.replace("\n", " ")


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(call("schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("name", shipped_apis())
def test_the_schema_takes_the_shipped_files(
    validator: jsonschema.Draft202012Validator, name: str
) -> None:
    validator.validate(yaml.safe_load(shipped_apis()[name].read_text()))


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"retry": {"max_retrys": 1}}, ["attributes", "retry"]),
        (
            {"resources": [{"name": "a", "page_size": "many"}]},
            ["attributes", "resources", 0, "page_size"],
        ),
        (
            {"resource_defaults": {"columns": {"id": {"data_type": "int"}}}},
            ["attributes", "resource_defaults", "columns", "id", "data_type"],
        ),
    ],
)
def test_the_schema_refuses_a_mistake_at_its_key(
    validator: jsonschema.Draft202012Validator, given: dict[str, object], path: list[str | int]
) -> None:
    attributes = {"name": "mine", "extends": "time_tracking", **given}
    document = {"type": "timetracking_assets.RestApi", "attributes": attributes}
    [error] = validator.iter_errors(document)
    assert list(error.absolute_path) == path


def test_null_takes_a_key_out_and_a_reference_is_a_name_or_a_map(
    validator: jsonschema.Draft202012Validator,
) -> None:
    resource = {
        "name": "a",
        "columns": {"id": None},
        "references": {"b": "c", "d": {"resource": "e"}},
    }
    attributes = {"name": "mine", "extends": "x", "quota": None, "resources": [resource]}
    validator.validate({"type": "timetracking_assets.RestApi", "attributes": attributes})
