"""Variables: listed, substituted, required all at once; no secret is in a specification itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from timetracking_assets.errors import SettingsError, SpecError
from timetracking_assets.spec.api import Api
from timetracking_assets.spec.variables import (
    credential_variables,
    require,
    substitute,
    variable_names,
)

NESTED = {"a": "${B}/${A}", "c": [{"d": "${B}"}, 5, None], "e": ("${_C1}", "$D", "${e-f}", "{G}")}


def test_names_are_found_once_each_in_order() -> None:
    assert variable_names(NESTED) == ["B", "A", "_C1"]
    assert variable_names(None) == []


def test_values_are_put_in_everywhere_and_taken_literally() -> None:
    values = {"A": r"\1${B}", "B": "b", "_C1": ""}
    assert substitute(NESTED, values) == {
        "a": r"b/\1${B}",
        "c": [{"d": "b"}, 5, None],
        "e": ["", "$D", "${e-f}", "{G}"],
    }
    with pytest.raises(KeyError):
        substitute("${A}", {})


def test_all_missing_variables_are_named_and_no_value_is() -> None:
    values = {"A": "secret", "B": " ", "C": ""}
    require(["A"], values, "hours")
    with pytest.raises(
        SettingsError, match=r"hours: environment variables B, C, D not set. Set th"
    ):
        require(["A", "B", "C", "D"], values, "hours")
    with pytest.raises(SettingsError, match=r"environment variable B not set. Set it") as refused:
        require(["A", "B"], values, "hours")
    assert "secret" not in str(refused.value)


Resolve = Callable[..., Api]
URL = "${HOURS_BASE_URL}"
OAUTH = {
    "type": "oauth2_client_credentials",
    "access_token_url": "https://x",
    "client_id": "public",
    "client_secret": "${S}",
}


def entries(**endpoint: Any) -> dict[str, Any]:
    return {"name": "entries", "endpoint": {"path": "entries", **endpoint}}


@pytest.mark.parametrize(
    ("client", "key"),
    [
        ({"headers": {"Authorization": "Bearer abc"}}, "Authorization"),
        ({"headers": {"x-api-key": "abc"}}, "x-api-key"),
        ({"headers": {"X-Auth-Token": "abc"}}, "X-Auth-Token"),
        ({"headers": {"Cookie": "session=abc"}}, "Cookie"),
        ({"headers": {"Client-Secret": "abc"}}, "Client-Secret"),
        ({"auth": {"type": "bearer", "token": "abc"}}, "token"),
        ({"auth": {"type": "http_basic", "username": "me", "password": "abc"}}, "password"),
        ({"auth": {**OAUTH, "client_secret": "abc"}}, "client_secret"),
        (
            {"auth": {**OAUTH, "access_token_request_data": {"client_secret": "abc"}}},
            "client_secret",
        ),
    ],
)
def test_a_secret_in_the_client_is_refused(api: Resolve, client: dict[str, Any], key: str) -> None:
    with pytest.raises(SpecError, match="a secret must not be in this file") as refused:
        api(entries(), client={"base_url": URL, **client})
    assert f"write `{key}: ${{MY_VARIABLE}}`" in refused.value.message
    assert refused.value.path[:2] == ("client", next(iter(client)))
    assert "abc" not in refused.value.message


def test_a_secret_in_the_base_url_is_refused(api: Resolve) -> None:
    with pytest.raises(SpecError, match="credentials belong into `auth`") as refused:
        api(entries(), client={"base_url": "https://me:abc@hours.example"})
    assert refused.value.path == ("client", "base_url")


@pytest.mark.parametrize(
    ("auth", "missing"),
    [
        ("bearer", "token"),
        ({"type": "bearer"}, "token"),
        ({"type": "api_key", "name": "key"}, "api_key"),
        ({"type": "http_basic", "username": "${U}"}, "password"),
        ({"type": "http_basic", "password": "${P}"}, "username"),
        ({"type": "oauth2_client_credentials", "access_token_url": "${U}"}, "client_id"),
    ],
)
def test_the_file_alone_has_the_credentials(api: Resolve, auth: Any, missing: str) -> None:
    """dlt would take what is missing from variables such as TOKEN."""
    with pytest.raises(SpecError, match=f"`{missing}` is missing") as refused:
        api(entries(), client={"base_url": URL, "auth": auth})
    assert refused.value.path == ("client", "auth")
    with pytest.raises(SpecError, match=f"`{missing}` is missing"):
        api(entries(auth=auth), client={"base_url": URL})


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("headers", "Authorization"),
        ("headers", "X-Api-Key"),
        ("params", "api_key"),
        ("params", "access_token"),
        ("json", "password"),
    ],
)
def test_a_secret_in_an_endpoint_is_refused(api: Resolve, place: str, name: str) -> None:
    with pytest.raises(SpecError, match=f"'{name}' looks like a credential") as refused:
        api(entries(**{place: {name: "abc"}}))
    assert refused.value.path == ("resources", 0, "endpoint", place)


def test_what_is_no_secret_is_left_alone(api: Resolve) -> None:
    api(
        entries(params={"key": "x", "page_token": "1", "sort": "id"}, headers={"Accept": "*/*"}),
        client={
            "base_url": URL,
            "headers": {"Accept": "text/json", "Account-Id": "7", "X-Api-Key": "${K}"},
            "auth": {"type": "http_basic", "username": "${TOKEN}", "password": "api_token"},
        },
    )


@pytest.mark.parametrize(
    ("client", "variables"),
    [
        ({"auth": {"type": "bearer", "token": "${T}"}}, ["T"]),
        ({"auth": {"type": "http_basic", "username": "${U}", "password": "${P}"}}, ["P"]),
        ({"auth": {"type": "http_basic", "username": "${T}", "password": "api_token"}}, ["T"]),
        ({"auth": {"type": "api_key", "name": "k", "api_key": "${K}"}}, ["K"]),
        ({"auth": OAUTH}, ["S"]),
        ({"headers": {"Authorization": "Bearer ${T}", "Account-Id": "${ID}"}}, ["T"]),
        ({"headers": {"X-AUTH-USER": "${U}", "X-AUTH-TOKEN": "${T}"}}, ["T"]),
        ({"headers": {"X-Auth-Email": "${E}", "X-Authentication-Account": "${A}"}}, []),
        ({}, []),
    ],
)
def test_the_variables_that_open_the_api(client: dict[str, Any], variables: list[str]) -> None:
    assert credential_variables(client) == variables


def test_a_credential_of_an_endpoint_may_be_a_variable(api: Resolve) -> None:
    """It is masked in messages, and no table may hold it."""
    endpoint = {
        "path": "entries",
        "headers": {"X-Api-Key": "${REPORT_KEY}", "X-Team": "${TEAM}"},
        "params": {"api_key": "${OTHER_KEY}", "office": "${OFFICE}"},
    }
    resolved = api({"name": "entries", "endpoint": endpoint})
    assert set(resolved.secret_variables) == {"REPORT_KEY", "TEAM", "OTHER_KEY", "OFFICE"}
    assert credential_variables(resolved.client, resolved.endpoints) == ["REPORT_KEY", "OTHER_KEY"]
