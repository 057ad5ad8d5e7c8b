"""The token of OAuth 2.0 client credentials: where dlt gets it, and that it is masked from then on.

dlt asks for the token and renews it; here is the session in which it asks, because the token's host
is mostly not the API's.
"""

from __future__ import annotations

from typing import Any

import requests

from timetracking_assets.errors import AnswerError
from timetracking_assets.ingest.request_stats import RequestStats
from timetracking_assets.ingest.session import open_session
from timetracking_assets.redaction import Redactor
from timetracking_assets.spec.api import Api
from timetracking_assets.spec.variables import variable_names


def open_token_session(
    api: Api, auth: Any, redactor: Redactor, stats: RequestStats
) -> requests.Session | None:
    """The session for the token requests of `auth`; None if it is of another kind."""
    if not isinstance(auth, dict) or auth.get("type") != "oauth2_client_credentials":
        return None
    named = variable_names(api.client["auth"].get("access_token_url"))
    return open_session(
        api,
        f"{api.name}: token",
        auth["access_token_url"],
        redactor,
        stats,
        _learn_token,
        setting=", ".join(named),
    )


def _learn_token(response: requests.Response, redactor: Redactor) -> None:
    response.raise_for_status()
    try:
        answer = response.json()
    except ValueError:
        answer = None
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not token:
        # what it says instead may be a secret that nobody knows yet
        raise AnswerError(
            f"the answer of {response.url} holds no `access_token`. Check `access_token_url`."
        )
    redactor.learn(token)
