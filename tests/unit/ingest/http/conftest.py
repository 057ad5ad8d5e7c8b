"""A session to a stub server, and what it counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import requests

from timetracking_assets.errors import ApiError
from timetracking_assets.ingest.http.session import Accept, ApiSession, open_session
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.redaction import Redactor
from timetracking_assets.spec.model import RetrySpec

if TYPE_CHECKING:
    from timetracking_assets.spec.api import Api

SECRET = "top-secret-key"
HOOKS = {"response": lambda answer, **_: answer.raise_for_status()}


class Requester:
    """A session whose `failure` is masked, and nothing is chained to it."""

    def __init__(self, api: Api, base_url: str, accept: Accept, **options: Any) -> None:
        self.stats = RequestStats()
        self.base_url = base_url
        self.session: ApiSession = open_session(
            api, "hours/entries", base_url, Redactor([SECRET]), self.stats, accept, **options
        )

    def get(self, path: str = "/entries", **request: Any) -> requests.Response:
        url = path if "://" in path else f"{self.base_url}{path}"
        return self.session.get(url, hooks=HOOKS, **request)

    def failure(self, path: str = "/entries", **request: Any) -> ApiError:
        with pytest.raises(ApiError) as refused:
            self.get(path, **request)
        error = refused.value
        # nothing that dlt could pickle into its trace, either
        assert error.__cause__ is None
        assert error.__context__ is None
        assert SECRET not in str(error)
        assert str(error).startswith("hours/entries: ")
        return error


@pytest.fixture
def requester(api: Callable[..., Api]) -> Iterator[Callable[..., Requester]]:
    """`requester(base_url, max_retries=0, accept=...)`: keys of `retry`, and of the file."""
    opened: list[Requester] = []

    def open_requester(
        base_url: str,
        accept: Accept = lambda *_: None,
        deadline: float = float("inf"),
        **given: Any,
    ) -> Requester:
        retry = {key: given.pop(key) for key in RetrySpec.model_fields.keys() & given.keys()}
        settings = {"backoff_factor": 0, "timeout": 5, **retry}
        resolved = api({"name": "entries", "endpoint": {"path": "x"}}, retry=settings, **given)
        opened.append(Requester(resolved, base_url, accept, deadline=deadline))
        return opened[-1]

    yield open_requester
    for one in opened:
        one.session.close()
