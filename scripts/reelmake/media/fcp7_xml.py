"""A string-out as the XML of Final Cut Pro 7, which Premiere Pro and DaVinci Resolve read.

Written here, since OpenTimelineIO's adapter leaves out the links between picture and sound, and
the second of two clips that are alike (its issue 1796).
"""

from fractions import Fraction
from xml.etree import ElementTree

from reelmake.editing import timecode
from reelmake.editing.string_out import Cut, Film, StringOut
from reelmake.foundation.text import line
from reelmake.media.file_urls import url
from reelmake.media.xml_files import Element, add, document

VERSION = "4"
SIZE = (1920, 1080)
"""Of the timeline where no film has pictures."""

SAMPLE_RATE = 48000
CHANNELS = 8
"""Tracks of sound at most: a track has one channel."""


def write(out: StringOut) -> bytes:
    """The file's content: a sequence with the cuts on a track of pictures and one of sound for
    each channel, linked; markers are on the sequence.

    Films are at rates of `frame_rate.RATES`. In and out points count from the first frame of a
    file, whose start timecode stands beside it.
    """
    root = ElementTree.Element("xmeml", version=VERSION)
    sequence = add(root, "sequence", id="sequence-1")
    add(sequence, "name", line(out.name))
    add(sequence, "duration", out.length)
    _rate(sequence, out.rate)
    _timecode(sequence, out.first, out.rate, out.drop)
    media = add(sequence, "media")
    known: dict[Film, str] = {}
    places = [_places(number, cut.film) for number, cut in enumerate(out.cuts)]
    if any(film.size for film in out.films):
        video = add(media, "video")
        form = add(add(video, "format"), "samplecharacteristics")
        _rate(form, out.rate)
        _size(form, next(film.size for film in out.films if film.size))
        track = add(video, "track")
        for cut, place in zip(out.cuts, places, strict=True):
            if cut.film.size:
                _clip(track, cut, ("video", 1), place, known)
    channels = max(_channels(film) for film in out.films)
    if channels:
        audio = add(media, "audio")
        form = add(add(audio, "format"), "samplecharacteristics")
        add(form, "depth", 16)
        add(form, "samplerate", SAMPLE_RATE)
        for channel in range(1, channels + 1):
            track = add(audio, "track")
            for cut, place in zip(out.cuts, places, strict=True):
                if channel <= _channels(cut.film):
                    _clip(track, cut, ("audio", channel), place, known)
    for mark in out.marks:
        marker = add(sequence, "marker")
        add(marker, "name", line(mark.label) or "moment")
        if mark.note:
            add(marker, "comment", line(mark.note))
        add(marker, "in", mark.at)
        add(marker, "out", mark.at + mark.length)
    return document(root)


def _channels(film: Film) -> int:
    return min(film.channels, CHANNELS)


Place = tuple[str, int]
"""A kind, video or audio, and the number of a track of it, from 1."""


def _places(number: int, film: Film) -> dict[Place, str]:
    """The id of each of a cut's clips by where it stands."""
    places: list[Place] = [("video", 1)] if film.size else []
    places += [("audio", channel) for channel in range(1, _channels(film) + 1)]
    return {place: f"clipitem-{number + 1}-{place[0]}-{place[1]}" for place in places}


def _clip(
    track: Element, cut: Cut, place: Place, places: dict[Place, str], known: dict[Film, str]
) -> None:
    item = add(track, "clipitem", id=places[place])
    add(item, "name", line(cut.label) or "moment")
    add(item, "enabled", "TRUE")
    add(item, "duration", cut.film.cadence.frames)
    _rate(item, cut.film.rate)
    add(item, "start", cut.at)
    add(item, "end", cut.at + cut.length)
    add(item, "in", cut.start)
    add(item, "out", cut.end)
    _file(item, cut.film, known)
    if place[0] == "audio":
        source = add(item, "sourcetrack")
        add(source, "mediatype", "audio")
        add(source, "trackindex", place[1])
    if cut.note:
        add(add(item, "logginginfo"), "lognote", line(cut.note))
    if len(places) > 1:
        for (kind, number), id in places.items():
            link = add(item, "link")
            add(link, "linkclipref", id)
            add(link, "mediatype", kind)
            add(link, "trackindex", number)


def _file(item: Element, film: Film, known: dict[Film, str]) -> None:
    """The film, told once; after that its id is enough."""
    if film in known:
        add(item, "file", id=known[film])
        return
    known[film] = f"file-{len(known) + 1}"
    file = add(item, "file", id=known[film])
    add(file, "name", line(film.source.name))
    add(file, "pathurl", url(film.source))
    _rate(file, film.rate)
    add(file, "duration", film.cadence.frames)
    _timecode(file, film.zero, film.rate, film.drop)
    media = add(file, "media")
    if film.size:
        form = add(add(media, "video"), "samplecharacteristics")
        _rate(form, film.rate)
        _size(form, film.size)
    if film.channels:
        audio = add(media, "audio")
        form = add(audio, "samplecharacteristics")
        add(form, "depth", 16)
        add(form, "samplerate", film.sample_rate)
        add(audio, "channelcount", film.channels)


def _rate(parent: Element, rate: Fraction) -> None:
    element = add(parent, "rate")
    add(element, "timebase", round(rate))
    add(element, "ntsc", "FALSE" if rate.denominator == 1 else "TRUE")


def _timecode(parent: Element, frame: int, rate: Fraction, drop: bool) -> None:
    element = add(parent, "timecode")
    _rate(element, rate)
    said = timecode.text(frame, rate, drop)
    add(element, "string", said)
    add(element, "frame", frame)
    add(element, "displayformat", "DF" if ";" in said else "NDF")


def _size(form: Element, size: tuple[int, int]) -> None:
    add(form, "width", size[0])
    add(form, "height", size[1])
