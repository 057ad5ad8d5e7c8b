"""For tests of a project's own APIs: `conformance_suite`. It needs pytest."""

from timetracking_assets.testing.conformance import conformance_suite

__all__ = ["conformance_suite"]
