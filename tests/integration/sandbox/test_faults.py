"""Faults as a client meets them."""

import json
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from timetracking_assets.sandbox.remote_control import RemoteControl

Get = Callable[..., requests.Response]

PEOPLE = ("resource_management", "/people")


def test_a_status_with_headers_for_a_while(get: Get, control: RemoteControl) -> None:
    control.place_fault("status", status=429, headers={"Retry-After": "1"}, times=2, after=1)
    answers = [get(*PEOPLE) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 429, 429, 200]
    assert answers[1].headers["Retry-After"] == "1"
    assert answers[1].json()["error"]["status"] == 429
    assert control.faults()[0]["applied"] == 2


def test_a_status_with_a_body(get: Get, control: RemoteControl) -> None:
    control.place_fault("status", status=502, body="<h1>Bad</h1>", content_type="text/html")
    answer = get(*PEOPLE)
    assert answer.status_code == 502
    assert answer.text == "<h1>Bad</h1>"
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_status_that_has_no_body(get: Get, control: RemoteControl) -> None:
    control.place_fault("status", status=204)
    answer = get(*PEOPLE)
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_fault_hits_its_api_and_path_only(get: Get, control: RemoteControl) -> None:
    control.place_fault("status", api="resource_management", path="/people$", status=500)
    assert get(*PEOPLE).status_code == 500
    assert get("resource_management", "/roles").status_code == 200
    assert get("project_management", "/v2/projects").status_code == 200
    control.clear_faults()
    assert get(*PEOPLE).status_code == 200


def test_a_fault_of_one_page(get: Get, control: RemoteControl) -> None:
    control.place_fault("status", query=r"(^|&)page=2(&|$)", status=500)
    statuses = [get(*PEOPLE, {"page": page}).status_code for page in (1, 2, 3, 22)]
    assert statuses == [200, 500, 200, 200]


def test_slow_answers_are_whole(get: Get, control: RemoteControl) -> None:
    whole = get(*PEOPLE).json()
    control.place_fault("slow", seconds=0.2)
    begun = time.perf_counter()
    assert get(*PEOPLE).json() == whole
    assert time.perf_counter() - begun >= 0.2


def test_a_client_that_does_not_wait_meets_a_time_out(get: Get, control: RemoteControl) -> None:
    control.place_fault("slow", seconds=2, times=1)
    with pytest.raises(requests.exceptions.ReadTimeout):
        get(*PEOPLE, timeout=0.1)
    assert get(*PEOPLE).status_code == 200


@pytest.mark.parametrize("rows", ["as they are", "none"])
def test_a_cut_answer_breaks_the_client(
    get: Get, control: RemoteControl, caplog: pytest.LogCaptureFixture, rows: str
) -> None:
    if rows == "none":
        control.replace("resource_management", "people", [])
    control.place_fault("cut", times=1)
    with caplog.at_level(logging.WARNING), pytest.raises(requests.exceptions.ChunkedEncodingError):
        get(*PEOPLE)
    assert control.requests()[0]["status"] == 200
    assert get(*PEOPLE).status_code == 200
    assert not caplog.records


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("<!doctype html><title>Sign in</title>", "text/html"),
        ('{"data": [{"id": 1}', "application/json"),
        ("", "application/json"),
    ],
)
def test_another_body_with_200(
    get: Get, control: RemoteControl, body: str, content_type: str
) -> None:
    control.place_fault("body", body=body, content_type=content_type)
    answer = get(*PEOPLE)
    assert answer.status_code == 200
    assert answer.text == body
    assert answer.headers["Content-Type"].startswith(content_type)
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_a_redirect(get: Get, control: RemoteControl) -> None:
    control.place_fault("redirect", headers={"Location": "/health"})
    answer = get(*PEOPLE, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/health")
    followed = get(*PEOPLE)
    assert followed.json() == {"status": "ok"}


def test_a_redirect_with_another_status(get: Get, control: RemoteControl) -> None:
    control.place_fault("redirect", status=307, headers={"location": "/health"})
    assert get(*PEOPLE, allow_redirects=False).status_code == 307


REPEATED: list[tuple[str, str, dict[str, Any]]] = [
    ("time_tracking", "/v1/resource", {"offset": 300}),
    ("project_management", "/v2/projects", {"page": 3, "items_per_page": 5}),
    ("resource_management", "/tasks", {"page": 2}),
    ("workspace_time", "/v1/workspaces/71001/tasks", {"page": 9}),
]


@pytest.mark.parametrize(("api", "path", "query"), REPEATED)
def test_the_first_page_again_and_again(
    get: Get, control: RemoteControl, api: str, path: str, query: dict[str, Any]
) -> None:
    first = get(api, path, {**query, next(iter(query)): 0 if "offset" in query else 1}).json()
    asked = get(api, path, query).json()
    control.place_fault("repeat", api=api)
    assert get(api, path, query).json() == first != asked


def test_faults_reach_those_without_credentials_too(
    get: Get, control: RemoteControl, session: requests.Session
) -> None:
    control.place_fault("status", status=503)
    assert get("time_tracking", "/v1/resource", {"api_key": "wrong"}).status_code == 503


def test_the_control_is_never_hit(control: RemoteControl) -> None:
    control.place_fault("status", status=500, path="control")
    control.place_fault("status", status=500)
    assert len(control.faults()) == 2


@pytest.mark.parametrize(
    ("kind", "header", "value"),
    [("compress", "Content-Encoding", "gzip"), ("chunk", "Transfer-Encoding", "chunked")],
)
def test_the_right_answer_in_another_form(
    get: Get, control: RemoteControl, kind: str, header: str, value: str
) -> None:
    plain = get(*PEOPLE)
    control.place_fault(kind)
    answer = get(*PEOPLE)
    assert answer.headers[header] == value
    assert answer.content == plain.content


def test_a_list_that_ends_too_early(get: Get, control: RemoteControl) -> None:
    whole = get(*PEOPLE).json()
    control.place_fault("truncate", rows=3)
    answer = get(*PEOPLE).json()
    shortened = answer if isinstance(answer, list) else next(iter(answer.values()))
    assert shortened == (whole if isinstance(whole, list) else next(iter(whole.values())))[:3]


def test_an_answer_in_another_encoding(get: Get, control: RemoteControl) -> None:
    whole = get(*PEOPLE).json()
    control.place_fault("encode", encoding="utf-16", times=1)
    assert get(*PEOPLE).content.decode("utf-16") != ""
    control.place_fault("encode", encoding="latin-1", content_type="application/json; charset=l1")
    answer = get(*PEOPLE)
    assert answer.headers["Content-Type"] == "application/json; charset=l1"
    assert json.loads(answer.content.decode("latin-1")).keys() == whole.keys()


def test_an_answer_that_never_ends(get: Get, control: RemoteControl) -> None:
    control.place_fault("drip", times=1)
    begun = time.perf_counter()
    with get(*PEOPLE, stream=True) as answer:
        parts = answer.iter_content(1)
        assert next(parts) == b"{"
        while next(parts) != b" " or time.perf_counter() - begun < 0.5:
            assert time.perf_counter() - begun < 30
    assert get(*PEOPLE).status_code == 200
