"""Several iterators read at a time, each in a thread of its own.

Only threads belong here; what they read, and how many there may be, is decided in `fetch.py`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from queue import Queue
from threading import Event, Thread
from typing import TypeVar

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
    found: Queue[Item | _End] = Queue(ahead)
    stopped = Event()

    def read(lane: Iterator[Item]) -> None:
        end = _End()
        try:
            for item in lane:
                if stopped.is_set():
                    break
                found.put(item)
        except BaseException as error:  # carried to the thread that asked
            end = _End(error)
        found.put(end)

    threads = [Thread(target=read, args=(lane,), daemon=True) for lane in lanes]
    running = len(threads)
    for thread in threads:
        thread.start()
    try:
        while running:
            item = found.get()
            if not isinstance(item, _End):
                yield item
                continue
            running -= 1
            if item.error is not None:
                raise item.error
    finally:
        stopped.set()
        while running:
            running -= isinstance(found.get(), _End)
        for thread in threads:
            thread.join()
