"""Repeatable chance: a generator of random numbers per thing, not one for everything.

One generator per day (or person, or week) keeps the past as it was when a day is added.
"""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

_T = TypeVar("_T")


class Dice:
    """Random numbers that depend on the seed and the labels only.

    Every draw costs one call of the fastest generator there is: the data takes 100,000 draws.
    """

    def __init__(self, seed: int, *labels: object) -> None:
        self._source = Random("/".join(str(label) for label in (seed, *labels)))
        self._draw = self._source.random

    def below(self, end: int) -> int:
        """A number of [0, end)."""
        return int(self._draw() * end)

    def between(self, least: int, most: int) -> int:
        """A number from `least` to `most`, both included."""
        return least + int(self._draw() * (most - least + 1))

    def chance(self, probability: float) -> bool:
        """True that often, from 0 to 1."""
        return self._draw() < probability

    def pick(self, choices: Sequence[_T]) -> _T:
        """One of the choices."""
        return choices[int(self._draw() * len(choices))]

    def some(self, choices: Sequence[_T], count: int) -> list[_T]:
        """That many different choices, in their own order."""
        positions = sorted(self._source.sample(range(len(choices)), count))
        return [choices[position] for position in positions]
