"""What a `defs.yaml` may hold, which keys exclude each other, and the `Api` that it describes."""
