"""Sidecars' and artifacts' times, by which Snakemake tells what is up to date."""

import os

from reelmake.library import sidecar_updates

HOUR = 3600 * 10**9
NOW = 1_000_000 * HOUR


def test_what_lies_in_the_future_comes_before_now_in_its_order(tmp_path):
    results = tmp_path / "V"
    (results / "fingerprints").mkdir(parents=True)
    (results / "keyframes").mkdir()
    hours = {
        "fingerprints/media.json": -2,
        "media.json": -1,
        "fingerprints/scenes.json": 1,
        "fingerprints/keyframes.json": 1,
        "scenes.json": 5,
        "keyframes.json": 24,
        "keyframes/.snakemake_timestamp": 25,
    }
    for name, hour in hours.items():
        (results / name).touch()
        os.utime(results / name, ns=(NOW + hour * HOUR,) * 2)
    os.utime(results / "keyframes", ns=(NOW - HOUR,) * 2)
    assert sidecar_updates.leave_future(results, NOW)
    after = {name: os.stat(results / name).st_mtime_ns for name in hours}
    assert max(after.values()) < NOW
    assert [after[name] for name, hour in hours.items() if hour < 0] == [NOW - 2 * HOUR, NOW - HOUR]
    ranks = [sorted(set(times)) for times in (hours.values(), after.values())]
    assert [ranks[0].index(hours[name]) for name in hours] == [
        ranks[1].index(after[name]) for name in hours
    ]
    assert not sidecar_updates.leave_future(results, NOW)
