"""How old the sums of hours are, as the instance remembers it."""

from __future__ import annotations

import dagster as dg

from timetracking_assets.orchestration.hours.age import ModelAge, model_age


def _specs() -> list[dg.AssetSpec]:
    entries, users, other = (
        dg.AssetSpec(["clock", "entries"]),
        dg.AssetSpec(["clock", "users"]),
        dg.AssetSpec(["planner", "logged"]),
    )
    base = dg.AssetSpec(["hours", "time_entries"], deps=[entries, other])
    people = dg.AssetSpec(["hours", "people"], deps=[users])
    return [
        *(entries, users, other, base, people),
        dg.AssetSpec(["hours", "person_days"], deps=[base, people]),
        dg.AssetSpec(["hours", "person_project_weeks"], deps=[base]),
        dg.AssetSpec(["clock", "unmapped"]),
    ]


def _materialize(instance: dg.DagsterInstance, *names: str) -> None:
    for name in names:
        instance.report_runless_asset_event(dg.AssetMaterialization(name.split("/")))


HOURS = ("hours/people", "hours/time_entries", "hours/person_days", "hours/person_project_weeks")


def test_what_was_loaded_after_the_sums_is_named() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        unknown = model_age(instance, _specs())
        assert unknown.built_at is None
        assert unknown.notes(()) == []
        _materialize(instance, "clock/entries", "clock/users", *HOURS)
        age = model_age(instance, _specs())
        assert age.exists
        assert age.built_at is not None
        assert (age.newer, age.never_loaded) == ((), ("planner",))
        assert age.notes({"clock", "planner"}) == []
        assert age.notes({"clock"}) == ["Not in these hours, as never loaded: planner."]
        _materialize(instance, "clock/unmapped")
        assert model_age(instance, _specs()) == age
        _materialize(instance, "clock/users", "planner/logged")
        [note] = model_age(instance, _specs()).notes({"clock", "planner"})
        assert "clock/users, planner/logged" in note
        assert f"{age.built_at:%Y-%m-%d %H:%M} UTC" in note
        _materialize(instance, *HOURS)
        age = model_age(instance, _specs())
        assert age.notes({"clock", "planner"}) == []
        # a table dropped by hand, for example
        [note] = age.notes({"clock"})
        assert note.startswith("No hours are of planner, though loaded")


def test_sums_that_are_kept_back_are_old() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        _materialize(instance, "clock/entries", "planner/logged", *HOURS)
        _materialize(instance, *HOURS[:2])
        assert model_age(instance, _specs()).newer == ("hours/people", "hours/time_entries")


def test_a_project_without_a_model() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert model_age(instance, [dg.AssetSpec(["clock", "entries"])]) == ModelAge()
    assert ModelAge().notes(()) == []
