"""What dlt refuses is refused in its words; what only its whole can judge, it judges."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from timetracking_assets.component import load_project
from timetracking_assets.errors import SpecError
from timetracking_assets.files.locations import shipped_apis
from timetracking_assets.ingest.pages import rest_api
from timetracking_assets.ingest.pages.rest_api import validate
from timetracking_assets.spec.api import Api

Resolve = Callable[..., Api]


def people(**endpoint: Any) -> dict[str, Any]:
    return {"name": "people", "endpoint": {"path": "people", **endpoint}}


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a key": (people(methods="GET"), "methods"),
    "a paginator": (people(paginator={"type": "page_numbers"}), "page_numbers"),
    "a paginator's key": (people(paginator={"type": "page_number", "limit": 5}), "limit"),
    "an auth": (people(auth={"type": "basic"}), "basic"),
    "an action": (people(response_actions=[{"status": 404, "action": "ignore"}]), "status"),
    "a kind of parameter": (people(params={"since": {"type": "cursor"}}), "cursor"),
}


@pytest.mark.parametrize(("resource", "word"), WRONG.values(), ids=WRONG)
def test_dlt_refuses_with_its_own_words(api: Resolve, resource: dict[str, Any], word: str) -> None:
    right = {"name": "entries", "endpoint": {"path": "entries"}}
    wrong = api(right, resource)
    with pytest.raises(SpecError) as refused:
        validate(wrong)
    assert refused.value.path == ("resources", 1, "endpoint")
    assert refused.value.message.startswith("dlt refuses resource 'people': ")
    assert word in refused.value.message


def test_dlt_refuses_a_client(api: Resolve) -> None:
    with pytest.raises(SpecError, match=r"dlt refuses `client`: .*speed") as refused:
        validate(api(people(), client={"base_url": "${HOURS_URL}", "speed": 1}))
    assert refused.value.path == ("client",)


@pytest.mark.parametrize(
    "endpoint",
    [
        {"params": {"since": {"type": "incremental", "cursor_path": "day"}}},
        {"incremental": {"cursor_path": "day", "start_param": "since"}},
    ],
)
def test_a_cursor_of_dlt_is_refused(api: Resolve, endpoint: dict[str, Any]) -> None:
    """A load requests a window; what dlt would remember from the last one is not kept."""
    with pytest.raises(SpecError, match="say which part of it a load requests with `window`"):
        validate(api(people(**endpoint)))


def test_shipped_files_need_no_resources_to_be_judged(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("dlt has made its resources, which takes long")

    monkeypatch.setattr(rest_api, "rest_api", never)
    # where no project is; an installed package is none
    assert len(load_project(tmp_path)) == len(shipped_apis())
