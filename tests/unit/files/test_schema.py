"""The JSON schemas of `attributes`, which Dagster shows and editors complete by."""

import pytest

from timetracking_assets.errors import SpecPath
from timetracking_assets.files.schema import (
    admits_text,
    attributes_schema,
    hours_attributes_schema,
    schemas_of_models,
)


def test_the_schemas_in_the_package_are_the_models() -> None:
    # `python -m timetracking_assets.files.schema` writes them
    assert [attributes_schema(), hours_attributes_schema()] == [*schemas_of_models().values()]


@pytest.mark.parametrize(
    ("path", "admitted"),
    [
        (("description",), True),
        (("resources", 0, "partitions", "start"), True),
        (("resources", 3, "partitions", "timezone"), True),
        (("resource_defaults", "endpoint", "params", "from"), True),
        (("resources", 0, "endpoint", "path"), True),
        # one of a few words, a pattern, a number
        (("resources", 0, "sync_mode"), False),
        (("name",), False),
        (("concurrency",), False),
        # a list, a map, an unknown key
        (("resources",), False),
        (("resources", 0, "window"), False),
        (("resources", 0, "windw"), False),
    ],
)
def test_where_any_text_may_be_written(path: SpecPath, admitted: bool) -> None:
    assert admits_text(path) is admitted
