"""A trailer's cuts for an editor: OTIO and CMX 3600.

The source is referred to, not copied. Its media reference covers the whole film from film time
zero, since importers count from the first frame that it names; so an editor can lengthen any
shot as far as the film goes. That frame has the film's own start timecode, by which editors find
the media again; of a film that has none it is number zero. What a shot is promised in any case,
its cut with the handles at both ends as far as the film has them, is the clip's second media
reference, `handles`: what to keep where the film is trimmed to what is used.

A cut is in the middle of its cross-fade, a SMPTE_Dissolve that takes half of its frames from
beyond either clip. Titles are a model's answers, and names are anyone's: in OTIO they are one
line of text without control characters; in the edit list, whose lines are commands, they are
letters, digits and spaces of ASCII.
"""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from otio_cmx3600_adapter import cmx_3600

from reelmake.editing.timecode import Timecode
from reelmake.editing.trailer_plan import Plan, Shot
from reelmake.foundation.text import printable
from reelmake.media import edl, otio
from reelmake.media.edl import edl_rate

HANDLES = "handles"


def timeline(
    name: str,
    source: Path,
    found: Mapping[str, Any],
    plan: Plan,
    handles: float,
    start: Timecode | None = None,
) -> otio.Timeline:
    """A track of pictures and one of sound, as far as the film has them.

    name: of the video. source: the film's file. found: media.json. handles: seconds. start: the
    film's start timecode, where it has one.
    """
    made = otio.Timeline(name=printable(name))
    for kind in _kinds(found):
        made.tracks.append(_track(kind, source, plan, handles, start))
    return made


def to_otio(timeline: otio.Timeline) -> bytes:
    """The file's content."""
    return otio.content(timeline)


def to_edl(
    name: str,
    source: Path,
    found: Mapping[str, Any],
    plan: Plan,
    start: Timecode | None = None,
) -> bytes:
    """The edit list of the pictures; of the sound where there are none.

    At the plan's frame rate where edit lists know it, at half of it (50, 59.94, 60), or else at
    the nearest that they know: there each cut is exact to a frame. Timecodes start at zero in the
    trailer, and in the film at its start timecode, or zero where it has none. 29.97 is drop-frame
    unless the start timecode is not.
    """
    plan = plan.at(edl_rate(plan.film.rate))
    drop = plan.film.rate == edl.DROP_RATE and (start is None or start.drop)
    if plan.film.rate == edl.DROP_RATE and not drop:
        # The writer takes 29.97 for drop-frame; the same frames of 30 have the labels wanted.
        start = start and start._replace(frame=start.at(edl.DROP_RATE), rate=Fraction(30))
        plan = replace(plan, film=replace(plan.film, rate=Fraction(30)))
    track = _track(_kinds(found)[0], source, plan, 0.0, start)
    for clip, shot in zip(track.find_clips(), plan.shots, strict=True):
        clip.name = edl.plain(f"{shot.beat} {shot.title or ''}")[: edl.NAME].strip() or "shot"
        clip.metadata["cmx_3600"] = {"reel": edl.reel(source)}
        clip.markers.clear()  # they would be written with the film's time for the trailer's
    stack = otio.Stack(children=[track])
    writer = cmx_3600.EDLWriter(stack, float(plan.film.rate), "avid", edl.REEL)
    events = writer.get_content_for_track_at_index(0, title=None)
    title = edl.plain(name)[: edl.NAME].strip() or "trailer"
    mode = "DROP FRAME" if drop else "NON-DROP FRAME"
    return f"TITLE: {title}\nFCM: {mode}\n\n{events}".encode("ascii")


def _kinds(found: Mapping[str, Any]) -> list[str]:
    kinds = (("video", otio.TrackKind.Video), ("audio", otio.TrackKind.Audio))
    return [kind for key, kind in kinds if found[key] is not None]


def _track(
    kind: str, source: Path, plan: Plan, handles: float, film_start: Timecode | None
) -> otio.Track:
    track = otio.Track(name=kind, kind=kind)
    before, after = plan.fade // 2, plan.fade - plan.fade // 2
    last = len(plan.shots) - 1
    for number, shot in enumerate(plan.shots):
        if number and plan.fade:
            track.append(
                otio.Transition(
                    name="cross-fade",
                    transition_type=otio.TransitionTypes.SMPTE_Dissolve,
                    in_offset=otio.time(before, plan.film.rate),
                    out_offset=otio.time(after, plan.film.rate),
                )
            )
        start = shot.start + (before if number else 0)
        end = shot.end - (after if number < last else 0)
        track.append(_clip(source, plan, shot, start, end, handles, film_start))
    return track


def _clip(
    source: Path,
    plan: Plan,
    shot: Shot,
    start: int,
    end: int,
    handles: float,
    film_start: Timecode | None,
) -> otio.Clip:
    zero = 0 if film_start is None else film_start.at(plan.film.rate)
    room = round(Fraction(handles) * plan.film.rate)
    kept = (max(0, min(start - room, shot.start)), min(plan.film.frames, max(end + room, shot.end)))
    name = printable(shot.title) if shot.title else shot.beat
    told = {"beat": shot.beat, "title": _text(shot.title), "why": _text(shot.why)}
    clip = otio.Clip(
        name=name,
        source_range=otio.time_range(zero + start, zero + end, plan.film.rate),
        metadata={"reelmake": told},
    )
    whole = clip.DEFAULT_MEDIA_KEY
    references = {
        whole: _reference(source, zero, zero + plan.film.frames, plan.film.rate),
        HANDLES: _reference(source, zero + kept[0], zero + kept[1], plan.film.rate),
    }
    clip.set_media_references(references, whole)
    clip.markers.append(
        otio.Marker(
            name=name,
            marked_range=otio.time_range(zero + start, zero + end, plan.film.rate),
            color=otio.MarkerColor.GREEN,
            comment=_text(shot.why) or "",
            metadata={"reelmake": told},
        )
    )
    return clip


def _reference(source: Path, start: int, end: int, rate: Fraction) -> otio.ExternalReference:
    return otio.reference(source, printable(source.name), otio.time_range(start, end, rate))


def _text(text: str | None) -> str | None:
    return None if text is None else printable(text)
