"""Time-tracking REST APIs as Dagster software-defined assets, loaded by dlt.

`RestApi` is the Dagster component that a `defs.yaml` names as its type, `WarehouseResource` what
its assets load into. They are imported when they are asked for: the command line and the sandbox
don't wait for Dagster.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from timetracking_assets.component import RestApi
    from timetracking_assets.orchestration.resources import WarehouseResource

__all__ = ["RestApi", "WarehouseResource"]


def __getattr__(name: str) -> Any:
    if name == "RestApi":
        from timetracking_assets.component import RestApi

        return RestApi
    if name == "WarehouseResource":
        from timetracking_assets.orchestration.resources import WarehouseResource

        return WarehouseResource
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
