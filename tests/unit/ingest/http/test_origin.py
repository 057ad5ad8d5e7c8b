"""Which links and redirects belong to an API."""

from __future__ import annotations

import pytest
import requests

from timetracking_assets.ingest.http.origin import (
    Origin,
    credentials_in,
    with_parameters,
    without_parameter,
)


def sent(base_url: str, link: str) -> str | None:
    """The URL that is requested for a link; None if it is refused."""
    origin = Origin(base_url)
    url = requests.Request("GET", origin.secured(link)).prepare().url or ""
    return url if origin.holds(url) else None


@pytest.mark.parametrize(
    ("base_url", "link", "url"),
    [
        ("https://a.example/v1", "https://a.example/x?page=2", "https://a.example/x?page=2"),
        ("https://a.example/v1", "https://A.example:443/x", "https://a.example:443/x"),
        ("https://a.example", "https://a.example./x", "https://a.example./x"),
        ("https://münchen.example", "https://xn--mnchen-3ya.example/x", None),
        # an API behind a proxy that does not know of it
        ("https://a.example", "http://a.example/x?page=2", "https://a.example/x?page=2"),
        ("https://a.example", "http://a.example:80/x", "https://a.example/x"),
        ("https://a.example:8443", "http://a.example:8443/x", "https://a.example:8443/x"),
        ("https://[::1]:8443", "http://[::1]:8443/x", "https://[::1]:8443/x"),
        # up to https is safe
        ("http://a.example", "https://a.example/x", "https://a.example/x"),
        ("http://a.example:81", "https://a.example:81/x", "https://a.example:81/x"),
        # a link's own user and password are not ours
        ("https://a.example", "https://me:you@a.example/x", "https://a.example/x"),
        ("https://a.example", "http://me@a.example/x", "https://a.example/x"),
    ],
)
def test_links_of_the_api(base_url: str, link: str, url: str | None) -> None:
    expected = url if url is not None else requests.Request("GET", link).prepare().url
    assert sent(base_url, link) == expected


@pytest.mark.parametrize(
    "link",
    [
        "https://b.example/x",
        "https://a.example.b.example/x",
        "https://a.example:444/x",
        "http://a.example:81/x",
        "https://a.example@b.example/x",
        "https://b.example\\@a.example/x",
        "https://b.example#@a.example/x",
        "https://b.example/?@a.example",
    ],
)
def test_links_of_others(link: str) -> None:
    assert sent("https://a.example", link) is None


@pytest.mark.parametrize("link", ["file:///etc/passwd", "ftp://a.example/x", "http://[::1", "x:y"])
def test_what_is_no_url_of_an_api(link: str) -> None:
    assert not Origin("https://a.example").holds(link)
    assert Origin("https://a.example").secured(link) == link


def test_an_international_host_is_itself() -> None:
    url = requests.Request("GET", "https://münchen.example/x").prepare().url
    assert url is not None
    assert Origin("https://münchen.example").holds(url)


def test_never_down_from_https() -> None:
    assert not Origin("https://a.example").holds("http://a.example/x")
    assert not Origin("https://a.example:81").holds("http://a.example:81/x")


def test_a_parameter_is_taken_out_of_a_query_alone() -> None:
    url = "https://a.example/x?page=2&k%65y=a%2Fb&keys=1&key&note=key%3D1#key=9"
    assert without_parameter(url, "key") == (
        "https://a.example/x?page=2&keys=1&note=key%3D1#key=9",
        ["k%65y=a%2Fb", "key"],
    )
    assert without_parameter("https://a.example/x", "key") == ("https://a.example/x", [])
    assert with_parameters("https://a.example/x", ["key=1"]) == "https://a.example/x?key=1"
    assert with_parameters("https://a.example/x?a=1", []) == "https://a.example/x?a=1"


def test_credentials_in_a_url() -> None:
    assert credentials_in("https://me:p%40ss%E2%82%AC@a.example") == ("me", "p@ss€")
    assert credentials_in("https://me@a.example") == ("me", "")
    assert credentials_in("https://a.example") is None
