"""Parameters of a request, written as JSON writes them.

`requests` would write `True` as Python does, and only the keys of an object.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any


def as_json(parameters: Any) -> Any:
    """`parameters` (a mapping, or pairs) with each value as text; anything else as it is.

    A list stays one, for `requests` to repeat the name; None stays None, which it leaves out.
    """
    if isinstance(parameters, Mapping):
        return {name: _listed(value) for name, value in parameters.items()}
    if isinstance(parameters, list | tuple):
        return [(name, _listed(value)) for name, value in parameters]
    return parameters


def _listed(value: Any) -> Any:
    return (
        [_text(item) for item in value] if isinstance(value, list | tuple | set) else _text(value)
    )


def _text(value: Any) -> Any:
    if value is None or isinstance(value, str | bytes):
        return value
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
