"""Values of parents and windows go into requests so that each asks what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
import requests
from dlt.sources.helpers.rest_client.utils import join_url

from timetracking_assets.errors import AnswerError
from timetracking_assets.ingest.pages.binding import ListRequest, list_request
from timetracking_assets.spec.api import Api, Parent, Resource

Resolve = Callable[..., Api]


def child(api: Resolve, **endpoint: Any) -> Resource:
    people = {"name": "people", "endpoint": {"path": "people"}}
    entries = {"name": "entries", "endpoint": {"path": "entries", **endpoint}}
    resource = api(people, entries).resources["entries"]
    return resource.model_copy(update={"parent": Parent("people", ("id",))})


def requested(api: Resolve, row: dict[str, Any], **endpoint: Any) -> ListRequest:
    return list_request(child(api, **endpoint), {}, row)


PATH = "v1/people/{resources.people.id}/entries"


@pytest.mark.parametrize(
    "value", ["plain", "a/b", "c?d", "e#f", "g%2Fh", "ü", "i j", "k+l", "a\\b", "...", ";", "\n", 7]
)
def test_a_value_is_one_segment_of_the_path(api: Resolve, value: Any) -> None:
    path = requested(api, {"id": value}, path=PATH).path
    url = requests.Request("GET", join_url("https://api.example", path)).prepare().url
    assert url is not None
    assert "?" not in url
    segments = url.removeprefix("https://api.example/").split("/")
    assert [unquote(segment) for segment in segments] == ["v1", "people", str(value), "entries"]


@pytest.mark.parametrize("value", ["", ".", "..", None, "\ud800"])
def test_what_can_not_be_a_segment_is_refused(api: Resolve, value: Any) -> None:
    with pytest.raises(AnswerError, match=r"^hours/entries: `id` of 'people' is .*one segment"):
        requested(api, {"id": value}, path=PATH)


@pytest.mark.parametrize(
    ("template", "row", "path"),
    [
        ("a b/../c%2Fd?x=1&y=a/b", {}, "a b/../c%2Fd?x=1&y=a/b"),
        ("people/.{resources.people.id}", {"id": "hidden"}, "people/.hidden"),
        ("x-{resources.people.id}.{resources.people.id}", {"id": "/"}, "x-%2F.%2F"),
        ("people?id={resources.people.id}", {"id": "a&b=c"}, "people?id=a%26b%3Dc"),
        ("people?id={resources.people.id}", {"id": ""}, "people?id="),
        ("{{literal}}/{resources.people.id}", {"id": True}, "{literal}/true"),
    ],
)
def test_the_files_own_path_stays(
    api: Resolve, template: str, row: dict[str, Any], path: str
) -> None:
    assert requested(api, row, path=template).path == path


def test_text_beside_a_value_counts(api: Resolve) -> None:
    with pytest.raises(AnswerError, match="one segment"):
        requested(api, {"id": "."}, path="people/.{resources.people.id}")


def test_values_keep_their_type_in_bodies_and_are_text_elsewhere(api: Resolve) -> None:
    result = requested(
        api,
        {"id": 5, "name": "Ana"},
        path="search",
        params={"person": "{resources.people.id}", "label": "p-{resources.people.id}"},
        headers={"X-Person": "{resources.people.id}"},
        json={"filter": {"ids": ["{resources.people.id}"], "text": "#{resources.people.id}"}},
        method="POST",
    )
    assert result.params == {"person": 5, "label": "p-5"}
    assert result.headers == {"X-Person": "5"}
    assert result.json == {"filter": {"ids": [5], "text": "#5"}}
    assert result.method == "POST"


def test_a_parameter_without_a_value_is_refused(api: Resolve) -> None:
    """requests would leave it out, and the API would list everything."""
    with pytest.raises(AnswerError, match="the parameter `person` would be null"):
        requested(api, {"id": None}, params={"person": "{resources.people.id}"})


def test_a_field_that_rows_lack_is_named(api: Resolve) -> None:
    with pytest.raises(AnswerError, match="rows of 'people' have no `id`; they have name"):
        requested(api, {"name": "Ana"}, path=PATH)


def test_each_list_has_a_request_of_its_own(api: Resolve) -> None:
    """Paginators write into it."""
    resource = child(api, params={"size": 1}, json={"a": {}}, method="POST")
    first = list_request(resource, {}, {})
    first.params["page"] = 2
    first.json["a"]["page"] = 2
    assert list_request(resource, {}, {}) == ListRequest(
        "POST", "entries", {"size": 1}, None, {"a": {}}, None
    )
