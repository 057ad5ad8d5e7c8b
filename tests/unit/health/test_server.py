"""The served report: built when it has grown old, and only for this machine."""

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from timetracking_assets.health.server import create_app


def client(build: Callable[[], str], max_age: float) -> TestClient:
    return TestClient(create_app(build, max_age), base_url="http://127.0.0.1:8766")


@pytest.mark.parametrize(("max_age", "second"), [(60, "page 1"), (-1, "page 2")])
def test_a_page_is_built_again_when_it_is_old(max_age: float, second: str) -> None:
    built: list[str] = []

    def build() -> str:
        built.append(f"page {len(built) + 1}")
        return built[-1]

    served = client(build, max_age)
    assert [served.get("/").text, served.get("/").text] == ["page 1", second]
    assert served.get("/").headers["cache-control"] == "no-store"


def test_a_report_that_can_not_be_built_says_why() -> None:
    def build() -> str:
        raise RuntimeError("no instance")

    answer = client(build, 60).get("/")
    assert answer.status_code == 500
    assert answer.text == "The report can't be built: no instance"


def test_a_name_of_somebody_else_is_refused() -> None:
    served = client(lambda: "page", 60)
    assert served.get("/", headers={"host": "attacker.example"}).status_code == 400
