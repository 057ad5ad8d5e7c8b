"""What is not in dlt's grammar is refused at its key, with what was probably meant."""

from typing import Any, get_args

import pytest
from dlt.sources.rest_api.typing import AuthType, PaginatorType

from timetracking_assets.ingest.pages import grammar
from timetracking_assets.ingest.pages.grammar import grammar_mistakes


def attributes(**given: Any) -> dict[str, Any]:
    """A right API, but for what is given."""
    return {
        "name": "hours",
        "client": {"base_url": "${URL}", **given.pop("client", {})},
        "resources": [{"name": "people", "endpoint": {"path": "p", **given.pop("endpoint", {})}}],
        **given,
    }


@pytest.mark.parametrize(
    ("given", "path", "message"),
    [
        ({"client": {"heders": {}}}, ("client", "heders"), "did you mean `headers`?"),
        ({"client": {"headers": "x"}}, ("client", "headers"), "must be a map"),
        ({"client": {"auth": 5}}, ("client", "auth"), "must be a map, or the name of a type alone"),
        (
            {"client": {"auth": {"type": "basic", "username": "u"}}},
            ("client", "auth", "type"),
            "unknown type 'basic'; did you mean `http_basic`?",
        ),
        ({"client": {"auth": {"type": "bearer"}}}, ("client", "auth", "token"), "is missing"),
        (
            {"client": {"auth": {"type": "api_key", "api_key": "k", "nam": "n"}}},
            ("client", "auth", "nam"),
            "did you mean `name`?",
        ),
        ({"endpoint": {"data_selectr": "d"}}, ("data_selectr",), "did you mean `data_selector`?"),
        ({"endpoint": {"path": 5}}, ("path",), "must be a text"),
        ({"endpoint": {"method": "FETCH"}}, ("method",), "must be one of `GET`, `POST`"),
        ({"endpoint": {"params": ["a"]}}, ("params",), "must be a map"),
        ({"endpoint": {"paginator": "page"}}, ("paginator",), "unknown type 'page'; "),
        ({"endpoint": {"paginator": {"type": "offset"}}}, ("paginator", "limit"), "is missing"),
        (
            {"endpoint": {"paginator": {"type": "page_number", "base_pag": 1}}},
            ("paginator", "base_pag"),
            "did you mean `base_page`?",
        ),
        (
            {"endpoint": {"paginator": {"type": "page_number", "base_page": "one"}}},
            ("paginator", "base_page"),
            "must be a whole number",
        ),
        (
            {"endpoint": {"paginator": {"type": "single_page", "x": 1}}},
            ("paginator", "x"),
            "unknown key",
        ),
    ],
)
def test_a_mistake_is_named_at_its_key(
    given: dict[str, Any], path: tuple[str, ...], message: str
) -> None:
    [mistake] = grammar_mistakes(attributes(**given))
    whole = path if path[0] == "client" else ("resources", 0, "endpoint", *path)
    assert mistake.path == whole
    assert message in mistake.message


def test_defaults_and_feeds_of_deleted_ids_are_judged_too() -> None:
    resource = {"name": "people", "deleted_ids": {"endpoint": {"path": "gone", "methd": "GET"}}}
    found = grammar_mistakes(
        attributes(resource_defaults={"endpoint": {"pth": "x"}}, resources=[resource])
    )
    assert {each.path for each in found} == {
        ("resources", 0, "endpoint", "pth"),
        ("resources", 0, "deleted_ids", "endpoint", "methd"),
    }


@pytest.mark.parametrize(
    "endpoint",
    [
        {"paginator": "json_link"},
        {"paginator": {"type": "offset", "limit": 5, "total_path": None}},
        {"paginator": {"base_page": 1}},
        {"params": {"a": None, "b": [1], "c": {"type": "resolve"}}, "json": {"x": [1]}},
        {"auth": {"token": "${T}"}, "response_actions": [{"status_code": 404, "action": "ignore"}]},
    ],
)
def test_what_dlt_takes_is_left_alone(endpoint: dict[str, Any]) -> None:
    assert grammar_mistakes(attributes(endpoint=endpoint)) == []


def test_every_type_that_dlt_has_is_known() -> None:
    """Fails when dlt gains one: add its configuration."""
    without_settings = {"auto", "single_page"}
    assert set(get_args(PaginatorType)) - without_settings == set(grammar._PAGINATORS)
    assert set(get_args(AuthType)) == set(grammar._AUTHS)
