"""The shape of generated data: a row is what an API answers for one record."""

from typing import Any, TypeAlias

Row: TypeAlias = dict[str, Any]
Resources: TypeAlias = dict[str, list[Row]]
"""Resource name to rows, for one API."""
