"""A page: a body of JSON split into rows that stay bytes, and the envelope that a paginator reads.

dlt's `rest_api` sees a page as a list with one opaque `Page` (or an empty list), so that it can
paginate and fan out without touching a row. What a row's bytes mean is decided in `columns/`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from operator import getitem
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import requests

from timetracking_assets.errors import AnswerError
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.ingest.pages.rest_api import HAS_MORE, HEADERS, PARENT_ROW, ROWS
from timetracking_assets.ingest.windows import Window
from timetracking_assets.redaction import Redactor
from timetracking_assets.spec.api import Resource

if TYPE_CHECKING:
    pass


Raw = msgspec.Raw


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
    try:
        return _split_list(body, selector)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # no list there: looked at step by step, to say what there is
        return _split_stepwise(body, resource, where, redactor)


def _split_list(body: bytes, selector: str) -> dict[str, Any]:
    """The same for a list, in one pass over it. Raises msgspec.DecodeError, UnicodeDecodeError."""
    rows = _list_reader(selector)(body)
    if selector == "$":
        return {ROWS: rows}
    if rows:
        # they are views of the body: what lies between their ends is cut out of it
        whole, first, last = (pa.py_buffer(part) for part in (body, rows[0], rows[-1]))
        body = (
            body[: first.address - whole.address] + body[last.address + last.size - whole.address :]
        )
    envelope: dict[str, Any] = msgspec.json.decode(body)
    *outer, name = selector.split(".")
    reduce(getitem, outer, envelope).pop(name)
    envelope[ROWS] = rows
    return envelope


@lru_cache(maxsize=256)
def _list_reader(selector: str) -> Callable[[bytes], list[Raw]]:
    """A decoder of the list at `selector` that skips all else."""
    names = [] if selector == "$" else selector.split(".")
    kind: Any = list[Raw]
    for name in reversed(names):
        kind = msgspec.defstruct("Object", [("inner", kind)], rename={"inner": name})
    decode = msgspec.json.Decoder(kind).decode
    return lambda body: reduce(lambda level, _: level.inner, names, decode(body))


def _split_stepwise(
    body: bytes, resource: Resource, where: str, redactor: Redactor
) -> dict[str, Any]:
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
