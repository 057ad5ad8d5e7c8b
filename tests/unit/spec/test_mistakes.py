"""Wrong shapes: each mistake at its key, in plain words."""

from collections.abc import Callable
from typing import Any

import pytest

from timetracking_assets.errors import SpecError
from timetracking_assets.spec.api import Api

Resolve = Callable[..., Api]
PEOPLE = {"name": "people", "endpoint": {"path": "people"}}


@pytest.mark.parametrize(
    ("given", "path", "message"),
    [
        ({"page_siz": 5}, ("page_siz",), "unknown key; did you mean `page_size`?"),
        ({"page_size": "many"}, ("page_size",), "must be a whole number, not 'many'"),
        ({"page_size": 0}, ("page_size",), "must be greater than 0, not 0"),
        ({"max_removed_share": 2}, ("max_removed_share",), "must be at most 1, not 2"),
        ({"null_is_empty": "maybe"}, ("null_is_empty",), "must be true or false, not 'maybe'"),
        ({"name": "People"}, ("name",), "'People' must begin with a small letter and hold only"),
        ({"sync_mode": "all"}, ("sync_mode",), "must be one of `snapshot`, `window` or `changes`"),
        ({"owners": "me"}, ("owners",), "must be a list, not 'me'"),
        ({"columns": ["id"]}, ("columns",), "must be a map, not a list"),
        ({"columns": {"id": {}}}, ("columns", "id", "data_type"), "is missing"),
        (
            {"columns": {"id": {"data_typ": "text", "data_type": "text"}}},
            ("columns", "id", "data_typ"),
            "did you mean `data_type`?",
        ),
        ({"freshness": "never"}, ("freshness",), "must be a map or `off`, not 'never'"),
        (
            {"freshness": {"fail_hour": 2}},
            ("freshness", "fail_hour"),
            "unknown key; did you mean `fail_hours`?",
        ),
        (
            {"freshness": {"fail_hours": "long"}},
            ("freshness", "fail_hours"),
            "must be a number, not 'long'",
        ),
        (
            {"references": {"id": {"resourc": "x", "resource": "y"}}},
            ("references", "id", "resourc"),
            "did you mean `resource`?",
        ),
        ({"primary_key": ""}, ("primary_key",), "must not be empty"),
        ({"primary_key": 5}, ("primary_key",), "must be a name or a list of names"),
        (
            {"partitions": {"type": "daily", "start": "soon"}},
            ("partitions", "start"),
            "'soon' is not a day, `YYYY-MM-DD`",
        ),
        ({"schedule": "hourly"}, ("schedule",), "'hourly' is not a cron of five fields"),
    ],
)
def test_a_mistake_is_named_at_its_key(
    api: Resolve, given: dict[str, Any], path: tuple[str, ...], message: str
) -> None:
    with pytest.raises(SpecError) as refused:
        api({**PEOPLE, **given})
    [only] = refused.value.each
    assert only.path == ("resources", 0, *path)
    assert message in only.message


def test_an_unknown_key_like_no_other_is_answered_by_those_there_are(api: Resolve) -> None:
    with pytest.raises(SpecError, match="unknown key; there are `max_wait`, `remaining_header`"):
        api(PEOPLE, quota={"xyz": 1})


def test_all_mistakes_are_named_at_once(api: Resolve) -> None:
    with pytest.raises(SpecError) as refused:
        api({**PEOPLE, "page_size": 0, "owner": []}, retry={"max_retries": -1}, concurrency="four")
    assert {each.path for each in refused.value.each} == {
        ("retry", "max_retries"),
        ("concurrency",),
        ("resources", 0, "page_size"),
        ("resources", 0, "owner"),
    }


def test_a_value_of_the_client_is_not_repeated(api: Resolve) -> None:
    """It may hold a secret."""
    with pytest.raises(SpecError) as refused:
        api(PEOPLE, client="s3cret")
    assert refused.value.message == "must be a map"
