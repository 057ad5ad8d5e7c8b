"""Tokens of OAuth 2.0 client credentials: requested once for all threads, and masked from then on.

dlt requests and renews them; this module gives it a session, and takes care that threads share one
token.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

import requests
from requests.auth import AuthBase

from timetracking_assets.errors import AnswerError
from timetracking_assets.ingest.http.session import ApiSession, open_session
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.redaction import Redactor
from timetracking_assets.spec.api import Api
from timetracking_assets.spec.variables import variable_names


class SharedAuth(AuthBase):
    """dlt's authentication `auth` for several threads, so that they request one token together."""

    def __init__(self, auth: Any) -> None:
        self._auth, self._lock = auth, Lock()

    def __call__(self, request: requests.PreparedRequest) -> Any:
        """Authenticate `request`; the first one gets the token, or renews it."""
        with self._lock:
            return self._auth(request)


def open_token_session(
    api: Api, auth: Any, redactor: Redactor, stats: RequestStats, deadline: float
) -> ApiSession | None:
    """The session for token requests of `auth`, until `deadline`; None for another kind."""
    if not isinstance(auth, dict) or auth.get("type") != "oauth2_client_credentials":
        return None
    names = variable_names((api.client.get("auth") or {}).get("access_token_url"))
    return open_session(
        api,
        f"{api.name}: token",
        auth["access_token_url"],
        redactor,
        stats,
        _learn_token,
        setting=", ".join(names),
        deadline=deadline,
    )


def _learn_token(response: requests.Response, redactor: Redactor) -> None:
    response.raise_for_status()
    try:
        answer = response.json()
    except ValueError:
        answer = None
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not token:
        # what is there instead may be a secret that nobody knows yet
        raise AnswerError(
            f"the answer of {response.url} holds no `access_token`. Check `access_token_url`."
        )
    redactor.learn(token)
