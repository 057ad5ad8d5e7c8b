"""One load of one resource: from a window to a table and a report. No Dagster."""
