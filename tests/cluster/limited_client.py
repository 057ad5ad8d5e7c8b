"""Requests one list for some seconds, as fast as a rate limit allows: a process of its own.

Takes the base URL, the limit (requests in a second) and the seconds, and prints how many it made;
after an error it ends, with the message in a second line.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

import timetracking_assets
from timetracking_assets.component import load_project
from timetracking_assets.errors import ApiError
from timetracking_assets.ingest.http.session import open_session
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.redaction import Redactor
from timetracking_assets.sandbox import CREDENTIALS
from timetracking_assets.spec.model import RateLimitSpec

API = "time_analytics"


def main() -> None:
    base_url, limit, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    [api] = load_project(Path(timetracking_assets.__file__).parent, API)
    api = replace(api, rate_limit=RateLimitSpec(requests=limit, per_seconds=1))
    stats = RequestStats()
    session = open_session(api, API, base_url, Redactor([]), stats, lambda response, mask: None)
    headers = {"X-Api-Key": CREDENTIALS["TIME_ANALYTICS_API_KEY"]}
    print("ready", flush=True)
    sys.stdin.readline()
    deadline = time.monotonic() + seconds
    problem = ""
    while time.monotonic() < deadline and not problem:
        try:
            session.get(f"{base_url}/workspaces", headers=headers)
        except ApiError as error:
            problem = str(error)
    print(stats.requests)
    print(problem)


if __name__ == "__main__":
    main()
