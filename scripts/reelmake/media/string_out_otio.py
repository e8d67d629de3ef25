"""A string-out as OpenTimelineIO's own JSON, in which each clip has its film's own rate."""

from reelmake.editing.string_out import Cut, Film, Mark, StringOut
from reelmake.foundation.text import line
from reelmake.media import otio


def write(out: StringOut) -> bytes:
    """The file's content: a track of pictures and one of sound, as far as the films have them.

    Ranges in films count from their start timecode. Markers are on clips, in the film's time.
    """
    made = otio.Timeline(name=line(out.name))
    made.global_start_time = otio.time(out.first, out.rate)
    kinds = (
        ("video", otio.TrackKind.Video, lambda film: film.size is not None),
        ("audio", otio.TrackKind.Audio, lambda film: film.channels > 0),
    )
    for name, kind, has in kinds:
        if any(has(film) for film in out.films):
            track = otio.Track(name=name, kind=kind)
            for number, cut in enumerate(out.cuts):
                marks = [mark for mark in out.marks if mark.cut == number]
                track.append(_clip(cut, marks) if has(cut.film) else _gap(cut))
            made.tracks.append(track)
    return otio.content(made)


def _gap(cut: Cut) -> otio.Gap:
    return otio.Gap(source_range=otio.time_range(0, cut.end - cut.start, cut.film.rate))


def _clip(cut: Cut, marks: list[Mark]) -> otio.Clip:
    film = cut.film
    clip = otio.Clip(
        name=line(cut.label),
        media_reference=_reference(film),
        source_range=_range(film, cut.start, cut.end),
        metadata={"reelmake": {"label": line(cut.label), "note": _note(cut.note)}},
    )
    for mark in marks:
        clip.markers.append(
            otio.Marker(
                name=line(mark.label),
                marked_range=_range(film, mark.start, mark.end),
                color=otio.MarkerColor.GREEN,
                comment=_note(mark.note) or "",
            )
        )
    return clip


def _reference(film: Film) -> otio.ExternalReference:
    whole = _range(film, 0, film.cadence.frames)
    return otio.reference(film.source, line(film.source.name), whole)


def _range(film: Film, start: int, end: int) -> otio.TimeRange:
    return otio.time_range(film.zero + start, film.zero + end, film.rate)


def _note(note: str | None) -> str | None:
    return None if note is None else line(note)
