"""What `timetracking hours` does in a project without a model of hours."""

import dagster as dg

from timetracking_assets.cli.hours import has_model


def test_whether_a_project_has_a_model() -> None:
    raw, mart = dg.AssetSpec(["clock", "entries"]), dg.AssetSpec(["hours", "person_days"])
    assert not has_model(dg.Definitions(assets=[raw]))
    assert has_model(dg.Definitions(assets=[raw, mart]))
