"""The files in which APIs are described: where they are, what they extend, what they come to.

What belongs here: text and mappings of `defs.yaml`. What doesn't: what its keys mean (`ingest`) and
what Dagster makes of it (`component.py`). Nothing here imports Dagster or dlt.
"""
