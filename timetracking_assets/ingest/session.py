"""The HTTP session of one load: retries, counts, split pages, errors a person can act on.

dlt's own session does the retrying; this module adds what it lacks: counting, refusing to carry
credentials to another host, errors that say what to check and never hold a secret. What a page
holds is split in `pages.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from dlt.sources.helpers.requests import Client
from requests.adapters import HTTPAdapter

from timetracking_assets.ingest.api import Resource
from timetracking_assets.ingest.errors import ApiError
from timetracking_assets.ingest.redaction import Redactor
from timetracking_assets.ingest.spec import RetrySpec

_HINTS = {
    400: "the parameters or the path are not what the API expects; compare `endpoint` with its "
    "documentation",
    401: "the credentials were not accepted: check the API's variables in the environment or .env",
    403: "the account may not read this: ask for the permission, or take the resource out of "
    "defs.yaml",
    404: "nothing is at this address: check the base URL, `path` and the configured ids",
    429: "the API's quota is used up: run later, or less often",
}

_PASSING = (
    requests.Timeout,
    requests.ConnectionError,
    requests.exceptions.ChunkedEncodingError,
)
"""Lost connections and time-outs: asking again may help."""


@dataclass
class RequestStats:
    """What the HTTP side of one load did. `bytes` are of bodies after decompression."""

    requests: int = 0
    retries: int = 0
    bytes: int = 0
    seconds: float = 0.0


class _CountingAdapter(HTTPAdapter):
    """Counts each attempt on the wire and keeps it on the API's own host."""

    def __init__(self, stats: RequestStats, origin: str, label: str) -> None:
        super().__init__(pool_maxsize=32)
        self._stats, self._origin, self._label = stats, origin, label

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        if _origin(request.url or "") != self._origin:
            raise ApiError(
                f"{self._label}: the API sent us on to another host "
                f"({urlsplit(request.url or '').netloc!s}); credentials must not follow. If that "
                "is where the API lives now, change its base URL."
            )
        self._stats.requests += 1
        return super().send(request, *args, **kwargs)


def open_session(
    resource: Resource,
    base_url: str,
    retry: RetrySpec,
    redactor: Redactor,
    stats: RequestStats,
    split: Callable[[requests.Response, Redactor], None],
    setting: str = "",
) -> requests.Session:
    """A session for `resource`; `split` makes `response.json` give pages for a successful answer.

    `setting` names what `base_url` comes from, for messages. The session's `send` raises ApiError,
    whose text is masked, for whatever goes wrong.
    """
    session = Client(
        raise_for_status=False,
        request_timeout=retry.timeout,
        status_codes=tuple(retry.status_codes),
        request_max_attempts=retry.max_retries + 1,
        request_backoff_factor=retry.backoff_factor,
        request_max_retry_delay=retry.max_delay,
    ).session
    adapter = _CountingAdapter(stats, _origin(base_url), resource.label)
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)
    send: Callable[..., requests.Response] = session.send
    named_url = f"{base_url} from {setting}" if setting else base_url

    def send_and_split(request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        failure: ApiError | None = None
        hops = 0
        before, retries, seconds = stats.requests, stats.retries, stats.seconds
        started = time.monotonic()
        try:
            response = send(request, **kwargs)
            hops = len(response.history)
            # what follows a redirect comes through here by itself
            if not hops:
                stats.bytes += len(response.content)
                split(response, redactor)
        except ApiError as error:
            failure = type(error)(redactor(str(error)), transient=error.transient)
        except requests.RequestException as error:
            failure = _describe(error, request, resource, named_url, redactor)
        finally:
            stats.retries = retries + max(0, stats.requests - before - 1 - hops)
            stats.seconds = seconds + time.monotonic() - started
        # outside the except block: a chained exception would carry the URL, and with it a key, into
        # dlt's trace
        if failure is not None:
            raise failure
        return response

    session.send = send_and_split  # type: ignore[method-assign]
    return session


def _origin(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{port}".lower()


def _describe(
    error: requests.RequestException,
    request: requests.PreparedRequest,
    resource: Resource,
    base_url: str,
    redactor: Redactor,
) -> ApiError:
    url = request.url or base_url
    status = error.response.status_code if error.response is not None else None
    if status is not None:
        hint = _HINTS.get(status, "the API failed; the message below is its own")
        body = " ".join((error.response.text if error.response is not None else "").split())
        # masked before it is cut: half a secret would not be found
        said = f" It said: {redactor(body)[:300]}" if body else ""
        text = f"{resource.label}: HTTP {status} from {request.method} {url}: {hint}.{said}"
        return ApiError(redactor(text), transient=status >= 500 or status == 429)
    kinds: list[tuple[type[Exception], str]] = [
        (requests.exceptions.SSLError, "its TLS certificate was not accepted"),
        (requests.Timeout, "it did not answer in time"),
        (requests.exceptions.ChunkedEncodingError, "the connection was cut in the middle"),
        (requests.exceptions.ContentDecodingError, "its compressed answer is broken"),
        (requests.exceptions.InvalidURL, "that is not a URL"),
        (requests.exceptions.MissingSchema, "that is not a URL: it needs http:// or https://"),
        (requests.exceptions.InvalidSchema, "that is not a URL: it needs http:// or https://"),
        (requests.ConnectionError, "nothing answers there"),
    ]
    what = next((text for kind, text in kinds if isinstance(error, kind)), type(error).__name__)
    text = (
        f"{resource.label}: no answer from {url}: {what}. Check the base URL ({base_url}); "
        "`timetracking sandbox` starts a local API to try things with."
    )
    passing = isinstance(error, _PASSING) and not isinstance(error, requests.exceptions.SSLError)
    return ApiError(redactor(text), transient=passing)
