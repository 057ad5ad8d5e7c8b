"""A Dagster project with dbt on top of the model of hours."""
