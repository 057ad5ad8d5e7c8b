"""No credential's value is written anywhere, whatever happens: every byte is searched for it."""

from __future__ import annotations

import base64
import json
import socket
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import pytest

from tests.support.code_locations import hasty_definitions

if TYPE_CHECKING:
    from tests.support.platform import Outcome, Platform
    from timetracking_assets.sandbox.remote_control import RemoteControl

LIST = "time_tracking/time_tracking_data"
# one for each kind of authentication: asset, its secrets, pairs that basic authentication joins
ASSETS = {
    "time_tracking/time_tracking_data": (["TIME_TRACKING_API_KEY"], None),
    "project_management/customers": (
        ["PROJECT_MANAGEMENT_EMAIL_ADDRESS", "PROJECT_MANAGEMENT_API_KEY"],
        "{PROJECT_MANAGEMENT_EMAIL_ADDRESS}:{PROJECT_MANAGEMENT_API_KEY}",
    ),
    "workspace_time/organizations": (
        ["WORKSPACE_TIME_API_TOKEN"],
        "{WORKSPACE_TIME_API_TOKEN}:api_token",
    ),
    "resource_management/roles": (["RESOURCE_MANAGEMENT_API_TOKEN"], None),
    "time_analytics/tags": (["TIME_ANALYTICS_API_KEY"], None),
}
# characters that differ in a URL, in JSON and in base64
AWKWARD = '+/ä "key'


# a resource of each API, the field of a row that its API may put a key into, and the row's key
FIELDS = {
    "time_tracking/time_tracking_data": "note",
    "project_management/customers": "name",
    "workspace_time/organizations": "name",
    "resource_management/roles": "name",
    "time_analytics/tags": "name",
}


def test_no_trace_of_a_credential(
    hasty_platform: Platform,
    control: RemoteControl,
    settings: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """One run for each thing that may go wrong, and one search at the end."""
    secrets = {settings[name] for names, _ in ASSETS.values() for name in names}
    joined = [pair.format(**settings) for _, pair in ASSETS.values() if pair]
    outcomes: list[Outcome] = []
    impatient = hasty_definitions(timeout=1)

    def load(*assets: str, said: str, platform: Platform = hasty_platform) -> None:
        outcome = platform.materialize(*(assets or ASSETS), loud=True)
        outcomes.append(outcome)
        control.clear_faults()
        assert outcome.failures.keys() == set(assets or ASSETS)
        assert all(said in message for message in outcome.failures.values()), outcome.failures

    def place(kind: str, body: str = "{echo}", **fields: Any) -> None:
        """Each API repeats what it was sent, in its own words."""
        for asset, (names, pair) in ASSETS.items():
            own = sorted(settings[name] for name in names)
            sent = [*own, *([pair.format(**settings)] if pair else [])]
            encoded = [base64.b64encode(text.encode()).decode() for text in sent]
            echo = json.dumps({"error": f"no access with {sent}, {encoded}"})
            control.place_fault(
                kind,
                api=asset.partition("/")[0],
                body=body.replace("{echo}", echo),
                **{"headers": {"X-Echo": own[0]}, **fields},
            )

    place("status", status=401)
    load(said="HTTP 401")
    place("body", "<html>{echo}</html>", content_type="text/html")
    load(said="not JSON")
    elsewhere = f"http://127.0.0.1:{_free_port()}/?key="
    for asset, (names, _) in ASSETS.items():
        location = {"Location": elsewhere + quote(settings[names[0]])}
        control.place_fault("redirect", api=asset.partition("/")[0], headers=location)
    load(said="another host")
    # the rest of what may happen, with the API whose key is in every URL
    for status in (402, 500):
        place("status", status=status)
        load(LIST, said=f"HTTP {status}")
    place("status", status=429, headers={"Retry-After": "9999"})
    load(LIST, said="quota.max_wait")
    place("body")
    load(LIST, said="has nothing at `data`")
    control.place_fault("cut")
    load(LIST, said="cut")
    control.place_fault("slow", seconds=3, api="time_tracking")
    load(LIST, said="in time", platform=replace(hasty_platform, definitions=impatient))

    for name in settings:
        if name.endswith("_BASE_URL"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{_free_port()}")
    load(said="no server answers")

    printed = "".join([*capfd.readouterr(), *(outcome.printed for outcome in outcomes)])
    compute_logs = list(hasty_platform.home.rglob("*.err"))
    assert len(compute_logs) >= len(outcomes)
    assert hasty_platform.tables() == set()
    _assert_nowhere(secrets, joined, hasty_platform, tmp_path, printed)


def test_a_credential_in_a_row_is_in_its_table_alone(
    hasty_platform: Platform, control: RemoteControl, settings: dict[str, str], tmp_path: Path
) -> None:
    """APIs that put a credential into a row: it stays as it was sent, and only the table has it."""
    _put_into_rows(control, settings)
    outcome = hasty_platform.materialize(*ASSETS, loud=True)
    assert outcome.green, outcome.failures
    for asset, field in FIELDS.items():
        secret = settings[ASSETS[asset][0][-1]]
        [[rows]] = hasty_platform.sql(
            f"SELECT count(*) FROM {asset.replace('/', '.')} WHERE {field} = 'a key: {secret}'"
        )
        assert rows == 1, asset
        assert outcome.metadata[asset]["credential_columns"] == field
        assert f"{asset}: a credential of the API was seen in {field}." in outcome.printed
    # the user of a pair is a person, whose address a row may hold
    credentials = {settings[names[-1]] for names, _ in ASSETS.values()}
    joined = [pair.format(**settings) for _, pair in ASSETS.values() if pair]
    for warehouse in tmp_path.rglob("*.duckdb"):
        warehouse.unlink()
    _assert_nowhere(credentials, joined, hasty_platform, tmp_path, outcome.printed)


def _put_into_rows(control: RemoteControl, settings: dict[str, str]) -> None:
    for asset, field in FIELDS.items():
        api, _, resource = asset.partition("/")
        secret = settings[ASSETS[asset][0][-1]]
        row = {**control.rows(api, resource)[0], field: f"a key: {secret}"}
        control.edit(api, resource, upsert=[row])


def test_no_trace_of_an_awkward_credential(
    hasty_platform: Platform,
    control: RemoteControl,
    settings: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Credentials that look different in a URL, in JSON and in base64."""
    values = {name: f"{name.lower()}{AWKWARD}" for names, _ in ASSETS.values() for name in names}
    for name, value in values.items():
        if name.startswith(("RESOURCE_MANAGEMENT", "TIME_ANALYTICS")):
            # in a header as it is
            values[name] = value.replace("ä", "")
        monkeypatch.setenv(name, values[name])
    joined = [pair.format(**{**settings, **values}) for _, pair in ASSETS.values() if pair]
    outcome = hasty_platform.materialize(*ASSETS, loud=True)
    assert outcome.failures.keys() == ASSETS.keys()
    # parents are asked for at the same time
    assert len(control.requests()) >= len(ASSETS)
    _assert_nowhere(set(values.values()), joined, hasty_platform, tmp_path, outcome.printed)


def _assert_nowhere(
    secrets: set[str], pairs: list[str], platform: Platform, directory: Path, printed: str
) -> None:
    wanted = {form.encode() for secret in [*secrets, *pairs] for form in _forms(secret)}
    places = dict(_everything(platform, directory))
    places["what was printed"] = printed.encode()
    everything = b"".join(places.values())
    # the search finds what is there
    assert b"RUN_START" in everything or b"STEP_START" in everything
    found = [
        (place, form) for place, content in places.items() for form in wanted if form in content
    ]
    assert found == []


def _forms(secret: str) -> Iterator[str]:
    yield from (secret, quote(secret), quote(secret, safe=""), quote_plus(secret))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(secret.encode()).decode().rstrip("=")


def _everything(platform: Platform, directory: Path) -> Iterator[tuple[str, bytes]]:
    for path in directory.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(directory)), path.read_bytes()
    if not platform.tables():
        return
    # dlt keeps its state compressed: a search of the file's bytes would not see into it
    tables = platform.sql("SELECT table_schema, table_name FROM information_schema.tables")
    for schema, table in tables:
        if not table.startswith("_"):
            continue
        for row in platform.sql(f'SELECT * FROM "{schema}"."{table}"'):
            for value in map(str, row):
                yield f"{schema}.{table}", value.encode()
                with suppress(ValueError, zlib.error):
                    yield f"{schema}.{table}", zlib.decompress(base64.b64decode(value))


def _free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])
