"""The model of hours in Dagster: its assets and checks, and those of a project's own SQL files."""
