"""Measurements of loads against plain dlt and against the floor; see `__main__.py`."""
