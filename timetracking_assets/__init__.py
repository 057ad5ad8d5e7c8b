"""Time-tracking REST APIs as Dagster software-defined assets, loaded by dlt.

`RestApi` and `HoursModel` are the Dagster components that a `defs.yaml` names as its type,
`WarehouseResource` is what their assets write to. They are imported when they are first used: the
command line and the sandbox don't wait for Dagster.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from timetracking_assets.component import RestApi
    from timetracking_assets.hours_component import HoursModel
    from timetracking_assets.orchestration.resources import WarehouseResource

__all__ = ["HoursModel", "RestApi", "WarehouseResource"]


def __getattr__(name: str) -> Any:
    if name == "RestApi":
        from timetracking_assets.component import RestApi

        return RestApi
    if name == "HoursModel":
        from timetracking_assets.hours_component import HoursModel

        return HoursModel
    if name == "WarehouseResource":
        from timetracking_assets.orchestration.resources import WarehouseResource

        return WarehouseResource
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
