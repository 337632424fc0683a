"""What would be possible at best, computed from what really ran. Pure functions of journal entries."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from bench.farm.journal import Entry

PAINTING = ("txt2img", "img2img")


def paintings(entries: Iterable[Entry]) -> list[Entry]:
    """Keep the calls that painted to their end."""
    return [entry for entry in entries if entry.kind in PAINTING and entry.outcome == "done"]


def double_bookings(entries: Iterable[Entry]) -> int:
    """Count the heavy calls that came to an instance which had one already."""
    return sum(entry.others > 0 for entry in entries)


def uniform_share(entries: Iterable[Entry], instances: int, makespan_s: float) -> float:
    """Say which share of the makespan the instances would have needed if none had ever been idle."""
    return sum(entry.work_s for entry in paintings(entries)) / instances / makespan_s


def lower_bound_s(entries: Iterable[Entry], loaded_at_start: Mapping[str, str], load_s: float) -> float:
    """Find the shortest makespan in which these pictures could have been painted, whoever schedules them.

    Within C seconds an instance gives at most C seconds of work, so a checkpoint with W seconds of work needs at least
    W / C instances, rounded up; each of them that does not have it at the start must load it. All work and these loads
    must fit into C seconds of all instances. `loaded_at_start` tells the checkpoint of each instance.
    """
    work = _work_by_checkpoint(entries)
    have = Counter(loaded_at_start.values())
    instances = len(loaded_at_start)

    def fits(makespan_s: float) -> bool:
        loads = sum(max(0, math.ceil(need / makespan_s) - have[name]) for name, need in work.items())
        return sum(work.values()) + loads * load_s <= instances * makespan_s

    low, high = sum(work.values()) / instances, sum(work.values()) + len(work) * load_s
    if not work:
        return 0.0
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def _work_by_checkpoint(entries: Iterable[Entry]) -> dict[str, float]:
    work: defaultdict[str, float] = defaultdict(float)
    for entry in paintings(entries):
        work[entry.checkpoint] += entry.work_s
    return work


def longest_chain_s(chain: Sequence[Sequence[str]], seconds: Mapping[str, float]) -> float:
    """Add up the steps that must follow each other; of steps that may run side by side the longest counts.

    `chain` names kinds of steps, one group after the other; `seconds` is how long a step of each kind took.
    """
    return sum(max(seconds[kind] for kind in group) for group in chain)


def makespan_s(entries: Iterable[Entry], since: float) -> float:
    """Measure from a moment to the end of the last picture, by the instances' own clocks."""
    return max(entry.end for entry in paintings(entries)) - since


def waits_s(entries: Iterable[Entry], submitted: Mapping[int, float]) -> dict[int, float]:
    """Tell for each job, by its number (the picture's seed), how long it waited until its instance took it on."""
    began = {entry.seed: entry.load_start or entry.start for entry in paintings(entries)}
    return {number: began[number] - at for number, at in submitted.items() if number in began}


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
