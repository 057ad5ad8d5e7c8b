"""`defs.yaml` files on disk: where they are, what they extend, the line of a key."""
