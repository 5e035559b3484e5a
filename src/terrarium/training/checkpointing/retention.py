"""Which checkpoints to keep: a policy looks at the saved epochs and names those that must stay."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol


class KeepPolicy(Protocol):
    """A choice among saved epochs; `best_of` maps every saved epoch to the epoch that was best at that time."""

    def keep(self, best_of: Mapping[int, int]) -> set[int]:
        """Return the epochs that must stay."""
        ...


@dataclass(frozen=True)
class Last:
    """Keep the newest `count` epochs."""

    count: int

    def keep(self, best_of: Mapping[int, int]) -> set[int]:
        """Return the epochs that must stay."""
        return set(sorted(best_of)[-self.count :])


@dataclass(frozen=True)
class EveryKth:
    """Keep every epoch that `step` divides; step 0 keeps none."""

    step: int

    def keep(self, best_of: Mapping[int, int]) -> set[int]:
        """Return the epochs that must stay."""
        return {epoch for epoch in best_of if self.step > 0 and epoch % self.step == 0}


@dataclass(frozen=True)
class Best:
    """Keep what was the best epoch as seen from each of the newest `count`, so that each of them can be resumed."""

    count: int

    def keep(self, best_of: Mapping[int, int]) -> set[int]:
        """Return the epochs that must stay."""
        return {best_of[epoch] for epoch in Last(self.count).keep(best_of)}


def dispensable(policies: Iterable[KeepPolicy], best_of: Mapping[int, int]) -> set[int]:
    """Return the saved epochs that no policy keeps."""
    return set(best_of).difference(*(policy.keep(best_of) for policy in policies))
