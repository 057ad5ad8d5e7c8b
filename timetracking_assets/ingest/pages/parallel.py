"""Pages that needn't wait for one another: ranges of known count, and threads that read them.

Where a first page says how many there are, dlt's paginator is set up for each range on its own.
What threads read, and how many there may be, is decided in `fetch.py`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from itertools import zip_longest
from queue import Queue
from threading import Event, Lock, Thread
from typing import Any, TypeVar

Item = TypeVar("Item")


class _End:
    """What a lane says last: why it ended, if that was an error."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def side_by_side(lanes: Sequence[Iterator[Item]], ahead: int) -> Generator[Item, None, None]:
    """What all `lanes` give, in the order in which it comes, at most `ahead` items before use.

    The first error of a lane is raised; then, and where the generator is closed early, the others
    end with the item that they are at. No thread outlives it.
    """
    queue: Queue[Item | _End] = Queue(ahead)
    stopped = Event()

    def read(lane: Iterator[Item]) -> None:
        end = _End()
        try:
            for item in lane:
                if stopped.is_set():
                    break
                queue.put(item)
        except BaseException as error:  # raised again in the calling thread
            end = _End(error)
        queue.put(end)

    threads = [Thread(target=read, args=(lane,), daemon=True) for lane in lanes]
    running = len(threads)
    for thread in threads:
        thread.start()
    try:
        while running:
            item = queue.get()
            if not isinstance(item, _End):
                yield item
                continue
            running -= 1
            if item.error is not None:
                raise item.error
    finally:
        stopped.set()
        while running:
            running -= isinstance(queue.get(), _End)
        for thread in threads:
            thread.join()


class _Shared(Iterator[Item]):
    def __init__(self, items: Sequence[Item]) -> None:
        self._items, self._lock = iter(items), Lock()

    def __next__(self) -> Item:
        with self._lock:
            return next(self._items)


def shared(items: Sequence[Item]) -> Iterator[Item]:
    """`items` for several threads, each item for one of them."""
    return _Shared(items)


_KEYS = {
    # type: (first, maximum, base, step)
    "page_number": ("page", "maximum_page", "base_page", None),
    "offset": ("offset", "maximum_offset", None, "limit"),
}


class PageRanges:
    """What `paginator` (dlt's configuration of one) counts: pages, or rows with an offset."""

    def __init__(self, paginator: Mapping[str, Any]) -> None:
        self._paginator = paginator
        self._first_key, self._maximum_key, base, step = _KEYS[paginator["type"]]
        self._base = (paginator.get(base) or 0) if base else 0
        self._step = paginator[step] if step else 1
        first = paginator.get(self._first_key)
        self._first = self._base if first is None else first

    @classmethod
    def of(cls, paginator: Any) -> PageRanges | None:
        """The ranges of a paginator that learns of the total, and goes on to the end; else None."""
        if not isinstance(paginator, dict) or paginator.get("type") not in _KEYS:
            return None
        _, maximum, _, _ = _KEYS[paginator["type"]]
        known = paginator.get("total_path") and paginator.get(maximum) is None
        return cls(paginator) if known else None

    @property
    def first_page(self) -> dict[str, Any]:
        """A paginator that ends after the first page."""
        return {**self._paginator, self._maximum_key: self._first + 1}

    def others(self, total: int | None, following: int, lanes: int) -> list[dict[str, Any]]:
        """At most `lanes` paginators for what follows the first page, which begins at `following`.

        `total` is what the first page states. The last paginator has no end but the total, which
        it reads from each page; without one it is the only one.
        """
        starts = self._starts(total, following) or [following]
        lanes = min(lanes, len(starts))
        cuts = [starts[lane * len(starts) // lanes] for lane in range(lanes)]
        return [
            {**self._paginator, self._first_key: start, self._maximum_key: end}
            for start, end in zip_longest(cuts, cuts[1:])
        ]

    def count(self, total: int | None, following: int) -> int:
        """How many pages there are, the first one included."""
        return 1 + len(self._starts(total, following))

    def _starts(self, total: int | None, following: int) -> Sequence[int]:
        # an API may give fewer rows in a page than requested, and does so in each
        step = 1 if self._step == 1 else max(1, following - self._first)
        return range(following, (total or 0) + self._base, step)
