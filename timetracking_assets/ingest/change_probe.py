"""Probes: one cheap request that shows whether a load would change anything.

Only the request belongs here; when it is sent, and what follows from it, is in
`orchestration/automation/changes_sensor.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.ingest.pages.totals import StatedTotals
from timetracking_assets.ingest.windows import Window, format_bound
from timetracking_assets.spec.api import CONFIGURED, Resource
from timetracking_assets.spec.automation import ProbeSpec
from timetracking_assets.spec.model import RetrySpec

_TIMEOUT = 10.0


@dataclass(frozen=True)
class ProbeResult:
    """The result of a probe. Two answers with the same fingerprint hold the same rows and total."""

    rows: int
    fingerprint: str


def probe(
    connection: Connection, resource: Resource, since: datetime, window: Window | None
) -> ProbeResult:
    """Request the first page of `resource` as its `probe` says, once, without a retry.

    `since` bounds the request of a resource with changes (or a `since_param`), `window` that of one
    with windows. Raises IngestError, its text masked.
    """
    # definitions need to know what a probe is, but nothing of what sends one
    from timetracking_assets.ingest.pages.fetch import open_pages

    spec = resource.automation.probe or ProbeSpec()
    params = {**resource.endpoint["params"], **spec.params}
    if spec.since_param:
        params[spec.since_param] = format_bound(since, since.date(), spec.format)
        window = None
    elif resource.sync_mode == "changes":
        window = _everything_since(since, resource)
    params = {name: value for name, value in params.items() if value is not None}
    request = resource.model_copy(
        update={
            "endpoint": {**resource.endpoint, "params": params, "paginator": "single_page"},
            "window": resource.window if window else None,
        }
    )
    retry = RetrySpec(max_retries=0, timeout=min(_TIMEOUT, connection.api.retry.timeout))
    parent = resource.parent
    ids = None
    if parent and parent.name == CONFIGURED:
        ids = connection.configured_ids(parent, resource)
    digest, rows, totals = sha256(), 0, StatedTotals(request)
    with open_pages(
        connection.with_retry(retry),
        request,
        RequestStats(),
        window=window,
        parent_rows=ids,
        totals=totals,
    ) as pages:
        for page in pages:
            rows += len(page.rows)
            for row in page.rows:
                digest.update(bytes(row))
    digest.update(f"{totals.rows}".encode())
    return ProbeResult(rows, digest.hexdigest()[:32])


def _everything_since(since: datetime, resource: Resource) -> Window:
    if resource.window and resource.window.max_days:
        # no further than need be: each part is a request
        return Window(since, datetime.now(UTC) + timedelta(hours=1), "UTC")
    return Window(since, since + timedelta(days=366), "UTC")


def asks_since(resource: Resource) -> bool:
    """Whether a probe of `resource` asks for what changed since an instant: a row is a change."""
    spec = resource.automation.probe
    return resource.sync_mode == "changes" or bool(spec and spec.since_param)
