"""The status as Prometheus reads it."""

import re

from reelmake.server import metrics

STATUS = {
    "videos": {"total": 3, "done": 2, "running": 1, "waiting": 0, "failed": 0, "killed": 0},
    "stages": {"media": {"done": 2, "running": 1}},
    "media_seconds": 1234.5,
    **dict.fromkeys(("bytes", "segments", "frames", "descriptions", "highlights"), 10**12),
    "without_speakers": 2,
    "run": None,
    "cache": {"hits": 1, "misses": 2, "ratio": 0.3333},
    "running": [{}],
    "eta": None,
    "rate": None,
}


def test_each_line_is_of_the_format():
    text = metrics.as_text(STATUS)
    name, value = r"reelmake_[a-z_]+", r"[0-9.e+]+"
    sample = rf'{name}(\{{[a-z_]+="[^"\\]*"(,[a-z_]+="[^"\\]*")*\}})? {value}'
    for line in text.splitlines():
        assert re.fullmatch(rf"# HELP {name} .+|# TYPE {name} gauge|{sample}", line), line
    assert text.endswith("\n")
    assert 'reelmake_stage_films{stage="media",state="running"} 1\n' in text
    assert "reelmake_artifact_bytes 1000000000000\n" in text
    assert "reelmake_media_seconds 1234.5\n" in text


def test_what_is_not_known_is_absent():
    assert "eta" not in metrics.as_text(STATUS)
    known = STATUS | {"eta": {"p50": 60.0, "p90": 90.0}, "rate": {"videos_per_hour": 1.5}}
    text = metrics.as_text(known | {"run": {"pid": 1}})
    assert 'reelmake_eta_seconds{quantile="0.9"} 90\n' in text
    assert "reelmake_films_per_hour 1.5\n" in text
    assert "reelmake_run_active 1\n" in text
