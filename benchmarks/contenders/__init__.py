"""What loads the same rows: a module for each, run as a process of its own.

Each takes the base URL of the mock API and the path of a DuckDB file that doesn't exist yet, loads
`/entries` into it, and prints one line of JSON: the rows of its table, and what else it has to say.
`singer` and `airbyte` run in environments of their own, see `benchmarks.peers`.
"""
