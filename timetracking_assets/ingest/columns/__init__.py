"""Pages of JSON rows as Arrow tables whose column types stay the same."""
