"""SQL as one destination wants it: its quotes, its types, its functions.

We write what DuckDB and PostgreSQL have in common; sqlglot, which dlt translates with, too, does
the rest. Nothing here knows what is asked.
"""

from __future__ import annotations

from typing import Any

import sqlglot
from sqlglot import expressions

STAGING_TABLE = "{staging_table}"
"""What dlt replaces by a table's name; it stays as it is."""
_STAND_IN = "__staging_table__"


def in_dialect(sql: str, capabilities: Any) -> str:
    """`sql` for a destination with dlt's `capabilities`; quoted names get the case it stores."""

    def stored(node: expressions.Expression) -> expressions.Expression:
        if isinstance(node, expressions.Identifier) and node.args.get("quoted"):
            node.set("this", capabilities.casefold_identifier(node.this))
        return node

    parsed = sqlglot.parse_one(sql.replace(STAGING_TABLE, _STAND_IN), read="duckdb")
    written = parsed.transform(stored).sql(dialect=capabilities.sqlglot_dialect)
    return written.replace(_STAND_IN, STAGING_TABLE)
