"""A page: a body of JSON split into rows that stay bytes, and the envelope that a paginator reads.

What a row's bytes mean is decided in `columns/`, which pages a list has in `pagination.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from operator import getitem
from typing import Any

import msgspec
import pyarrow as pa
import requests

from timetracking_assets.errors import AnswerError
from timetracking_assets.ingest.http.json_text import Text, mended, utf8
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.ingest.pages.nested_rows import nested_rows, steps
from timetracking_assets.ingest.pages.statements import HEADERS
from timetracking_assets.ingest.windows import Window
from timetracking_assets.redaction import Redactor
from timetracking_assets.spec.api import Resource, column_name

Raw = msgspec.Raw


@dataclass
class Page:
    """The rows of one answer, still JSON, and what a fan-out adds to each of them.

    `parent_row` is the index of the parent's row that it was requested with, `window` the window
    that its series of requests was for (None without one): a year, say, of several.
    """

    number: int
    url: str
    rows: list[Raw]
    from_parent: dict[str, Any] = field(default_factory=dict)
    parent_row: int = 0
    window: Window | None = None
    envelope: Envelope | None = field(default=None, repr=False, compare=False)


class Envelope(requests.Response):
    """What a paginator reads of an answer: its headers, and its body without the rows."""

    def __init__(self, answer: requests.Response, body: dict[str, Any]) -> None:
        super().__init__()
        self.status_code, self.url, self.headers = answer.status_code, answer.url, answer.headers
        self.body = body

    def json(self, **_: Any) -> dict[str, Any]:
        """The body, decoded once."""
        return self.body

    @property
    def links(self) -> dict[str, dict[str, str]]:
        """The links of the header `Link` by each of their relations, which go by any case."""
        links: dict[str, dict[str, str]] = {}
        for link in super().links.values():
            for relation in link.get("rel", "").split():
                links.setdefault(relation, link)
                links.setdefault(relation.lower(), link)
        return links


def unexpected_status(where: str, status: int) -> AnswerError:
    """The error for a success that the file does not mention; `where` begins it."""
    return AnswerError(
        f"{where} came with HTTP {status} instead of 200. If that is an answer, too, say "
        f"`success_codes: [{status}]`."
    )


class PageReader:
    """Reads the responses of one lane as pages of `resource`, numbered by `numbers`.

    The session hands each response to `read`, dlt's client asks for it by `page_of`. Rows stay as
    the API sent them; `stats` notes the columns in which a credential is seen, and characters and
    numbers that had to be replaced.
    """

    def __init__(self, resource: Resource, stats: RequestStats, numbers: Iterator[int]) -> None:
        self._resource, self._stats, self._numbers = resource, stats, numbers
        self._response: requests.Response | None = None
        self._page: Page | None = None
        self._number = 0

    def read(self, response: requests.Response, redactor: Redactor) -> None:
        """Split the body of a success.

        Raises AnswerError, with what it shows of the answer masked, where that isn't JSON or the
        rows are not where they should be.
        """
        if response.status_code >= requests.codes.bad_request:
            return
        # a page that is requested again keeps its number
        number = self._number = self._number or next(self._numbers)
        url = response.url.partition("?")[0]
        where = f"{self._resource.label}: page {number} ({url})"
        # nothing there: whether that is an answer depends on the page (`pagination.py`)
        codes = (requests.codes.ok, requests.codes.no_content, *self._resource.success_codes)
        if response.status_code not in codes:
            raise unexpected_status(where, response.status_code)
        rows: list[Raw] = []
        body: dict[str, Any] = {}
        if response.status_code != requests.codes.no_content:
            text = utf8(response)
            try:
                rows, body = split_answer(text.body, self._resource, where, redactor)
            except AnswerError:
                better = mended(text)
                if better.body == text.body:
                    raise
                text = better
                rows, body = split_answer(text.body, self._resource, where, redactor)
            self._note(text, rows, redactor)
        body[HEADERS] = {name.lower(): value for name, value in response.headers.items()}
        self._page = Page(number, url, rows, envelope=Envelope(response, body))
        self._response, self._number = response, 0

    def _note(self, text: Text, rows: list[Raw], redactor: Redactor) -> None:
        stats = self._stats
        stats.characters_replaced += text.replaced
        stats.non_finite_numbers += text.non_finite
        stats.assumed_encoding = stats.assumed_encoding or text.assumed
        if redactor.finds_credential(text.body):
            stats.credential_columns |= {
                column_name(name)
                for row in rows
                for name, value in msgspec.json.decode(row, type=dict[str, Raw]).items()
                if redactor.finds_credential(bytes(value))
            }

    def page_of(self, response: requests.Response) -> Page:
        """The page that the latest response was read as."""
        assert self._page is not None
        assert response is self._response
        return self._page


def split_answer(
    body: bytes, resource: Resource, where: str, redactor: Redactor
) -> tuple[list[Raw], dict[str, Any]]:
    """The rows of `body` as bytes, and the envelope around them; `where` begins an error's text."""
    selector = resource.data_selector
    try:
        if "*" in selector:
            return _split_stepwise(body, resource, where, redactor)
        try:
            return _split_list(body, selector)
        except (msgspec.DecodeError, UnicodeDecodeError):
            # no list there: looked at step by step, to say what there is
            return _split_stepwise(body, resource, where, redactor)
    except RecursionError:
        # raised below: it would be chained to an error of a thousand levels
        pass
    raise AnswerError(
        f"{where} nests lists or objects about a thousand levels deep, which can't be read. Leave "
        "the field out of the answer, if the API has a parameter for that."
    )


def _split_list(body: bytes, selector: str) -> tuple[list[Raw], dict[str, Any]]:
    """The same for a list, in one pass over it. Raises msgspec.DecodeError, UnicodeDecodeError."""
    rows = _list_reader(selector)(body)
    if selector == "$":
        return rows, {}
    if rows:
        # they are views of the body: what lies between their ends is cut out of it
        whole, first, last = (pa.py_buffer(part) for part in (body, rows[0], rows[-1]))
        body = (
            body[: first.address - whole.address] + body[last.address + last.size - whole.address :]
        )
    envelope: dict[str, Any] = msgspec.json.decode(body)
    *outer, name = selector.split(".")
    reduce(getitem, outer, envelope).pop(name)
    return rows, envelope


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
) -> tuple[list[Raw], dict[str, Any]]:
    selector = resource.data_selector
    rows: list[Raw] = []
    envelope: dict[str, Any] = {}
    problem: str | None = None
    try:
        raw = Raw(body)
        path = steps(selector)
        star = path.index("*") if "*" in path else len(path)
        if star:
            *outer, last = path[:star]
            level = envelope
            for name in outer:
                rest = msgspec.json.decode(raw, type=dict[str, Raw])
                raw = rest.pop(name)
                level |= _decoded(rest)
                level = level.setdefault(name, {})
            rest = msgspec.json.decode(raw, type=dict[str, Raw])
            raw = rest.pop(last)
            level |= _decoded(rest)
        if path[star:]:
            outer_fields = resource.outer_fields
            rows = nested_rows(raw, path[star:], outer_fields, selector, where)
        else:
            rows = _rows(raw)
    except KeyError as missing:
        problem = f"has nothing at `{selector}`: there is no {missing}"
    except msgspec.ValidationError as error:
        problem = f"has no rows at `{selector}`: {error}"
        if bytes(raw).strip() == b"null" and resource.null_is_empty:
            problem = None
        elif bytes(raw).strip() == b"null":
            problem = f"has null at `{selector}`: say `null_is_empty: true` if that means no rows"
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        detail = str(error).removeprefix("JSON is malformed: ")
        problem = f"is not JSON: {'it ends in the middle' if 'truncated' in detail else detail}"
    if problem:
        # masked before it is cut: half a secret would not be found
        begin = redactor(" ".join(body[:10_000].decode(errors="replace").split()))[:120]
        raise AnswerError(
            f"{where} {problem}. It begins with: {begin!r}. Check `data_selector`, `path` and the "
            "base URL."
        )
    return rows, envelope


def _decoded(members: Mapping[str, Raw]) -> dict[str, Any]:
    return {name: msgspec.json.decode(value) for name, value in members.items()}


def _rows(raw: Raw) -> list[Raw]:
    text = bytes(raw).strip()
    if text.startswith(b"["):
        return msgspec.json.decode(text, type=list[Raw])
    msgspec.json.decode(text, type=dict[str, Raw])
    return [Raw(text)]
