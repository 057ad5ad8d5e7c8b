"""The HTTP session of one load: retries, counts, tokens, errors that a person can act on.

dlt's own session does the retrying, and gets and renews the token of OAuth 2.0 client credentials;
this module puts what they lack around them: what one attempt may do (`adapter.py`), what is said of
a failure (`failures.py`), and that a token is masked from then on. What becomes of a success is
decided by who opens the session.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Any

import requests
from dlt.sources.helpers.requests import Client
from dlt.sources.helpers.rest_client.auth import AuthConfigBase

from timetracking_assets.errors import AnswerError, ApiError
from timetracking_assets.ingest.http.adapter import ApiAdapter
from timetracking_assets.ingest.http.failures import describe
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.redaction import Redactor
from timetracking_assets.spec.api import Api
from timetracking_assets.spec.variables import variable_names


class _OneAtATime(AuthConfigBase):
    """An authentication for several lanes, so that they ask for one token and not for one each."""

    def __init__(self, auth: Any) -> None:
        self._auth, self._lock = auth, Lock()
        self.__is_resolved__ = True  # dlt has nothing to look up for it

    def __deepcopy__(self, memo: object) -> _OneAtATime:
        # dlt copies what it is configured with; the token belongs to all lanes
        return self

    def __call__(self, request: requests.PreparedRequest) -> Any:
        with self._lock:
            return self._auth(request)


Accept = Callable[[requests.Response, Redactor], None]
"""What is done with an answer. It raises ApiError for one that can't be used."""


def open_session(
    api: Api,
    label: str,
    base_url: str,
    redactor: Redactor,
    stats: RequestStats,
    accept: Accept,
    setting: str = "",
) -> requests.Session:
    """A session for requests to the host of `base_url`, which messages call `label`.

    `setting` names what `base_url` comes from, for messages. The session's `send` raises ApiError,
    whose text is masked, for whatever goes wrong.
    """
    retry = api.retry
    session = Client(
        raise_for_status=False,
        request_timeout=retry.timeout,
        # 402 comes this far only with a reset that is near: see the adapter
        status_codes=(*retry.status_codes, 402),
        request_max_attempts=retry.max_retries + 1,
        request_backoff_factor=retry.backoff_factor,
        request_max_retry_delay=max(retry.max_delay, api.quota.max_wait),
    ).session
    adapter = ApiAdapter(api, label, base_url, stats)
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)
    send: Callable[..., requests.Response] = session.send
    named_url = f"{base_url} from {setting}" if setting else base_url

    def send_and_accept(request: requests.PreparedRequest, **kwargs: object) -> requests.Response:
        failure: ApiError | None = None
        problem: requests.RequestException | None = None
        hops = 0
        before, retries, seconds = stats.requests, stats.retries, stats.seconds
        started = time.monotonic()
        try:
            response = send(request, **kwargs)
            hops = len(response.history)
            # what follows a redirect comes through here by itself
            if not hops:
                stats.bytes += len(response.content)
                accept(response, redactor)
        except ApiError as error:
            failure = type(error)(redactor(str(error)), transient=error.transient)
        except requests.RequestException as error:
            problem = error
        finally:
            stats.retries = retries + max(0, stats.requests - before - 1 - hops)
            stats.seconds = seconds + time.monotonic() - started
        # outside the except block: a chained exception would carry the URL, and with it a key, into
        # dlt's trace
        if problem is not None:
            failure = describe(problem, request, label, named_url, redactor, api.quota)
        if failure is not None:
            raise failure
        return response

    session.send = send_and_accept  # type: ignore[method-assign]
    # once: dlt asks before each request, and each time the whole environment would be searched
    environment = session.merge_environment_settings(base_url, {}, None, None, None)
    session.merge_environment_settings = lambda *_: environment.copy()  # type: ignore[method-assign]
    return session


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
