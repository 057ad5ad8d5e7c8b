"""PyAirbyte: the low-code source of `benchmarks/peers/manifest.yaml` into its DuckDB cache.

As its documentation has it: the source is checked, then read into the cache. Set are the places of
its files and the variables that keep it from the network (no telemetry, no list of connectors);
batches are its default, 100,000 rows, merged on the key at the end.
"""

import json
import os
import sys
from pathlib import Path
from time import perf_counter

MANIFEST = Path(__file__).parents[1] / "peers" / "manifest.yaml"


def sync(url: str, warehouse: Path) -> None:
    """Load `/entries` and print the rows, and the seconds that it took after the imports."""
    # read when it is imported
    os.environ.update(
        AIRBYTE_OFFLINE_MODE="1",
        DO_NOT_TRACK="1",
        AIRBYTE_PROJECT_DIR=str(warehouse.parent),
        AIRBYTE_LOGGING_ROOT=str(warehouse.parent / "logs"),
    )
    import airbyte
    from airbyte.caches import DuckDBCache

    started = perf_counter()
    source = airbyte.get_source(
        "source-entries", config={"base_url": url}, source_manifest=MANIFEST
    )
    source.check()
    source.select_all_streams()
    cache = DuckDBCache(db_path=warehouse, cache_dir=warehouse.parent / "cache")
    result = source.read(cache=cache)
    with result.get_sql_engine().connect() as connection:
        statement = f"SELECT count(*) FROM {cache.schema_name}.entries"
        rows = connection.exec_driver_sql(statement).scalar_one()
    print(json.dumps({"rows": rows, "seconds": perf_counter() - started}))


if __name__ == "__main__":
    sync(sys.argv[1], Path(sys.argv[2]))
