"""One attempt on the wire: to the API's own host, at its pace, with a bounded response.

Every request goes through here, repeated ones and redirects too, and is counted here. What is
repeated is in `session.py`, the message of a failure in `failures.py`.
"""

from __future__ import annotations

import math
import time
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from timetracking_assets.errors import ApiError, QuotaError
from timetracking_assets.ingest.http.body import ACCEPTED, BoundedBody
from timetracking_assets.ingest.http.origin import Origin
from timetracking_assets.ingest.http.pace import LongPauseError, Pace
from timetracking_assets.ingest.http.quota import (
    is_used_up,
    remaining,
    seconds_until_reset,
    stated_wait,
    used_up_for,
)
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.ingest.http.time_limit import (
    WATCHED_POOLS,
    TimeLimit,
    TotalTimeoutError,
)
from timetracking_assets.spec.api import Api


class ApiAdapter(HTTPAdapter):
    """Sends requests of `label` to `origin`, and to no other host.

    A response is returned with its body read. Raises ApiError for another host and past `deadline`
    (of the monotonic clock), TotalTimeoutError after the API's `total_timeout`, QuotaUsedUpError
    for a quota that does not reset soon, and AnswerError for a response of more than the API's
    `max_response_bytes`.
    """

    def __init__(
        self,
        api: Api,
        label: str,
        base_url: str,
        stats: RequestStats,
        deadline: float = math.inf,
    ) -> None:
        super().__init__(pool_maxsize=32)
        self._deadline = deadline
        self._api, self._label, self._stats = api, label, stats
        self._origin = Origin(base_url)
        self._pace = Pace(api.name, base_url, api.rate_limit)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        """Make one attempt."""
        if not self._origin.holds(request.url or ""):
            raise ApiError(
                f"{self._label}: the API refers to another host "
                f"({urlsplit(request.url or '').netloc.rpartition('@')[2]}), which must not get "
                "its credentials. If the API has moved there, change its base URL."
            )
        request.headers["Accept-Encoding"] = ACCEPTED
        self._wait()
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise load_timeout(self._api, self._label)
        total = self._api.retry.total
        try:
            with TimeLimit(min(total, left)):
                response = self._send(request, *args, **kwargs)
        except TotalTimeoutError:
            if left > total:
                raise
            raise load_timeout(self._api, self._label) from None
        self._heed_quota(response)
        return response

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Watch all connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = WATCHED_POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Watch all connections through a proxy, too."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = WATCHED_POOLS
        return manager

    def _send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        self._stats.requests += 1
        response: requests.Response = super().send(request, *args, **kwargs)
        response.raw = BoundedBody(response.raw, self._api.max_response_bytes, self._label)
        try:
            self._stats.bytes += len(response.content)
        except requests.RequestException:
            # the status of a refusal is worth more than a complaint about its body
            if response.ok:
                raise
        return response

    def _wait(self) -> None:
        quota = self._api.quota
        try:
            self._stats.seconds_rate_limited += self._pace.wait(quota.max_wait, self._deadline)
        except LongPauseError as error:
            if error.seconds <= quota.max_wait:
                raise load_timeout(self._api, self._label) from None
            raise QuotaError(
                f"{self._label}: another run's request was refused: "
                f"{used_up_for(error.seconds, quota)}."
            ) from None

    def _heed_quota(self, response: requests.Response) -> None:
        quota = self._api.quota
        left = remaining(response.headers, quota)
        self._stats.quota_remaining = self._stats.quota_remaining if left is None else left
        if is_used_up(response, quota):
            # the others learn of it also if it is too long for this load
            self._pace.pause(stated_wait(response, quota) or 0.0)
            seconds_until_reset(response, quota)


def load_timeout(api: Api, label: str) -> ApiError:
    """The error for a load whose requests take longer than they may."""
    return ApiError(
        f"{label}: the requests of this load take longer than {api.load_timeout:g} s "
        "(`load_timeout`); nothing was loaded. Load less at once, or raise `load_timeout`."
    )
