"""A whole cluster as processes of this machine: to look at, to measure, and for the tests."""
