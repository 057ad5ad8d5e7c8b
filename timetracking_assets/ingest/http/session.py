"""The HTTP session of a load: what is sent, what is repeated, and errors that a person can act on.

A subclass of dlt's session, for its public methods only. What one attempt may do is in
`adapter.py`, the message of a failure in `failures.py`, tokens in `tokens.py`. What becomes of a
successful response is decided by whoever opens the session.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from copy import copy
from typing import Any
from urllib.parse import urljoin

import requests
from dlt.sources.helpers.requests import Session
from dlt.sources.helpers.rest_client.auth import APIKeyAuth, HttpBasicAuth
from tenacity import RetryCallState, Retrying, stop_after_attempt, wait_exponential

from timetracking_assets.errors import AnswerError, ApiError
from timetracking_assets.ingest.http.adapter import ApiAdapter, load_timeout
from timetracking_assets.ingest.http.body import CutOffError, is_cut_off
from timetracking_assets.ingest.http.failures import describe, is_transient
from timetracking_assets.ingest.http.origin import (
    Origin,
    credentials_in,
    with_parameters,
    without_parameter,
)
from timetracking_assets.ingest.http.parameters import as_json
from timetracking_assets.ingest.http.quota import is_used_up, retry_after, seconds_until_reset
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.redaction import Redactor
from timetracking_assets.spec.api import Api

_MAX_REDIRECTS = 10

Accept = Callable[[requests.Response, Redactor], None]
"""Takes each successful response. It raises ApiError for one that can't be used."""


def open_session(
    api: Api,
    label: str,
    base_url: str,
    redactor: Redactor,
    stats: RequestStats,
    accept: Accept,
    setting: str = "",
    deadline: float = math.inf,
) -> ApiSession:
    """A session for requests to the host of `base_url`, which messages call `label`.

    `setting` names what `base_url` comes from, for messages. No request runs past `deadline`, an
    instant of the monotonic clock.
    """
    return ApiSession(api, label, base_url, redactor, stats, accept, setting, deadline)


class ApiSession(Session):
    """Requests to the host of `base_url`. `send` raises ApiError, its text masked, for any failure.

    Nothing but the API's file decides which credentials are sent: none of `.netrc`. Proxies and
    certificate authorities are those of the environment.
    """

    def __init__(
        self,
        api: Api,
        label: str,
        base_url: str,
        redactor: Redactor,
        stats: RequestStats,
        accept: Accept,
        setting: str,
        deadline: float,
    ) -> None:
        super().__init__(timeout=api.retry.timeout, raise_for_status=False)
        self._api, self._label, self._redactor, self._stats = api, label, redactor, stats
        self._accept = accept
        self._named_url = f"{base_url} from {setting}" if setting else base_url
        self._origin = Origin(base_url)
        self._deadline = deadline
        self._key_parameter: str | None = None
        self.max_redirects = _MAX_REDIRECTS
        self._basic_auth = _basic_auth(base_url)
        # read once: requests would search the environment for each request, and `.netrc` with it
        environment = self.merge_environment_settings(base_url, {}, None, None, None)
        self.proxies, self.verify = environment["proxies"], environment["verify"]
        self.trust_env = False
        adapter = ApiAdapter(api, label, base_url, stats, deadline)
        for scheme in ("http://", "https://"):
            self.mount(scheme, adapter)
        retry = api.retry
        self._backoff = wait_exponential(multiplier=retry.backoff_factor, max=retry.max_delay)
        self._repeated = Retrying(
            stop=stop_after_attempt(retry.max_retries + 1),
            retry=self._is_repeatable,
            wait=self._seconds_to_wait,
            before_sleep=self._count_retry,
            retry_error_callback=_outcome,
        )

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """The request as it is sent: the key once, parameters as JSON writes them."""
        request = copy(request)
        request.url = self._origin.secured(request.url or "")
        self._key_parameter = _key_parameter(request.auth)
        if self._key_parameter:
            # a link may repeat the key, or a masked one; the authentication adds it again
            request.url, _ = without_parameter(request.url, self._key_parameter)
        request.params, request.data = as_json(request.params), as_json(request.data)
        request.auth = self._both(request.auth)
        return super().prepare_request(request)

    def _both(self, auth: Any) -> Any:
        """`auth` after the user in the base URL: it may be a key beside that, or take its header.

        Not the session's: requests would merge two authentications of dlt's, which are mappings.
        """
        basic = self._basic_auth
        if auth is None or basic is None:
            return auth or basic
        return lambda request: auth(basic(request))

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send `request` as often as it takes; return a response that was accepted."""
        if not kwargs.get("allow_redirects", True):
            # a redirect that requests follows: a part of the attempt below
            return self._send_once(request, **kwargs)
        started = time.monotonic()
        try:
            accepted: requests.Response = self._repeated(self._attempt, request, **kwargs)
            return accepted
        except ApiError as error:
            failure = type(error)(self._redactor(str(error)), transient=error.transient)
        except CutOffError as error:
            failure = AnswerError(self._redactor(str(error)), transient=True)
        except requests.RequestException as error:
            failure = describe(
                error, request, self._label, self._named_url, self._redactor, self._api.quota
            )
        finally:
            self._stats.seconds += time.monotonic() - started
        # outside the except block: a chained error would carry the URL, and with it a key, into
        # dlt's trace, which keeps whole chains
        raise failure

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Where `resp` redirects to, as the API's own; None if nowhere."""
        target = super().get_redirect_target(resp)
        return self._origin.secured(urljoin(resp.url, target)) if target else None

    def should_strip_auth(self, old_url: str, new_url: str) -> bool:
        """Whether a redirect leaves the API: credentials stay with it."""
        return not self._origin.holds(new_url)

    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        """Keep the credentials of a redirected request, those in its query too."""
        super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]
        if self._key_parameter:
            _, key = without_parameter(response.request.url or "", self._key_parameter)
            url, _ = without_parameter(prepared_request.url or "", self._key_parameter)
            prepared_request.url = with_parameters(url, key)

    def _attempt(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        response = self._send_once(request, **kwargs)
        try:
            self._accept(response, self._redactor)
        except AnswerError as error:
            if is_cut_off(response):
                raise CutOffError(str(error)) from None
            raise
        return response

    def _send_once(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        response: requests.Response = super().send(request, **kwargs)  # type: ignore[no-untyped-call]
        return response

    def _is_repeatable(self, state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        if error is not None and is_transient(error):
            return True
        response = _response(state)
        return response is not None and (
            response.status_code in self._api.retry.status_codes
            or is_used_up(response, self._api.quota)
        )

    def _seconds_to_wait(self, state: RetryCallState) -> float:
        response = _response(state)
        if response is None:
            return self._backoff(state)
        if is_used_up(response, self._api.quota):
            seconds = seconds_until_reset(response, self._api.quota)
        else:
            seconds = retry_after(response.headers)
            seconds = None if seconds is None else min(seconds, self._api.retry.max_delay)
        return self._backoff(state) if seconds is None else seconds

    def _count_retry(self, state: RetryCallState) -> None:
        if time.monotonic() + state.upcoming_sleep > self._deadline:
            raise load_timeout(self._api, self._label)
        self._stats.retries += 1
        response = _response(state)
        if response is not None and is_used_up(response, self._api.quota):
            self._stats.seconds_quota += state.upcoming_sleep


def _basic_auth(base_url: str) -> HttpBasicAuth | None:
    """The authentication by the user and the password in `base_url`, if it has them."""
    credentials = credentials_in(base_url)
    return HttpBasicAuth(*credentials) if credentials else None


def _response(state: RetryCallState) -> requests.Response | None:
    """The response of an attempt, also of one that ended as an error with a response."""
    if state.outcome is None or not state.outcome.failed:
        return state.outcome.result() if state.outcome else None
    error = state.outcome.exception()
    return error.response if isinstance(error, requests.HTTPError) else None


def _outcome(state: RetryCallState) -> Any:
    return state.outcome.result() if state.outcome else None


def _key_parameter(auth: Any) -> str | None:
    """The query parameter that holds the API's key, where the authentication puts it there."""
    in_query = isinstance(auth, APIKeyAuth) and auth.location in ("query", "param")
    return auth.name if in_query else None
