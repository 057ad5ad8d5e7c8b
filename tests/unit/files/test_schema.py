"""The JSON schema of a file's attributes, which Dagster shows and editors complete by."""

from timetracking_assets.files.schema import attributes_schema, schema_of_model


def test_the_schema_in_the_package_is_the_models() -> None:
    # `python -m timetracking_assets.files.schema` writes it
    assert attributes_schema() == schema_of_model()
