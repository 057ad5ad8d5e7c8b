"""The tap that a user of the Singer SDK would write for `/entries`: one stream, one schema.

Runs in the environment of `singer.lock`. Batches, state messages and what each record is checked
for are the SDK's defaults; messages are encoded by its msgspec writer, its fastest. Pages end with
the first empty one, which costs a request and spares parsing each page twice.
"""

from typing import Any, ClassVar

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.pagination import PageNumberPaginator

from benchmarks.data import COLUMNS, PAGE_SIZE

_TYPES = {
    "bigint": th.IntegerType,
    "text": th.StringType,
    "double": th.NumberType,
    "bool": th.BooleanType,
    "timestamp": th.DateTimeType,
    "date": th.DateType,
    "json": th.ArrayType(th.StringType),
}


class Entries(RESTStream[int]):
    """The time entries, page by page."""

    name = "entries"
    path = "/entries"
    primary_keys: ClassVar[list[str]] = ["id"]
    records_jsonpath = "$.data[*]"
    schema = th.PropertiesList(
        *(
            th.Property(name, _TYPES[kind], required=name == "id", nullable=name != "id")
            for name, kind in COLUMNS.items()
        )
    ).to_dict()

    @property
    def url_base(self) -> str:
        return str(self.config["base_url"])

    def get_new_paginator(self) -> PageNumberPaginator:
        return PageNumberPaginator(start_value=1)

    def get_url_params(self, context: Any, next_page_token: int | None) -> dict[str, Any]:
        return {"per_page": PAGE_SIZE, "page": next_page_token}


class TapEntries(Tap):
    """The mock API as a tap."""

    name = "tap-entries"
    config_jsonschema = th.PropertiesList(
        th.Property("base_url", th.StringType, required=True)
    ).to_dict()
    message_writer_class = MsgSpecWriter

    def discover_streams(self) -> list[Entries]:
        return [Entries(self)]


if __name__ == "__main__":
    TapEntries.cli()
