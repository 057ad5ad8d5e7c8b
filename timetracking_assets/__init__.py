"""Time-tracking REST APIs as Dagster software-defined assets, loaded by dlt.

`RestApi` is the Dagster component that a `defs.yaml` names as its type. It is imported when it is
asked for: the command line and the sandbox don't wait for Dagster.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from timetracking_assets.component import RestApi

__all__ = ["RestApi"]


def __getattr__(name: str) -> Any:
    if name == "RestApi":
        from timetracking_assets.component import RestApi

        return RestApi
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
