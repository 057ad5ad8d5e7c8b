"""Five vendors whose APIs differ from the shipped files as real ones do, served on this machine.

A vendor holds rows as Python values (instants in UTC, dates, numbers, text) and writes them in its
own way; a test compares a loaded table with what the vendor holds, row for row.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

VENDOR_DEFS = Path(__file__).with_name("vendor_defs")
"""The files that fit these vendors, a folder for each."""
FIRST = date(2026, 1, 1)
BERLIN = ZoneInfo("Europe/Berlin")
Row = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """A request: its path, query, lower-case headers and JSON body."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any = None


@dataclass(frozen=True)
class RefusalError(Exception):
    status: int
    message: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Answer:
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200


@dataclass
class Vendor:
    """A running vendor: its tables, the requests it received, and its address."""

    answer: Callable[[Vendor, Request], Answer]
    tables: dict[str, list[Row]]
    requests: list[Request] = field(default_factory=list)
    url: str = ""

    def respond(self, request: Request) -> Answer:
        self.requests.append(request)
        try:
            return self.answer(self, request)
        except RefusalError as refusal:
            return Answer({"error": refusal.message}, refusal.headers, refusal.status)


def need(holds: bool, status: int, message: str, **headers: str) -> None:
    if not holds:
        raise RefusalError(status, message, headers)


def page_of(rows: list[Row], number: int, size: int) -> list[Row]:
    return rows[(number - 1) * size : number * size]


def written(rows: list[Row], time: Callable[[datetime], Any]) -> list[Row]:
    def write(value: Any) -> Any:
        if isinstance(value, datetime):
            return time(value)
        return value.isoformat() if isinstance(value, date) else value

    return [{key: write(value) for key, value in row.items()} for row in rows]


def spaced(zone: ZoneInfo) -> Callable[[datetime], str]:
    return lambda at: at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def entries(count: int, key: str, day: str, **more: Callable[[int], Any]) -> list[Row]:
    """Rows over 40 days from the first on, a start in each that is a full minute."""
    start = datetime(FIRST.year, 1, 1, tzinfo=UTC)
    rows = []
    for n in range(count):
        at = start + timedelta(minutes=n * 40 * 1440 // count)
        when = at.date() if day == "date" else at
        rows.append({key: n + 1, day: when, **{name: make(n) for name, make in more.items()}})
    return rows


def lists_by_offset(vendor: Vendor, request: Request) -> Answer:
    """Bare arrays of up to 1000, an offset called `start`, the total in a header, local times."""
    need(request.headers.get("x-token") == "secret-token-1", 401, "unknown credential")
    need(request.path == "/api/v2/time-entries", 404, "no such path")
    start, count = int(request.query.get("start", 0)), int(request.query.get("count", 100))
    need(count <= 1000, 400, "count may not be over 1000")
    rows = vendor.tables["time_entries"]
    headers = {"X-Total-Count": str(len(rows)), "X-RateLimit-Remaining": "119"}
    return Answer(written(rows[start : start + count], spaced(BERLIN)), headers)


def short_windows(vendor: Vendor, request: Request) -> Answer:
    """Both dates required, 31 days at most with the last counted in; pages counted in a header."""
    need(request.headers.get("authorization") == "Bearer secret-token-2", 401, "unknown credential")
    need(request.headers.get("x-account-id") == "acme-42", 400, "X-Account-Id is required")
    name = request.path.removeprefix("/rest/")
    need(name in vendor.tables, 404, "no such path")
    rows = vendor.tables[name]
    if name in ("entries", "absences"):
        need({"from", "to"} <= request.query.keys(), 400, "from and to are required")
        first, last = (date.fromisoformat(request.query[key]) for key in ("from", "to"))
        days = 31 if name == "entries" else 366
        need((last - first).days < days, 400, f"at most {days} days")
        day = {"entries": "worked_on", "absences": "first_day"}[name]
        rows = [row for row in rows if first <= row[day] <= last]
    size = int(request.query.get("size", 50))
    page = page_of(rows, int(request.query.get("p", 1)), size)
    listed = {"result": {"rows": written(page, datetime.isoformat) if page else None}}
    return Answer(listed, {"X-Page-Count": str(-(-len(rows) // size))})


def repeats_last_page(vendor: Vendor, request: Request) -> Answer:
    """UNIX milliseconds; a page beyond the last is the last one again; 404 for an empty list."""
    need(request.headers.get("authorization", "").startswith("Basic "), 401, "unknown credential")
    parts = request.path.strip("/").split("/")
    need(parts[0] == "v9", 404, "no such path")
    unix = lambda at: int(at.timestamp() * 1000)  # noqa: E731
    if parts[1] == "entries":
        low, high = int(request.query["since"]), int(request.query["until"])
        rows = [r for r in vendor.tables["time_entries"] if low <= unix(r["begun"]) < high]
        return Answer({"items": written(rows, unix)})
    workspace = int(parts[2])
    rows = [r for r in vendor.tables[parts[3]] if r["workspace_id"] == workspace]
    need(bool(rows), 404, "nothing here")
    pages = -(-len(rows) // 20)
    number = min(int(request.query.get("page", 1)), pages) if parts[3] == "tasks" else 1
    shown = page_of(rows, number, 20) if parts[3] == "tasks" else rows
    return Answer({"items": written(shown, unix), "page": int(request.query.get("page", 1))})


def other_keys(vendor: Vendor, request: Request) -> Answer:
    """`people_id` for `id`, bare arrays, pages counted in a header, a quota that says 402."""
    need(request.headers.get("authorization") == "Bearer secret-token-4", 401, "unknown credential")
    need("acme" in request.headers.get("x-client", ""), 400, "X-Client is required")
    name = request.path.removeprefix("/v3/")
    if name == "me":
        return Answer({"user": {"email": "ada@example.com"}})
    need(name in vendor.tables, 404, "no such path")
    tried = sum(known.path == request.path for known in vendor.requests)
    need(name != "clients" or tried != 1, 402, "quota used up", **{"X-Quota-Reset": "1"})
    rows = vendor.tables[name]
    if "modified_since" in request.query:
        since = datetime.fromisoformat(request.query["modified_since"]).replace(tzinfo=BERLIN)
        rows = [row for row in rows if row["modified"] >= since]
    size = min(int(request.query.get("per-page", 50)), 1000)
    page = page_of(rows, int(request.query.get("page", 1)), size)
    counted = {"X-Pagination-Page-Count": str(-(-len(rows) // size))}
    return Answer(written(page, spaced(BERLIN)), counted)


def lists_by_post(vendor: Vendor, request: Request) -> Answer:
    """OAuth2; lists by POST with pages and window in the body; `X-Has-More`; 201; local offsets."""
    if request.path == "/oauth/token":
        known = request.body == {
            "client_id": "client-5",
            "client_secret": "secret-token-5",
            "grant_type": "client_credentials",
        }
        need(known, 401, "unknown credential")
        return Answer({"access_token": "fresh-token-5", "expires_in": 3600})
    need(request.headers.get("authorization") == "Bearer fresh-token-5", 401, "unknown credential")
    name = request.path.rpartition("/")[2]
    need(name in vendor.tables and request.body is not None, 404, "no such path")
    body, rows = request.body, vendor.tables[name]
    if name == "entries":
        need(len(body["range"]["from"]) == 25, 400, "from and to need an offset")
        low, high = (datetime.fromisoformat(body["range"][end]) for end in ("from", "to"))
        rows = [r for r in rows if low <= r["started"] < high]
    size, number = body["paging"]["size"], body["paging"]["page"]
    iso = lambda at: at.astimezone(BERLIN).isoformat()  # noqa: E731
    more = {"X-Has-More": "true" if number * size < len(rows) else "false"}
    return Answer({"list": written(page_of(rows, number, size), iso)}, more, 201)


def build_vendors() -> dict[str, Vendor]:
    name: Callable[[int], str] = lambda n: f"name {n}"  # noqa: E731
    at: Callable[[int], datetime] = lambda n: (  # noqa: E731
        datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(hours=7 * n)
    )
    people = [{"people_id": n, "name": name(n), "active": n % 2} for n in range(1, 131)]
    logged = entries(
        700,
        "logged_time_id",
        "date",
        people_id=lambda n: n % 130 + 1,
        hours=lambda n: float(n % 12),
    )
    logged = [{**row, "modified": at(n % 130)} for n, row in enumerate(logged)]
    tasks = [{"id": n, "workspace_id": n % 3 + 1, "name": name(n)} for n in range(1, 131)]
    minutes: Callable[[int], int] = lambda n: n % 480  # noqa: E731
    return {
        "second_time_tracking": Vendor(
            lists_by_offset,
            {"time_entries": entries(2300, "entry_id", "begun", minutes=minutes)},
        ),
        "second_project_management": Vendor(
            short_windows,
            {
                "entries": [
                    {"entry": r["entry"], "worked_on": r["date"], "seconds": r["seconds"]}
                    for r in entries(400, "entry", "date", seconds=minutes)
                ],
                "absences": [
                    {"id": n, "first_day": FIRST + timedelta(days=5 * n), "kind": name(n)}
                    for n in range(-40, 40)
                ],
                "customers": [{"id": n, "name": name(n)} for n in range(1, 121)],
                "labels": [{"label": name(n), "color": "red"} for n in range(30)],
                "projects": [],
            },
        ),
        "second_workspace_time": Vendor(
            repeats_last_page,
            {
                "time_entries": entries(500, "id", "begun", minutes=minutes),
                "tasks": [row for row in tasks if row["workspace_id"] != 3],
                "clients": [{"id": 1, "workspace_id": 1, "name": "one"}],
            },
        ),
        "second_resource_management": Vendor(
            other_keys,
            {
                "people": people,
                "clients": [{"client_id": n, "name": name(n)} for n in range(1, 9)],
                "logged-time": logged,
            },
        ),
        "second_time_analytics": Vendor(
            lists_by_post,
            {
                "users": [{"id": f"u{n}", "name": name(n)} for n in range(1, 46)],
                "entries": entries(350, "id", "started", minutes=minutes),
            },
        ),
    }


class _Handler(BaseHTTPRequestHandler):
    vendor: Vendor

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        text = self.rfile.read(length).decode()
        is_form = "form" in (self.headers.get("Content-Type") or "")
        body = dict(parse_qsl(text)) if is_form else json.loads(text) if text else None
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.vendor.respond(
            Request(parts.path, dict(parse_qsl(parts.query)), headers, body)
        )
        content = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _answer  # noqa: N815

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


Serve = Callable[[Callable[[Request], tuple[Any, dict[str, str]]]], Vendor]


@contextmanager
def running_vendor(vendor: Vendor) -> Iterator[Vendor]:
    handler = type("Handler", (_Handler,), {"vendor": vendor})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    vendor.url = f"http://127.0.0.1:{server.server_port}"
    yield vendor
    server.shutdown()
    server.server_close()
