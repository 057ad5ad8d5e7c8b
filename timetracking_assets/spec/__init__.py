"""What a `defs.yaml` can say, what must not be said together, and the `Api` that it describes."""
