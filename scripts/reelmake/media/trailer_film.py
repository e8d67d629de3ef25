"""The trailer as a film: one run of ffmpeg reads each shot where it lies and fades them together.

Each shot is an input of its own that seeks, so the cost is that of the shots, however long the
film is. Their sound is decoded before, in a run of its own, as `soundtrack` explains.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from reelmake.editing import streams
from reelmake.editing.picture_geometry import shown_size
from reelmake.editing.trailer_plan import Plan
from reelmake.foundation.errors import StageError
from reelmake.media import clip_audio, decoding, encoding, ffmpeg, film_frames, probing, shown
from reelmake.media.clip_audio import RATE
from reelmake.media.pyav import Color

# The filter xfade knows no picture format with less of the colors than of brightness.
JOINED = "yuv444p"
# The end fades to black, and the sound in and out, in so many seconds at least.
EDGE = 0.5


def assemble(
    source: Path,
    found: Mapping[str, Any],
    plan: Plan,
    settings: Mapping[str, Any],
    target: Path,
    binary: str,
    threads: int,
    progress: Callable[[float], None],
) -> None:
    """Write the shots of `plan` to `target`, an MP4 of H.264 or H.265 and AAC.

    found: media.json. settings: of the config section `trailer`: height, codec, crf, preset.
    Where the film has no pictures or no sound the trailer has none; where only a shot has
    none, there is silence. progress: is told how many seconds of the trailer are done.
    Raises StageError: `input` where the shots can't be decoded, `engine` where the trailer is not
    what was planned.
    """
    with tempfile.TemporaryDirectory(prefix="reelmake-") as name:
        sounds = [Path(name) / f"{number}.nut" for number in range(len(plan.shots))]
        if found["audio"] is not None:
            pieces = [
                (plan.film.time(shot.start), (shot.end - shot.start) / plan.film.rate)
                for shot in plan.shots
            ]
            clip_audio.decode(source, found, pieces, 2, sounds, binary)
        arguments = command(source, found, plan, settings, threads, sounds, target)
        encoding.run(binary, arguments, source, "trailer.codec", progress=progress)
    _check(source, found, plan, target)


def command(
    source: Path,
    found: Mapping[str, Any],
    plan: Plan,
    settings: Mapping[str, Any],
    threads: int,
    sounds: Sequence[Path],
    target: Path,
) -> list[str]:
    """The arguments of the ffmpeg that joins the shots.

    sounds: files of the sound of each shot, as by `soundtrack.decode`.
    """
    inputs: list[str] = []
    graph: list[str] = []
    output: list[str] = []
    reading = ffmpeg.reading(source, found)
    if found["video"] is not None:
        size = shown_size(streams.video(found), settings["height"])
        starts = [float(plan.film.time(shot.start)) for shot in plan.shots]
        with film_frames.of(source, found, threads=1) as frames:
            color = frames.color
            places = [frames.times(start, start + film_frames.EPSILON)[0] for start in starts]
        for number, place in enumerate(places):
            # Frames from the keyframe on: the one on screen at the start may be long there.
            inputs += ["-noaccurate_seek", "-threads", str(min(4, threads))]
            # A broadcast may change its size on the way, which must not reset the fades.
            inputs += ["-reinit_filter:v", "0", "-noautorotate"]
            inputs += [*clip_audio.seek(found, place), *reading]
            graph.append(_pictures(found, plan, number, size, color))
        graph += _faded_pictures(plan)
        output += ["-map", "[video]", *encoding.pictures(settings, threads)]
    if found["audio"] is not None:
        first = len(graph) and len(plan.shots)  # the pictures' inputs come before
        for number, path in enumerate(sounds):
            inputs += clip_audio.reading(path, 2)
            graph.append(_sound(plan, number, first + number))
        graph += _faded_sound(plan)
        output += ["-map", "[audio]", *encoding.SOUND]
    return [
        *inputs,
        *("-filter_complex_threads", str(threads), "-filter_complex", ";".join(graph)),
        *output,
        *decoding.KEEP_TIMES,
        *(*encoding.FILE, "-f", "mp4", ffmpeg.address(target)),
    ]


def _pictures(
    found: Mapping[str, Any], plan: Plan, number: int, size: tuple[int, int], color: Color
) -> str:
    """The filters of one shot: exactly its frames, evenly spaced, upright, of one size."""
    shot = plan.shots[number]
    zero = round((Fraction(found["start_time"]) + plan.film.time(shot.start)) * 1_000_000)
    rate = _text(plan.film.rate)
    seen = ",".join(shown.filters(streams.video(found), color))
    return (
        # Whole numbers of microseconds: setpts counts with floats, and cuts off what is behind.
        f"[{number}:{found['video']}]settb=1/1000000,setpts=PTS-({zero}),"
        # The frame on screen at each moment; the last one on where the film ends early.
        f"fps={rate}:start_time=0:round=near,tpad=stop=-1:stop_mode=clone,"
        f"trim=end_frame={shot.end - shot.start},{seen},"
        f"scale={size[0]}:{size[1]}:out_range=tv,setsar=1,format={JOINED}[v{number}]"
    )


def _faded_pictures(plan: Plan) -> list[str]:
    places, fade, last = plan.places(), plan.fade, len(plan.shots) - 1
    graph = []
    joined = "v0"
    if not fade and last:
        names = "".join(f"[v{number}]" for number in range(last + 1))
        graph.append(f"{names}concat=n={last + 1}:v=1:a=0,fps={_text(plan.film.rate)}[vall]")
        joined = "vall"
    for number in range(1, last + 1) if fade else ():
        duration, offset = (
            _seconds(fade / plan.film.rate),
            _seconds(places[number] / plan.film.rate),
        )
        graph.append(f"[{joined}][v{number}]xfade=duration={duration}:offset={offset}[x{number}]")
        joined = f"x{number}"
    edge = min(_edge(plan), plan.length - 1)
    black = f"fade=out:start_frame={plan.length - edge - 1}:nb_frames={edge}" if edge else "null"
    # xfade would hand on 4:4:4, which few players show.
    return [*graph, f"[{joined}]{black},format=yuv420p[video]"]


def _sound(plan: Plan, number: int, number_in: int) -> str:
    """The filters of the sound of one shot: exactly as many samples as its frames last."""
    begin, end = _samples(plan)[number]
    return f"{clip_audio.placed(number_in, end - begin)}[a{number}]"


def _faded_sound(plan: Plan) -> list[str]:
    samples = _samples(plan)
    graph = []
    joined = "a0"
    for number in range(1, len(samples)):
        overlap = samples[number - 1][1] - samples[number][0]
        # Curves of equal power: with straight ones the middle would be half as loud.
        fading = f"acrossfade=ns={overlap}:c1=qsin:c2=qsin" if overlap else "concat=n=2:v=0:a=1"
        graph.append(f"[{joined}][a{number}]{fading}[y{number}]")
        joined = f"y{number}"
    length = samples[-1][1]
    edge = min(round(_edge(plan) * RATE / plan.film.rate), length)
    fades = f"afade=in:ns={edge},afade=out:ss={length - edge}:ns={edge}" if edge else "anull"
    return [*graph, f"[{joined}]{fades}[audio]"]


def _samples(plan: Plan) -> list[tuple[int, int]]:
    """Where in the trailer the sound of each shot begins and ends. Rounded there, not shot by
    shot: errors would add up."""
    return [
        (
            round(place * RATE / plan.film.rate),
            round((place + shot.end - shot.start) * RATE / plan.film.rate),
        )
        for place, shot in zip(plan.places(), plan.shots, strict=True)
    ]


def _edge(plan: Plan) -> int:
    """Frames of the fades at the very beginning and end: a quarter of the trailer at most."""
    return min(max(plan.fade, round(EDGE * plan.film.rate)), plan.length // 4)


def _text(rate: Fraction) -> str:
    return f"{rate.numerator}/{rate.denominator}"


def _seconds(time: Fraction) -> str:
    return f"{float(time):.6f}"


def _check(source: Path, found: Mapping[str, Any], plan: Plan, target: Path) -> None:
    """Raise StageError where the trailer is not what was planned."""
    made = probing.probe(target)
    wanted = float(plan.length / plan.film.rate)
    near = 2 / float(plan.film.rate)
    for kind in ("video", "audio"):
        if (made[kind] is None) != (found[kind] is None):
            raise StageError(f"{source}: ffmpeg wrote a trailer without {kind}.", kind="engine")
        if made[kind] is None:
            continue
        length = streams.stream(made, made[kind])["duration"] or 0.0
        if abs(length - wanted) > near + 0.05:
            raise StageError(
                f"{source}: the {kind} of its trailer has {length:.2f} s instead of {wanted:.2f}: "
                "a shot can't be decoded, get an intact file."
            )
    if made["video"] is not None:
        with film_frames.Frames(target, made["video"], made["start_time"]) as frames:
            if next(frames.between(wanted - near, wanted), None) is None:
                raise StageError(f"{source}: its trailer can't be decoded.", kind="engine")
