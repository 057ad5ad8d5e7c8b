"""One attempt on the wire: to the API's own host, at its pace, with a bounded answer.

Every request goes through here, retries and redirects too. What is repeated, and what is said of a
failure, is in `session.py`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from timetracking_assets.errors import AnswerError, ApiError
from timetracking_assets.ingest.http.limits import QUOTA_STATUSES, Pace, await_reset, remaining
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.spec.api import Api

_PART = 256 * 1024  # requests asks for 10 KB at a time, which costs more than the rest of a page


class ApiAdapter(HTTPAdapter):
    """Sends requests of `label` to the host of `base_url`, and to no other.

    Raises ApiError for another host, QuotaUsedUpError for a quota that doesn't come back soon, and
    AnswerError for an answer of more than the API's `max_response_bytes`.
    """

    def __init__(self, api: Api, label: str, base_url: str, stats: RequestStats) -> None:
        super().__init__(pool_maxsize=32)
        self._api, self._label, self._stats = api, label, stats
        self._origin = _origin(base_url)
        self._pace = Pace(api.name, base_url, api.rate_limit)
        self._waiting_since: float | None = None

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        """Make one attempt."""
        if _origin(request.url or "") != self._origin:
            raise ApiError(
                f"{self._label}: the API sent us on to another host "
                f"({urlsplit(request.url or '').netloc!s}); credentials must not follow. If that "
                "is where the API lives now, change its base URL."
            )
        if self._waiting_since is not None:
            self._stats.seconds_quota += time.monotonic() - self._waiting_since
            self._waiting_since = None
        self._stats.seconds_rate_limited += self._pace.wait()
        self._stats.requests += 1
        response: requests.Response = super().send(request, *args, **kwargs)
        response.raw = _BoundedBody(response.raw, self._api.max_response_bytes, self._label)
        self._heed_quota(response)
        return response

    def _heed_quota(self, response: requests.Response) -> None:
        quota = self._api.quota
        left = remaining(response.headers, quota)
        self._stats.quota_remaining = self._stats.quota_remaining if left is None else left
        if response.status_code in QUOTA_STATUSES and await_reset(response, quota):
            self._waiting_since = time.monotonic()


class _BoundedBody:
    """A response's body that raises AnswerError past `limit` bytes, counted after decompression.

    It is read in parts, so that not much more than the limit is ever in memory, whatever the few
    bytes on the wire decompress to.
    """

    def __init__(self, raw: Any, limit: int, label: str) -> None:
        self._raw, self._limit, self._label = raw, limit, label

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def stream(self, amount: int, decode_content: bool | None = None) -> Iterator[bytes]:
        """What `requests` reads a body with."""
        size = 0
        for part in self._raw.stream(max(amount, _PART), decode_content=decode_content):
            size += len(part)
            if size > self._limit:
                self._raw.close()
                raise AnswerError(
                    f"{self._label}: the answer has more than {self._limit} bytes "
                    "(`max_response_bytes`), after decompression. Ask for smaller pages, or raise "
                    "`max_response_bytes` if it is right."
                )
            yield part


def _origin(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{port}".lower()
