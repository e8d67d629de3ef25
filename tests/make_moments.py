"""Libraries of films whose artifacts say something: what a catalog is made from."""

import json
import random
from pathlib import Path

from reelmake.library import scene_descriptions, voice_prints
from reelmake.library.stages import STAGES, artifact_paths

SPOKEN = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in ("a", "e", "io", "ou") for c in
          ("", "n", "ral", "sen", "tick", "der", "mo", "ving", "lasi", "ter")]  # fmt: skip
"""Words of an invented language: as many as a person uses, and as long."""


def make_film(
    results: Path,
    segments: int = 3,
    scenes: int = 2,
    words: int = 5,
    seed: int = 0,
    **given: object,
) -> None:
    """A finished film in the folder `results`: JSON artifacts, descriptions, records, manifest.

    words: of each segment of speech. given: `texts` (what is said, a segment each), `seen` (a scene
    each), `written` (a line in the picture of the n-th scene each), `translated` (language -> a
    text a segment, or None), `source` (its path), `state` of its last stage, `names` of its two
    speakers by label (S1 says every other segment), `prints` of their voices.
    """
    dice = random.Random(seed)
    texts, seen = list(given.get("texts", ())), list(given.get("seen", ()))
    for inner in ("fingerprints", "jobs", "keyframes"):
        (results / inner).mkdir(parents=True, exist_ok=True)
    texts += [_sentence(dice, words) for _ in range(segments - len(texts))]
    seen += [_sentence(dice, 8) for _ in range(scenes - len(seen))]
    spoken = [_segment(dice, number, text) for number, text in enumerate(texts)]
    length = 6.0 * max(len(texts), len(seen), 1)
    parts = [
        {"id": n, "start": n * 6.0, "end": n * 6.0 + 6.0, "start_frame": n * 150,
         "end_frame": n * 150 + 150}
        for n in range(len(seen))
    ]  # fmt: skip
    frames = [
        {"scene_id": n, "frame": n * 150 + 30, "timestamp": n * 6.0 + 1.2,
         "file": f"scene{n:04}_0.jpg", "sharpness": 210.5, "width": 640, "height": 360, "faces": 1}
        for n in range(len(seen))
    ]  # fmt: skip
    candidates = [
        {"id": n, "start": n * 12.0, "end": n * 12.0 + 12.0, "text": text, "speakers": [],
         "scenes": [n]}
        for n, text in enumerate(texts[::2])
    ]  # fmt: skip
    scores = [{"id": n, "score": n % 11, "reason": "It is loud."} for n in range(len(candidates))]
    chosen = [
        {name: each[name] for name in ("id", "start", "end", "text")} | scores[each["id"]]
        for each in candidates[:5]
    ]
    _write(results / "media.json", _media(length))
    _write(results / "transcript.json", {"language": "en", "segments": spoken})
    translated = [
        {"language": code, "made_from": "0" * 64, "already": 0, "failed": [], "lines": lines}
        for code, lines in dict(given.get("translated", {})).items()
    ]
    if translated:
        whole = {"model": "m", "failed": 0, "languages": translated}
        _write(results / "translations.json", whole)
    _write(results / "scenes.json", {"fps": 25.0, "frames": 1, "scenes": parts})
    _write(results / "keyframes.json", {"keyframes": frames, "skipped_scenes": 0})
    lines = [
        {"id": n, "start": n * 6.0 + 1.2, "end": n * 6.0 + 2.2, "text": text, "frames": 2,
         "kind": "other", "confidence": 0.99,
         "box": {"left": 0.1, "top": 0.8, "width": 0.5, "height": 0.1}}
        for n, text in enumerate(list(given.get("written", ["ABC"])))
    ]  # fmt: skip
    _write(
        results / "onscreen.json",
        {
            "frames": len(frames),
            "frames_with_text": len(lines),
            "skipped_frames": 0,
            "lines": lines,
        },
    )
    _write(results / "segments.json", {"duration": length, "segments": candidates})
    _write(results / "scores.json", {"model": "m", "failed": 0, "scores": scores})
    _write(results / "highlights.json", {"candidates": len(chosen), "highlights": chosen})
    clips = [
        each | {"file": f"clip{n}.mp4", "subtitles": None, "duration": 12.0, "width": 640,
                "height": 360, "words": [], "keyframes": []}
        for n, each in enumerate(chosen)
    ]  # fmt: skip
    _write(results / "clips.json", {"clips": clips})
    prints = given.get("prints", ([1.0, 0.0], [0.0, 1.0]))
    _write(results / "speakers.json", _speakers(spoken, prints))
    beats = [
        {"beat": name, "id": n, "start": n * 12.0, "end": n * 12.0 + 12.0, "score": 5,
         "title": "A beat", "why": "It begins here."}
        for n, name in enumerate(("setup", "rising", "climax", "resolution")[: len(candidates)])
    ]  # fmt: skip
    _write(results / "narrative.json", {"model": "m", "failed": 0, "beats": beats})
    (results / "chapters.ffmetadata").write_text(
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=6000\ntitle=One\\; two\n"
    )
    described = [
        {"record": frame, "description": {"visual_content": text, "mood": "calm",
         "action": "nothing", "setting": "outside"}}
        for frame, text in zip(frames, seen, strict=True)
    ]  # fmt: skip
    metadata = {"source_file": "a", "mtime": 0, "size": 1, "key": "0" * 64, "model": "a"}
    metadata |= {"mmproj": "b", "prompt": "c", "frames": len(frames), "failed": 0}
    scene_descriptions.write(results / f"{results.name}.scenedesc.msgpack", metadata, described)
    source = {"path": str(given.get("source", f"/films/{results.name}.mp4")), "size": 1000}
    _record(results, source | {"mtime_ns": 1_700_000_000 * 10**9}, str(given.get("state", "done")))
    path = results / "fingerprints" / "subtitles.json"
    names = given.get("names", {"S1": "Anna"})
    _write(path, json.loads(path.read_bytes()) | {"settings": {"speakers.names": names}})


def _record(results: Path, source: dict, last: str) -> None:
    """The fingerprints, job records and manifest; last: the state of the last stage."""
    listed = {}
    for stage in STAGES.values():
        if stage.urls:
            continue
        wanted = {"stage": stage.name, "version": stage.version, "source": source, "key": "0" * 64}
        _write(results / "fingerprints" / f"{stage.name}.json", wanted)
        record = {
            "state": "done", "key": "0" * 64, "host": "host", "pid": 1, "attempt": 1,
            "started": 1_700_000_000.0, "ended": 1_700_000_009.5, "updated": 1_700_000_009.5,
            "engines": dict.fromkeys(stage.packages, "1.0"), "cache": "miss",
            "made": {"bytes": 2000},
        }  # fmt: skip
        if stage.name == "manifest" and last != "done":
            record |= {"state": last, "class": "engine", "error": "it broke", "log": "a.log"}
        _write(results / "jobs" / f"{stage.name}.json", record)
        paths = [{"path": path} for path in artifact_paths(stage, results.name)]
        listed[stage.name] = {
            "key": "0" * 64, "version": stage.version, "settings": {}, "engines": {},
            "artifacts": paths,
        }  # fmt: skip
    if last == "done":
        _write(results / "manifest.json", {"video": results.name, "stages": listed})


def _segment(dice: random.Random, number: int, text: str) -> dict:
    spoken = [
        {"word": f" {word}", "start": round(number * 6 + n * 0.3, 2),
         "end": round(number * 6 + n * 0.3 + 0.25, 2), "probability": round(dice.random(), 3)}
        for n, word in enumerate(text.split())
    ]  # fmt: skip
    return {"id": number, "start": number * 6.0, "end": number * 6.0 + 5.5, "text": text,
            "avg_logprob": -0.3, "no_speech_prob": 0.02, "compression_ratio": 1.3,
            "words": spoken}  # fmt: skip


def _speakers(spoken: list[dict], prints: tuple[list[float], list[float]]) -> dict:
    turns = [
        {"start": each["start"], "end": each["end"], "speaker": f"S{1 + each['id'] % 2}"}
        for each in spoken
    ]
    speakers = [
        {"label": f"S{n + 1}", "seconds": 5.5 * len(turns[n::2]), "turns": len(turns[n::2]),
         "print": voice_prints.encode(prints[n])}
        for n in range(2)
        if turns[n::2]
    ]  # fmt: skip
    return {"failure": None, "engine": {"name": "sherpa-onnx", "version": "2"}, "turns": turns,
            "models": {"segmentation": "a", "embedding": "b"}, "speakers": speakers}  # fmt: skip


def _sentence(dice: random.Random, words: int) -> str:
    # Few words are most of what is said, as in any language (Zipf).
    ranks = [min(int(10 * dice.paretovariate(0.9)) - 9, 10**6) for _ in range(words)]
    return " ".join(_word(rank) for rank in ranks)


def _word(rank: int) -> str:
    number, name = rank - 1, ""
    while True:
        name = SPOKEN[number % len(SPOKEN)] + name
        number //= len(SPOKEN)
        if not number:
            return name


def _media(length: float) -> dict:
    stream = {
        "index": 0, "type": "video", "codec": "h264", "language": None, "title": None,
        "default": True, "width": 640, "height": 360, "rotation": 0, "fps_average": 25.0,
    }  # fmt: skip
    sound = {"index": 1, "type": "audio", "codec": "aac", "language": "eng", "default": True,
             "channels": 2, "sample_rate": 48000}  # fmt: skip
    return {"content": "0" * 64, "container": "mov", "duration": length, "video": 0, "audio": 1,
            "streams": [stream, sound]}  # fmt: skip


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value))  # without `indent`, which takes ten times as long
