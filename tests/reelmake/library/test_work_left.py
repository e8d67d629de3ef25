"""How many jobs a run over very many videos has, and why, without a graph of them."""

from collections import Counter

from reelmake.library import config, fingerprints, sidecar_updates
from reelmake.library.stages import STAGES
from reelmake.library.work_left import AFTER, FORCED, MISSING, WorkLeft

IDENTITY = {"path": "/films/V.mp4", "size": 1, "mtime_ns": 1}
WANTED = fingerprints.compute(fingerprints.settings(config.load({"stages": ["scenes"]})), IDENTITY)


def test_a_new_video_needs_every_stage(tmp_path):
    left = WorkLeft((), None)
    for number in range(3):
        left.add(tmp_path / f"film{number}", WANTED)
    assert left.why == {stage: Counter({MISSING: 3}) for stage in WANTED}


def test_only_what_was_asked_for_counts(tmp_path):
    left = WorkLeft((), {"media", "scenes"})
    left.add(tmp_path / "film", WANTED)
    assert list(left.why) == ["media", "scenes"]


def test_what_is_forced_counts_whatever_is_there(tmp_path):
    results = tmp_path / "V"
    sidecar_updates.refresh(results, WANTED, None)
    left = WorkLeft({"scenes", "keyframes"}, {"scenes", "keyframes"})
    left.add(results, WANTED)
    assert left.why == {"scenes": Counter({FORCED: 1}), "keyframes": Counter({AFTER: 1})}
    everything = WorkLeft(set(STAGES), None)
    everything.add(results, WANTED)
    assert everything.why == {stage: Counter({FORCED: 1}) for stage in WANTED}
