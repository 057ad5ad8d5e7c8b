"""What is said of a request that failed: what, where, what to check. Never a secret."""

from __future__ import annotations

import requests

from timetracking_assets.errors import ApiError, QuotaError
from timetracking_assets.ingest.http.limits import QUOTA_STATUSES, QuotaUsedUpError, come_back
from timetracking_assets.redaction import Redactor
from timetracking_assets.spec.model import QuotaSpec

_HINTS = {
    400: "the parameters or the path are not what the API expects; compare `endpoint` with its "
    "documentation",
    401: "the credentials were not accepted: check the API's variables in the environment or .env",
    403: "the account may not read this: ask for the permission, or take the resource out of "
    "defs.yaml",
    404: "nothing is at this address: check the base URL, `path` and the configured ids",
    402: "the API's quota is used up",
    429: "the API's quota is used up: run later, or less often",
}

_PASSING = (
    requests.Timeout,
    requests.ConnectionError,
    requests.exceptions.ChunkedEncodingError,
)
"""Lost connections and time-outs: asking again may help."""

_KINDS: list[tuple[type[Exception], str]] = [
    (
        requests.exceptions.SSLError,
        "its TLS certificate was not accepted; it must be valid for that host, and signed by an "
        "authority that this machine knows (for one of your own: REQUESTS_CA_BUNDLE)",
    ),
    (requests.Timeout, "it did not answer in time"),
    (requests.exceptions.ChunkedEncodingError, "the connection was cut in the middle"),
    (requests.exceptions.ContentDecodingError, "its compressed answer is broken"),
    (requests.exceptions.InvalidURL, "that is not a URL"),
    (requests.exceptions.MissingSchema, "that is not a URL: it needs http:// or https://"),
    (requests.exceptions.InvalidSchema, "that is not a URL: it needs http:// or https://"),
    (requests.ConnectionError, "nothing answers there"),
]


def describe(
    error: requests.RequestException,
    request: requests.PreparedRequest,
    label: str,
    named_url: str,
    redactor: Redactor,
    quota: QuotaSpec,
) -> ApiError:
    """`error` as one that a person can act on. `named_url`: the base URL and where it is set.

    Raises AnswerError where what the API said of it is larger than an answer may be.
    """
    url = request.url or named_url
    response = error.response
    if response is not None:
        status = response.status_code
        hint = _HINTS.get(status, "the API failed; the message below is its own")
        refused = isinstance(error, QuotaUsedUpError)
        if refused:
            hint = str(error)
        elif status in QUOTA_STATUSES:
            hint += come_back(response.headers, quota)
        # masked before it is cut: half a secret would not be found
        body = redactor(" ".join(_text(response).split()))[:300]
        said = f" It said: {body}" if body else ""
        text = f"{label}: HTTP {status} from {request.method} {url}: {hint}.{said}"
        if refused:
            return QuotaError(redactor(text))
        passing = status >= 500 or status in QUOTA_STATUSES
        return ApiError(redactor(text), transient=passing)
    what = next((text for kind, text in _KINDS if isinstance(error, kind)), type(error).__name__)
    text = (
        f"{label}: no answer from {url}: {what}. Check the base URL ({named_url}); "
        "`timetracking sandbox` starts a local API to try things with."
    )
    passing = isinstance(error, _PASSING) and not isinstance(error, requests.exceptions.SSLError)
    return ApiError(redactor(text), transient=passing)


def _text(response: requests.Response) -> str:
    try:
        return response.text
    except requests.RequestException:
        return ""
