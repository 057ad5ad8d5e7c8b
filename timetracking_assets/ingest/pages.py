"""Pages: a body of JSON split into rows that stay bytes, and the envelope that a paginator reads.

dlt's `rest_api` sees a page as a list with one opaque `Page` (or an empty list), so that it can
paginate and fan out without touching a row. What a row's bytes mean is decided in `columnar.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import requests

from timetracking_assets.ingest.api import Resource
from timetracking_assets.ingest.errors import AnswerError
from timetracking_assets.ingest.redaction import Redactor
from timetracking_assets.ingest.request_stats import RequestStats
from timetracking_assets.ingest.windows import Window

ROWS = "__rows"
"""Where dlt finds the page in a split answer: the `data_selector` that it is given."""

HAS_MORE = "__has_more"
"""Where dlt finds whether the page was full: the `has_more_path` where the page size is known."""

HEADERS = "headers"
"""Where a paginator finds the response's headers, by lower-case name."""

PARENT_ROW = "__row"
"""Field of a parent's row that holds its index, where a page must tell it."""

Raw = msgspec.Raw


@dataclass
class Page:
    """The rows of one answer, still JSON, and what a fan-out adds to each of them.

    `parent_row` is the index of the parent's row that it was asked for with, `window` the window
    that its series of requests was for (None without one): a year, say, of several.
    """

    number: int
    url: str
    rows: list[Raw]
    from_parent: dict[str, Any] = field(default_factory=dict)
    parent_row: int = 0
    window: Window | None = None

    def update(self, parent_record: Mapping[str, Any]) -> None:
        """Called by dlt's fan-out, as on a row, with the values of `include_from_parent`."""
        for name, value in parent_record.items():
            if name.endswith(PARENT_ROW):
                self.parent_row = value
            else:
                self.from_parent[name] = value

    def of(self, window: Window | None, parent_row: int = 0) -> Page:
        """The page, knowing what it was asked for with."""
        self.window, self.parent_row = window, parent_row
        return self


def page_splitter(
    resource: Resource, stats: RequestStats
) -> Callable[[requests.Response, Redactor], None]:
    """A function that replaces `response.json` by one that gives the answer with its page split.

    Credentials in the rows are masked, and counted in `stats`. It raises AnswerError, with what it
    shows of the answer masked, where that isn't JSON or the rows are not where they should be.
    """
    count = 0

    def split(response: requests.Response, redactor: Redactor) -> None:
        nonlocal count
        if response.status_code >= requests.codes.bad_request:
            return
        count += 1
        url = response.url.partition("?")[0]
        where = f"{resource.label}: page {count} ({url})"
        if response.status_code not in (requests.codes.ok, *resource.success_codes):
            raise AnswerError(
                f"{where} came with HTTP {response.status_code} instead of 200. If that is an "
                f"answer, too, say `success_codes: [{response.status_code}]`."
            )
        if response.status_code == requests.codes.no_content:
            answer: dict[str, Any] = {ROWS: []}
        else:
            body, masked = redactor.in_rows(response.content)
            stats.values_masked += masked
            answer = split_answer(body, resource, where, redactor)
        rows: list[Raw] = answer[ROWS]
        answer[HAS_MORE] = resource.page_size is None or len(rows) >= resource.page_size
        answer[HEADERS] = {name.lower(): value for name, value in response.headers.items()}
        answer[ROWS] = [Page(count, url, rows)] if rows else []
        response.json = lambda **_: answer  # type: ignore[method-assign]

    return split


def split_answer(body: bytes, resource: Resource, where: str, redactor: Redactor) -> dict[str, Any]:
    """The envelope of `body`, its rows as bytes under `ROWS`; `where` begins an error's text."""
    selector = resource.data_selector
    envelope: dict[str, Any] = {}
    problem: str | None = None
    try:
        raw = Raw(body)
        if selector != "$":
            *outer, last = selector.split(".")
            level = envelope
            for name in outer:
                rest = msgspec.json.decode(raw, type=dict[str, Raw])
                raw = rest.pop(name)
                level |= _decoded(rest)
                level = level.setdefault(name, {})
            rest = msgspec.json.decode(raw, type=dict[str, Raw])
            raw = rest.pop(last)
            level |= _decoded(rest)
        envelope[ROWS] = _rows(raw)
    except KeyError as missing:
        problem = f"has nothing at `{selector}`: there is no {missing}"
    except msgspec.ValidationError as error:
        problem = f"has no rows at `{selector}`: {error}"
        if bytes(raw).strip() == b"null" and resource.null_is_empty:
            problem, envelope[ROWS] = None, []
        elif bytes(raw).strip() == b"null":
            problem = f"has null at `{selector}`: say `null_is_empty: true` if that means no rows"
    except (msgspec.DecodeError, UnicodeDecodeError):
        problem = "is not JSON"
    if problem:
        # masked before it is cut: half a secret would not be found
        begin = redactor(" ".join(body[:10_000].decode(errors="replace").split()))[:120]
        raise AnswerError(
            f"{where} {problem}. It begins with: {begin!r}. Check `data_selector`, `path` and the "
            "base URL."
        )
    return envelope


def _decoded(members: Mapping[str, Raw]) -> dict[str, Any]:
    return {name: msgspec.json.decode(value) for name, value in members.items()}


def _rows(raw: Raw) -> list[Raw]:
    text = bytes(raw).strip()
    if text.startswith(b"["):
        return msgspec.json.decode(text, type=list[Raw])
    msgspec.json.decode(text, type=dict[str, Raw])
    return [Raw(text)]
