"""One request, answered or explained: retries, pace, quota, messages."""
