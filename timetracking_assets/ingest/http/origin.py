"""Where requests may go: the host of the base URL, and no other.

Next links and redirects come from outside. This module alone decides which of them belong to the
API, so that its credentials go nowhere else.
"""

from __future__ import annotations

from urllib.parse import SplitResult, unquote, unquote_plus, urlsplit, urlunsplit

import requests

_PORTS = {"http": 80, "https": 443}


class Origin:
    """The scheme, host and port of `base_url`.

    Raises requests.RequestException for a `base_url` that is no URL.
    """

    def __init__(self, base_url: str) -> None:
        # as requests spells hosts: international names, upper case
        url = requests.Request("GET", base_url).prepare().url or ""
        self._scheme, self._host, self._port = _endpoint(urlsplit(url))

    def holds(self, url: str) -> bool:
        """Whether a request may go to `url`: the same host, and never from https down to http."""
        try:
            scheme, host, port = _endpoint(urlsplit(url))
        except ValueError:
            return False
        if host != self._host:
            return False
        if scheme == self._scheme:
            return port == self._port
        return scheme == "https" and self._is_counterpart(scheme, port)

    def secured(self, url: str) -> str:
        """`url` without user and password; with https if the API has it and only the link has not.

        An API behind a proxy often builds its links with http.
        """
        try:
            parts = urlsplit(url)
            scheme, host, port = _endpoint(parts)
        except ValueError:
            return url
        if "\\" in parts.netloc:
            # clients differ in where such a host ends: requests decides
            return url
        netloc = parts.netloc.rpartition("@")[2]
        if host == self._host and (scheme, self._scheme) == ("http", "https"):
            if not self._is_counterpart(scheme, port):
                return url
            scheme, netloc = self._scheme, _netloc(host, self._port)
        elif netloc == parts.netloc:
            return url
        return urlunsplit(parts._replace(scheme=scheme, netloc=netloc))

    def _is_counterpart(self, scheme: str, port: int | None) -> bool:
        """Whether `port` is the other scheme's: the usual one, or the very same."""
        usual = port == _PORTS[scheme] and self._port == _PORTS[self._scheme]
        return usual or port == self._port


def credentials_in(url: str) -> tuple[str, str] | None:
    """The user and the password in `url`, for basic authentication; None if it has none."""
    parts = urlsplit(url)
    if parts.username is None and parts.password is None:
        return None
    return unquote(parts.username or ""), unquote(parts.password or "")


def without_parameter(url: str, name: str) -> tuple[str, list[str]]:
    """`url` without the query parameter `name`, and the `name=value` parts that it had."""
    parts = urlsplit(url)
    pairs = parts.query.split("&") if parts.query else []
    taken = [pair for pair in pairs if unquote_plus(pair.partition("=")[0]) == name]
    kept = [pair for pair in pairs if pair not in taken]
    return urlunsplit(parts._replace(query="&".join(kept))), taken


def with_parameters(url: str, pairs: list[str]) -> str:
    """`url` with the `name=value` parts `pairs` at the end of its query."""
    parts = urlsplit(url)
    query = "&".join([*([parts.query] if parts.query else []), *pairs])
    return urlunsplit(parts._replace(query=query))


def _endpoint(parts: SplitResult) -> tuple[str, str, int | None]:
    scheme = parts.scheme.lower()
    host = (parts.hostname or "").rstrip(".").lower()
    return scheme, host, parts.port or _PORTS.get(scheme)


def _netloc(host: str, port: int | None) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port == _PORTS["https"] else f"{name}:{port}"
