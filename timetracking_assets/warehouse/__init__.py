"""Where tables are: a DuckDB file or another SQL destination; its lock, and how it is queried."""
