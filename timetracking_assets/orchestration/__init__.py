"""What Dagster sees: assets, partitions, resources."""
