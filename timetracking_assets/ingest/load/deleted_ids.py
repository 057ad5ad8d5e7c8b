"""Ids that another endpoint lists as deleted: requested first, staged last, removed by the merge.

They are requested before the rows: a row that the answer still holds is alive, whatever was listed
before. Marks in the rows themselves (`deleted_field`) need nothing of this.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from timetracking_assets.errors import AnswerError
from timetracking_assets.ingest.connection import Connection, ParentRows
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.ingest.pages.fetch import open_pages
from timetracking_assets.ingest.windows import Window
from timetracking_assets.spec.api import LISTED_AS_DELETED, Resource
from timetracking_assets.warehouse.types import ARROW_TYPES


class DeletedIds:
    """The listed ids of one load, less those that its answer turns out to hold."""

    def __init__(self, resource: Resource, ids: Sequence[Any]) -> None:
        self._key = resource.primary_key[0]
        data_type = resource.columns[self._key].data_type
        try:
            self._ids = pa.array(ids, type=ARROW_TYPES[data_type]).unique()
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise AnswerError(
                f"{resource.label}: `deleted_ids` lists an id that is no {data_type}, as "
                f"`{self._key}` is: {error}"
            ) from None

    def alive(self, table: pa.Table) -> None:
        """Take out the ids of rows that the answer holds."""
        if len(self._ids):
            self._ids = self._ids.filter(pc.invert(pc.is_in(self._ids, table[self._key])))

    def table(self) -> pa.Table:
        """The ids as rows that are marked for removal."""
        schema = pa.schema(
            [
                pa.field(self._key, self._ids.type, nullable=False),
                pa.field(LISTED_AS_DELETED, pa.bool_()),
            ]
        )
        return pa.table([self._ids, pa.repeat(pa.scalar(True), len(self._ids))], schema=schema)


def listed_as_deleted(
    connection: Connection,
    resource: Resource,
    window: Window | None,
    parent_rows: ParentRows | None,
    stats: RequestStats,
) -> list[Any] | None:
    """What the endpoint of `deleted_ids` lists for the window; None for a resource without one."""
    spec = resource.deleted_ids
    if spec is None:
        return None
    feed = _feed(resource)
    ids: list[Any] = []
    with open_pages(
        connection,
        feed,
        stats,
        window=window if feed.window else None,
        parent_rows=parent_rows if feed.parent else None,
    ) as pages:
        for page in pages:
            for raw in page.rows:
                row = msgspec.json.decode(raw)
                value = row.get(spec.field) if isinstance(row, dict) else row
                if value is None:
                    raise AnswerError(
                        f"{feed.label}: page {page.number} ({page.url}) lists a deleted row "
                        f"without `{spec.field}`: {bytes(raw)[:80].decode(errors='replace')}"
                    )
                ids.append(value)
    return ids


def _feed(resource: Resource) -> Resource:
    spec = resource.deleted_ids
    assert spec is not None
    window = None
    if resource.window and spec.start_param:
        params: dict[str, Any] = {"start_param": spec.start_param, "end_param": spec.end_param}
        if "json" not in spec.endpoint:
            params["location"] = "params"
        if spec.end_param is None:
            # a list without an end holds all since its start
            params |= {"max_days": None, "end_inclusive": False}
        window = resource.window.model_copy(update=params)
    endpoint = {**spec.endpoint, "params": spec.endpoint.get("params") or {}}
    return resource.model_copy(
        update={
            "endpoint": endpoint,
            "data_selector": endpoint["data_selector"],
            "outer_fields": {},
            "page_size": None,
            "repeated_page": "refuse",
            "total": None,
            "max_rows_per_answer": None,
            "window": window,
            "parent": resource.parent if "{resources." in str(endpoint) else None,
            "include_from_parent": (),
        }
    )
