"""What the UI does by GraphQL: backfills launched and watched, runs and assets listed."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

_LAUNCH = """
mutation ($keys: [AssetKeyInput!]!, $title: String) {
  launchPartitionBackfill(backfillParams: {
    assetSelection: $keys, allPartitions: true, title: $title
  }) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""
_CANCEL = """
mutation ($id: String!) { cancelPartitionBackfill(backfillId: $id) { __typename } }
"""
_RESUME = """
mutation ($id: String!) {
  reexecutePartitionBackfill(reexecutionParams: {parentRunId: $id, strategy: FROM_FAILURE}) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""
_BACKFILL = """
query ($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    __typename
    ... on PartitionBackfill { status error { message } }
  }
}
"""
_RUNS = """
{ runsOrError(limit: 500) { ... on Runs { results {
    runId status startTime endTime assetSelection { path } tags { key value } } } } }
"""
_LIMIT = """
mutation ($pool: String!, $limit: Int!) {
  setConcurrencyLimit(concurrencyKey: $pool, limit: $limit)
}
"""
_ASSETS = "{ assetNodes { assetKey { path } groupName isPartitioned } }"
_MATERIALIZED = """
query ($keys: [AssetKeyInput!]!) {
  assetNodes(assetKeys: $keys) { assetKey { path } assetMaterializations(limit: 1) { runId } }
}
"""


@dataclass(frozen=True)
class Run:
    """A run; times are in seconds since 1970, UTC."""

    run_id: str
    status: str
    assets: list[str]
    tags: dict[str, str]
    started: float | None
    ended: float | None

    @property
    def task_id(self) -> str:
        """The Celery task that did it; empty before it was launched."""
        return self.tags.get("dagster-celery/task_id", "")


class Client:
    """Dagster's GraphQL at `url`. Methods raise RuntimeError for what it refuses."""

    def __init__(self, url: str) -> None:
        self._url = url

    def assets(self, *, partitioned: bool = False) -> dict[str, list[str]]:
        """The assets of each API, as `api/resource`, or only its partitioned ones."""
        groups: dict[str, list[str]] = {}
        for node in self._query(_ASSETS)["assetNodes"]:
            if partitioned and not node["isPartitioned"]:
                continue
            groups.setdefault(node["groupName"], []).append("/".join(node["assetKey"]["path"]))
        return groups

    def limit_pool(self, pool: str, runs: int) -> None:
        """Let so many runs of a pool be at a time, as the page Concurrency does.

        The limit of the instance's settings does not hold yet when Dagster first sees a pool.
        """
        self._query(_LIMIT, {"pool": pool, "limit": runs})

    def backfill(self, assets: Sequence[str], title: str) -> str:
        """Launch a backfill of all partitions of the assets; its id."""
        keys = [{"path": asset.split("/")} for asset in assets]
        return _launched(self._query(_LAUNCH, {"keys": keys, "title": title}))

    def cancel(self, backfill: str) -> None:
        """Cancel a backfill: its runs that are queued or in progress."""
        self._query(_CANCEL, {"id": backfill})

    def resume(self, backfill: str) -> str:
        """Launch a backfill of what an ended one has not loaded; its id."""
        return _launched(self._query(_RESUME, {"id": backfill}))

    def wait_for(self, backfills: Sequence[str], seconds: float) -> dict[str, str]:
        """The status of each backfill when all have ended. Raises TimeoutError after `seconds`."""
        deadline = time.monotonic() + seconds
        ended = {"COMPLETED", "COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED"}
        while True:
            try:
                statuses = {each: self._status(each) for each in backfills}
            except (OSError, RuntimeError) as error:
                # while a part of the cluster is restarted
                statuses = {"": str(error)}
            if set(statuses.values()) <= ended:
                return statuses
            if time.monotonic() > deadline:
                raise TimeoutError(f"backfills have not ended in {seconds:.0f} s: {statuses}")
            time.sleep(1)

    def runs(self) -> list[Run]:
        """The newest runs (at most 500), the first one started first."""
        results = self._query(_RUNS)["runsOrError"]["results"]
        return [
            Run(
                run_id=each["runId"],
                status=each["status"],
                assets=["/".join(key["path"]) for key in each["assetSelection"] or []],
                tags={tag["key"]: tag["value"] for tag in each["tags"]},
                started=each["startTime"],
                ended=each["endTime"],
            )
            for each in reversed(results)
        ]

    def materialized(self, assets: Sequence[str]) -> set[str]:
        """Those of the assets that have been materialized."""
        keys = [{"path": asset.split("/")} for asset in assets]
        nodes = self._query(_MATERIALIZED, {"keys": keys})["assetNodes"]
        return {"/".join(n["assetKey"]["path"]) for n in nodes if n["assetMaterializations"]}

    def _status(self, backfill: str) -> str:
        answer = self._query(_BACKFILL, {"id": backfill})["partitionBackfillOrError"]
        return str(answer.get("status", answer["__typename"]))

    def _query(self, query: str, variables: Mapping[str, Any] | None = None) -> Any:
        body = json.dumps({"query": query, "variables": dict(variables or {})}).encode()
        request = Request(self._url, body, {"Content-Type": "application/json"})
        try:
            with urlopen(request, timeout=60) as answer:
                content = json.load(answer)
        except HTTPError as error:
            raise RuntimeError(f"GraphQL answered {error.code}: {error.read().decode()}") from error
        if content.get("errors"):
            raise RuntimeError(f"GraphQL answered {content['errors']}")
        return content["data"]


def _launched(data: Any) -> str:
    [answer] = data.values()
    if answer["__typename"] != "LaunchBackfillSuccess":
        raise RuntimeError(f"the backfill was refused: {answer}")
    return str(answer["backfillId"])
