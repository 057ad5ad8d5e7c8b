"""What dagster, dlt and duckdb will take away is an error in these tests (see pyproject.toml)."""

from __future__ import annotations

import warnings

import dagster as dg
import pytest
from dlt.common.warnings import Dlt100DeprecationWarning


@pytest.mark.parametrize(
    ("message", "category", "module"),
    [
        ("x is deprecated and will be removed in 2.0.", DeprecationWarning, "anything"),
        ("x is superseded", dg.SupersessionWarning, "anything"),
        (Dlt100DeprecationWarning("x"), Dlt100DeprecationWarning, "anything"),
        ("old", DeprecationWarning, "duckdb"),
        ("old", DeprecationWarning, "timetracking_assets.ingest.load.run"),
    ],
)
def test_a_deprecation_is_an_error(
    message: str | Warning, category: type[Warning], module: str
) -> None:
    with pytest.raises(category):
        warnings.warn_explicit(message, category, "file.py", 1, module=module)  # type: ignore[arg-type]


def test_others_deprecations_are_not() -> None:
    with pytest.warns(DeprecationWarning, match="old"):
        warnings.warn_explicit("old", DeprecationWarning, "file.py", 1, module="elsewhere")
