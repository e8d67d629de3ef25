"""How many videos a job of a cluster gets, so that it takes about as long as it should."""

from collections.abc import Mapping
from pathlib import Path

from reelmake.library import library_scan
from reelmake.reel import estimates, status


def films(results: Path, jobs: Mapping[str, int], videos: int, minutes: float) -> int | None:
    """The number of videos, at least 1, that one machine does in so many minutes; None: nobody
    knows, as in a library where no video is finished.

    results: the folder of all videos. jobs: how many of each stage are to do, for `videos` videos.
    What they take is what jobs of the library took before, at the pace of one of its machines.
    """
    known, lengths = status.remembered(library_scan.Scan(results).look())
    length = lengths.guess(None)
    if length is None:
        return None
    each = max(estimates.SHORTEST, length / 60)
    work = [known.work(stage, number * each) for stage, number in jobs.items()]
    seconds = sum(estimate.mean for estimate in work if estimate is not None)
    if not seconds:
        return None
    return max(1, round(minutes * 60 * known.parallelism_of_one() * videos / seconds))
