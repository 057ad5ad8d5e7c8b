"""The setting that lets processes share their limits; what they share is tested on a cluster."""

import sys

import pytest

from timetracking_assets.errors import SettingsError
from timetracking_assets.ingest.http.shared_limits import VARIABLE, shared_limits

PACKAGE = "timetracking_assets.ingest.http"


def test_limits_are_of_one_process_unless_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)

    assert shared_limits() is None


def test_a_url_of_another_server_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "mysql://user:secret-word@host/db")

    with pytest.raises(SettingsError, match="must be a URL like redis://") as refused:
        shared_limits()
    assert "secret-word" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "client"),
    [
        ("redis://:secret-word@host:6379/0", "redis"),
        ("postgresql://user:secret-word@host:5432/db", "psycopg"),
    ],
)
def test_a_missing_client_is_named(url: str, client: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, url)
    for module in ("redis_limits", "postgres_limits"):
        monkeypatch.delitem(sys.modules, f"{PACKAGE}.{module}", raising=False)
    monkeypatch.setitem(sys.modules, client, None)

    with pytest.raises(SettingsError, match=r"pip install timetracking-assets\[cluster\]"):
        shared_limits()
