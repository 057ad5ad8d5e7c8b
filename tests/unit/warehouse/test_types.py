"""dlt's types as Arrow's, and back."""

from __future__ import annotations

from typing import get_args

import pyarrow as pa
import pytest

from timetracking_assets.spec.base import DataType
from timetracking_assets.warehouse.types import ARROW_TYPES, inferred_type


def test_each_type_of_a_declared_column_has_one_of_arrows() -> None:
    assert ARROW_TYPES.keys() == set(get_args(DataType))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([True, None], "bool"),
        ([1, 2], "bigint"),
        ([1.5], "double"),
        (["x"], "text"),
        ([[1], []], "json"),
        # nothing is known of it yet, and text takes everything
        ([None], "text"),
    ],
)
def test_the_type_of_values_that_arrow_has_read(values: list[object], kind: str) -> None:
    assert inferred_type(pa.array(values).type) == kind
