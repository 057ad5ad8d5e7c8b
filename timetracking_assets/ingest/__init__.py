"""Extraction and loading of one API resource: pure dlt, no Dagster.

What belongs here: the specification of an API, windows, HTTP, pages as columns, and the load into
the warehouse. What doesn't: anything that knows of assets, partitions keys, runs or checks; that is
`timetracking_assets.orchestration`. A lint rule refuses an import of `dagster` below this package.
"""
