"""dlt as its documentation has it: `rest_api_source`, rows as dictionaries, a merge on the key.

`insert_values` is dlt's default; `parquet` is its faster format.
"""

import json
import sys
import tempfile
from typing import Any

import dlt
from dlt.sources.rest_api import rest_api_source


def load(url: str, warehouse: str, file_format: Any) -> None:
    """Load `/entries` in the given format and print the rows."""
    source = rest_api_source(
        {
            "client": {"base_url": url},
            "resources": [
                {
                    "name": "entries",
                    "primary_key": "id",
                    "write_disposition": "merge",
                    "endpoint": {
                        "path": "entries",
                        "data_selector": "data",
                        "params": {"per_page": 1000},
                        "paginator": {
                            "type": "page_number",
                            "base_page": 1,
                            "total_path": "paging.count_pages",
                        },
                    },
                }
            ],
        }
    )
    with tempfile.TemporaryDirectory() as directory:
        pipeline = dlt.pipeline(
            "entries",
            pipelines_dir=directory,
            destination=dlt.destinations.duckdb(warehouse),
            dataset_name="benchmark",
        )
        pipeline.run(source, loader_file_format=file_format)
        with pipeline.sql_client() as client:
            [[rows]] = client.execute_sql("SELECT count(*) FROM entries") or [[0]]
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    load(*sys.argv[1:])
