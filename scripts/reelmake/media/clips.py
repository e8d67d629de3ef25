"""A film of each highlight: cut, checked, and described."""

import contextlib
import math
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from reelmake.editing import captions, picture_geometry, streams
from reelmake.editing.cues import Cue, Rules
from reelmake.editing.picture_geometry import Shape
from reelmake.editing.streams import Media
from reelmake.foundation.errors import StageError
from reelmake.media import (
    burned_subtitles,
    clip_audio,
    decoding,
    encoding,
    ffmpeg,
    film_frames,
    loudness,
    probing,
    subtitles,
    trimming,
)
from reelmake.media.pyav import Color
from reelmake.media.trimming import Cut

Settings = dict[str, Any]

FURTHER = (0.0, 10.0, 60.0)
"""Seconds from which further back a piece is decoded, in turn, if its first pictures are
missing: where a seek lands is not the same in every version of ffmpeg."""

LATE = 0.1
"""Seconds by which a clip's first and last frame may be off: in AVI, whose frames have no times
of their own, they are by two or three frames."""


def cut_all(
    source: Path,
    media: Media,
    highlights: list[dict[str, Any]],
    transcript: dict[str, Any],
    keyframes: list[dict[str, Any]],
    settings: Settings,
    folder: Path,
    binary: str,
    threads: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Write `clip001.mp4` and so on, and their subtitles, to `folder`; what clips.json says.

    settings: the config sections `clips` and `subtitles`. A clip of sound only is an .m4a.
    Raises StageError: `input` where a piece can't be decoded as a whole.
    """
    records: list[dict[str, Any]] = []
    if settings["subtitles"] == "burned" and highlights:
        burned_subtitles.check(subtitles.render_burned([Cue(0.0, 1.0, ("Aa",))], 320, 180), binary)
    rules = Rules.of(settings, streams.frame_rate(media))
    if settings["subtitles"] == "burned" and media["video"] is not None:
        shape = _shape(media, settings)
        rules = subtitles.fitting(rules, shape.width, shape.height)
    with contextlib.ExitStack() as stack:
        frames = color = None
        if media["video"] is not None:
            # Read, not decoded: no thread has anything to do.
            frames = stack.enter_context(film_frames.of(source, media, threads=1))
            color = frames.color
        for number, highlight in enumerate(highlights, start=1):
            cut = trimming.plan(frames, media, highlight["start"], highlight["end"])
            name = f"clip{number:03}"
            path = folder / f"{name}{'.m4a' if cut.first is None else '.mp4'}"
            said = captions.captions(transcript, cut.start, cut.end, rules)
            found = _cut(source, media, cut, color, said, settings, path, binary, threads)
            beside = None
            if settings["subtitles"] == "sidecar" and said:
                beside = f"{name}.srt"
                (folder / beside).write_text(subtitles.render(said, "srt"), encoding="utf-8")
            records.append(
                {
                    "file": path.name,
                    "subtitles": beside,
                    **{key: highlight[key] for key in ("id", "score", "reason", "text")},
                    "start": round(cut.start, 6),
                    "end": round(cut.end, 6),
                    "words": captions.words_within(transcript, cut.start, cut.end),
                    "keyframes": [
                        keyframe["file"]
                        for keyframe in keyframes
                        # Rounded to microseconds, as they are.
                        if cut.start - film_frames.EPSILON
                        <= keyframe["timestamp"]
                        < cut.end - film_frames.EPSILON
                    ],
                    **found,
                }
            )
            progress(number, len(highlights))
    return {"clips": records}


def _cut(
    source: Path,
    media: Media,
    cut: Cut,
    color: Color | None,
    said: list[Cue],
    settings: Settings,
    target: Path,
    binary: str,
    threads: int,
) -> dict[str, Any]:
    """Write one clip; its duration (s), width and height (None without pictures)."""
    where = f"{source}, {cut.start:.2f} to {cut.end:.2f} s"
    if cut.first is None and media["audio"] is None:
        raise StageError(f"{where}: there is neither picture nor sound; get an intact file.")
    graph: list[str] = []
    reading: list[str] = []
    output: list[str] = []
    folder = None
    with contextlib.ExitStack() as stack:
        if cut.first is not None and color is not None:
            shape = _shape(media, settings)
            keep_hdr = settings["hdr"] == "keep"
            chain = trimming.pictures(media, cut, shape, color, keep_hdr)
            if settings["subtitles"] == "burned" and said:
                text = subtitles.render_burned(said, shape.width, shape.height)
                folder = stack.enter_context(burned_subtitles.prepared(text))
                chain += f",{burned_subtitles.FILTER},{chain.rpartition(',')[2]}"
            graph.append(f"{chain}[v]")
            output += ["-map", "[v]", *encoding.pictures(settings, threads)]
            output += [*trimming.keeping_times(media), *trimming.holding(media, cut)]
        if media["audio"] is not None:
            channels = 1 if streams.stream(media, media["audio"])["channels"] == 1 else 2
            temporary = stack.enter_context(tempfile.TemporaryDirectory(prefix="reelmake-"))
            sound = Path(temporary) / "sound.nut"
            piece = cut.start, cut.duration
            clip_audio.decode(source, media, [piece], channels, [sound], binary)
            reading = clip_audio.reading(sound, channels)
            samples = round(cut.duration * clip_audio.RATE)
            chain = clip_audio.placed(len(graph), samples)
            if settings["loudness"] is not None:
                chain += "," + loudness.filters(
                    where, reading, samples, settings["loudness"], binary
                )
            graph.append(f"{chain}[a]")
            output += ["-map", "[a]", *encoding.SOUND]
        arguments = [*reading, *decoding.KEEP_TIMES, "-filter_complex", ";".join(graph), *output]
        arguments += [*encoding.FILE, ffmpeg.address(target)]
        problem: str | None = None
        for back in FURTHER:
            piece_read = cut.earlier(back)
            pictures: list[str] = []
            if cut.first is not None:
                pictures = trimming.reading(source, media, piece_read, threads)
            encoding.run(binary, [*pictures, *arguments], where, "clips.codec", folder)
            found, problem = _checked(target, cut, where)
            if problem is None:
                return found
            if piece_read.seek == 0:
                break
    raise StageError(f"{where}: {problem}; get an intact file.")


def _shape(media: Media, settings: Settings) -> Shape:
    return picture_geometry.shape(streams.video(media), settings["aspect"], settings["fit"])


def _checked(target: Path, cut: Cut, where: str) -> tuple[dict[str, Any], str | None]:
    """What clips.json says of a file, and what is wrong with it."""
    try:
        facts = probing.probe(target)
    except StageError as error:
        return {}, f"no clip came of it ({error})"
    found = {"duration": facts["duration"], "width": None, "height": None}
    if cut.first is None:
        off = abs((facts["duration"] or 0) - cut.duration)
        return found, None if off < LATE else f"{off:.2f} s of the sound are missing"
    if facts["video"] is None:
        return found, "no picture can be decoded"
    stream = streams.video(facts)
    found |= {"width": stream["width"], "height": stream["height"]}
    # The header's duration is of decoding, which ends early where the last pictures stay long.
    with film_frames.Frames(target, facts["video"], 0.0, threads=1) as frames:
        _, ticks = frames.times(0.0, math.inf)
    base = Fraction(stream["time_base"])
    begin, last = (film_frames.film_time(ticks[at], base, 0.0) for at in (0, -1))
    if begin > LATE:
        return found, f"no picture can be decoded in its first {begin:.2f} s"
    if last < cut.last - cut.start - LATE:
        return found, f"pictures can be decoded for {last:.2f} s only"
    return found, None
