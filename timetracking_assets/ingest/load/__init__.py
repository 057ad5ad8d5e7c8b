"""The answer becomes the table's content in one transaction; everything is counted."""
