"""The message of a request that failed: what, where, what to check. Never a secret."""

from __future__ import annotations

from urllib.parse import urlsplit

import requests
from urllib3.exceptions import NameResolutionError, ProtocolError

from timetracking_assets.errors import ApiError, QuotaError
from timetracking_assets.ingest.http.quota import QuotaUsedUpError, is_used_up, reset_hint
from timetracking_assets.ingest.http.time_limit import TotalTimeoutError
from timetracking_assets.redaction import Redactor
from timetracking_assets.spec.model import QuotaSpec

_HINTS = {
    400: "the parameters or the path are not what the API expects; compare `endpoint` with its "
    "documentation",
    401: "the credentials were not accepted: check the API's variables in the environment or .env",
    403: "the account may not read this: ask for the permission, or take the resource out of "
    "defs.yaml",
    404: "nothing exists at this address: check the base URL, `path` and the configured ids",
}
_USED_UP = "the API's quota is used up: run later, or less often"

_TRANSIENT = (
    requests.Timeout,
    requests.ConnectionError,
    requests.exceptions.ChunkedEncodingError,
)
"""Lost connections and time-outs: the next attempt may succeed."""

_UNTRUSTED = (
    "its TLS certificate was not accepted; it must be valid for that host, and signed by an "
    "authority that this machine knows (for one of your own: REQUESTS_CA_BUNDLE)"
)
_KINDS: list[tuple[type[Exception], str]] = [
    (requests.exceptions.SSLError, _UNTRUSTED),
    (requests.exceptions.ProxyError, "the proxy that the environment names did not connect to it"),
    (requests.Timeout, "it did not answer in time"),
    (requests.exceptions.ContentDecodingError, "its compressed answer is broken"),
    (requests.exceptions.InvalidURL, "that is not a URL"),
    (requests.exceptions.MissingSchema, "that is not a URL: it needs http:// or https://"),
    (requests.exceptions.InvalidSchema, "that is not a URL: it needs http:// or https://"),
    (requests.ConnectionError, "no server answers there"),
]


def is_transient(error: BaseException) -> bool:
    """Whether the next attempt may succeed: not after a certificate that was not accepted."""
    return isinstance(error, _TRANSIENT) and not isinstance(error, requests.exceptions.SSLError)


def describe(
    error: requests.RequestException,
    request: requests.PreparedRequest,
    label: str,
    named_url: str,
    redactor: Redactor,
    quota: QuotaSpec,
) -> ApiError:
    """`error` as one that a person can act on. `named_url`: the base URL and where it is set."""
    url = request.url or named_url
    response = error.response
    if isinstance(error, requests.TooManyRedirects) and response is not None:
        return ApiError(redactor(f"{label}: {request.method} {url}: {_redirects(response)}"))
    if response is not None:
        return _refused(error, request, response, label, redactor, quota)
    what = _cause(error)
    text = f"{label}: no answer from {url}: {what}. Check the base URL ({named_url})."
    return ApiError(redactor(text), transient=is_transient(error))


def _cause(error: requests.RequestException) -> str:
    if isinstance(error, TotalTimeoutError):
        return f"it {error}"
    if error.args and isinstance(error.args[0], ProtocolError):
        return "the connection was cut before the end of an answer"
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(reason, NameResolutionError):
        return "no host of that name can be found"
    return next((text for kind, text in _KINDS if isinstance(error, kind)), type(error).__name__)


def _refused(
    error: requests.RequestException,
    request: requests.PreparedRequest,
    response: requests.Response,
    label: str,
    redactor: Redactor,
    quota: QuotaSpec,
) -> ApiError:
    status = response.status_code
    used_up = is_used_up(response, quota)
    lasting = isinstance(error, QuotaUsedUpError)
    if lasting:
        hint = str(error)
    elif used_up:
        hint = _USED_UP + reset_hint(response.headers, quota)
    else:
        hint = _HINTS.get(status, "the API failed; see its message")
    # masked before it is cut: half a secret would not be recognised
    body = " ".join(redactor(_text(response)[:10_000]).split())[:300]
    message = f" Its message: {body}" if body else ""
    text = f"{label}: HTTP {status} from {request.method} {request.url}: {hint}.{message}"
    if lasting:
        return QuotaError(redactor(text))
    return ApiError(redactor(text), transient=status >= requests.codes.server_error or used_up)


def _redirects(response: requests.Response) -> str:
    """What is wrong with the redirects that led to `response`."""
    paths = [urlsplit(one.url).path or "/" for one in (*response.history, response)]
    urls = [one.url for one in (*response.history, response)]
    for start, url in enumerate(urls):
        if url in urls[start + 1 :]:
            circle = paths[start : urls.index(url, start + 1) + 1]
            return f"the API redirects in a circle: {' -> '.join(circle)}. Check `path`."
    times = len(response.history)
    return f"the API redirects more than {times} times, the last time at {paths[-1]}."


def _text(response: requests.Response) -> str:
    try:
        return response.text
    except (requests.RequestException, RuntimeError):
        return ""
