"""Films that look the same, among 10,000 with 60 keyframes each: seconds and memory.

    python benchmarks/similar.py [FILMS]

The hashes are synthetic: bits as biased as those of real pictures are, 200 films that are there
once more with some bits flipped in each picture, and an opening logo in a third of all films.
Beside it, what comparing each keyframe with each would take, from a small part of that.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from measure import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from reelmake.catalog import picture_hashes, similar
from reelmake.catalog.picture_hashes import Hashes

FILMS, FRAMES, COPIES, FLIPPED = 10_000, 60, 200, 4


def made(films: int) -> dict[str, Hashes]:
    """The hashes of each film."""
    dice = np.random.default_rng(1)
    bias = dice.normal(0, 0.4, 64)
    found = {}

    def film(name: str, bits: np.ndarray) -> None:
        hashes = np.packbits(bits, axis=1).view(">u8").ravel().astype(np.uint64)
        places = np.arange(len(hashes))
        found[name] = Hashes(places.astype(np.int32), places * 10.0, hashes)

    logo = dice.normal(bias, 1, 64) > 0
    for number in range(films - COPIES):
        bits = dice.normal(bias, 1, (FRAMES, 64)) > 0
        if number % 3 == 0:
            bits[0] = logo
        film(f"film{number:05}", bits)
        if number < COPIES:
            film(f"copy{number:05}", bits ^ (dice.random(bits.shape) < FLIPPED / 64))
    return found


def main(films: int) -> None:
    """Print the table."""
    hashes = made(films)
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, picture_hashes.NAME)
        kept = {video: ((1, 1), each) for video, each in hashes.items()}
        began = time.perf_counter()
        picture_hashes._write(path, kept)
        rows[f"hashes written ({path.stat().st_size / 1e6:.0f} MB)"] = time.perf_counter() - began
        began = time.perf_counter()
        assert len(picture_hashes._read(path)) == films
        rows["hashes read"] = time.perf_counter() - began
    joined = np.concatenate([each.hashes for each in hashes.values()])
    began = time.perf_counter()
    np.flatnonzero(picture_hashes.differing(joined, joined[0]) <= similar.SAME)
    rows["pictures like one"] = once = time.perf_counter() - began
    rows["each with each, one after the other (from one)"] = once * len(joined) / 2
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    pairs = similar.pairs(hashes)
    rows["films that look the same"] = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    right = {frozenset((f"film{n:05}", f"copy{n:05}")) for n in range(COPIES)}
    found = {frozenset((pair.film, pair.other)) for pair in pairs}
    began = time.perf_counter()
    similar.same_scenes(hashes, 50)
    rows["scenes that look the same"] = time.perf_counter() - began
    print(f"\n**{len(joined):,} keyframes of {films:,} films**\n\n| | seconds |\n|---|---|")
    for name, seconds in rows.items():
        print(f"| {name} | {seconds:.2f} |")
    print(
        f"\n{len(right & found)} of {COPIES} copies found, {len(found - right)} wrong pairs; peak"
    )
    print(f"memory {peak / 1024:.0f} MB, before {before / 1024:.0f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else FILMS)
