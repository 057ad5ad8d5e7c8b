"""Dagster over `ingest`: assets, partitions, resources and checks, one module for each concept.

What belongs here: what Dagster must know. What doesn't: how anything is fetched or loaded, which is
`timetracking_assets.ingest`.
"""
