"""One attempt on the wire: to the API's own host, at its pace, with a bounded response.

Every request goes through here, repeated ones and redirects too, and is counted here. What is
repeated is in `session.py`, the message of a failure in `failures.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from timetracking_assets.errors import AnswerError, ApiError
from timetracking_assets.ingest.http.origin import Origin
from timetracking_assets.ingest.http.pace import Pace
from timetracking_assets.ingest.http.quota import is_used_up, remaining, seconds_until_reset
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.spec.api import Api

_PART = 256 * 1024  # requests reads 10 KB at a time, which costs more than the rest of a page


class ApiAdapter(HTTPAdapter):
    """Sends requests of `label` to `origin`, and to no other host.

    A response is returned with its body read. Raises ApiError for another host, QuotaUsedUpError
    for a quota that does not reset soon, and AnswerError for a response of more than the API's
    `max_response_bytes`.
    """

    def __init__(self, api: Api, label: str, base_url: str, stats: RequestStats) -> None:
        super().__init__(pool_maxsize=32)
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
        self._stats.seconds_rate_limited += self._pace.wait()
        self._stats.requests += 1
        response: requests.Response = super().send(request, *args, **kwargs)
        response.raw = _BoundedBody(response.raw, self._api.max_response_bytes, self._label)
        try:
            self._stats.bytes += len(response.content)
        except requests.RequestException:
            # the status of a refusal is worth more than a complaint about its body
            if response.ok:
                raise
        self._heed_quota(response)
        return response

    def _heed_quota(self, response: requests.Response) -> None:
        quota = self._api.quota
        left = remaining(response.headers, quota)
        self._stats.quota_remaining = self._stats.quota_remaining if left is None else left
        if is_used_up(response, quota):
            seconds_until_reset(response, quota)


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
