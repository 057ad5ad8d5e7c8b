"""`timetracking doctor`: what an API answers, held against what its file says.

What belongs here: one small page per resource, what it looks like, and the YAML that would fit it.
What doesn't: loading anything. Nothing here imports Dagster.
"""
