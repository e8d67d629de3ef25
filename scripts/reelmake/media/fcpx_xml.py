"""A string-out as FCPXML, which Final Cut Pro and DaVinci Resolve read.

Version 1.8, of 2018: an old one is read by more programs. Written here, since OpenTimelineIO's
adapter takes 23.976 for 23 frames a second (its issues 903 and 1661).
"""

from fractions import Fraction
from xml.etree import ElementTree

from reelmake.editing.string_out import Cut, Film, StringOut
from reelmake.foundation.text import line
from reelmake.media.file_urls import url
from reelmake.media.xml_files import Element, add, document, seconds

VERSION = "1.8"
SIZE = (1920, 1080)
"""Of the timeline where no film has pictures."""

RATES = {"23.976": "23.98", "47.952": "47.95"}
"""What the format calls some rates."""


def write(out: StringOut) -> bytes:
    """The file's content: a library with an event with a project, whose clips are the cuts.

    Films are at rates of `frame_rate.RATES`. Times are exact fractions; those in a film count from
    its start timecode. Markers are on clips.
    """
    root = ElementTree.Element("fcpxml", version=VERSION)
    resources = add(root, "resources")
    size = next((film.size for film in out.films if film.size), SIZE)
    formats = {(out.rate, size): _format(resources, "r1", out.rate, size)}
    assets: dict[Film, str] = {}
    for film in out.films:
        key = (film.rate, film.size or size)
        if film.size and key not in formats:
            formats[key] = _format(resources, f"r{len(formats) + len(assets) + 1}", *key)
        id = f"r{len(formats) + len(assets) + 1}"
        assets[film] = _asset(resources, id, film, formats.get(key))
    event = add(add(root, "library"), "event", name=line(out.name))
    sequence = add(
        add(event, "project", name=line(out.name)),
        "sequence",
        format=formats[out.rate, size],
        duration=seconds(out.length, out.rate),
        tcStart=seconds(out.first, out.rate),
        tcFormat="DF" if out.drop else "NDF",
        audioLayout="stereo",
        audioRate="48k",
    )
    spine = add(sequence, "spine")
    for number, cut in enumerate(out.cuts):
        clip = _clip(spine, out, cut, assets[cut.film])
        for mark in out.marks:
            if mark.cut == number:
                add(
                    clip,
                    "marker",
                    start=seconds(cut.film.zero + mark.start, cut.film.rate),
                    duration=seconds(mark.end - mark.start, cut.film.rate),
                    value=line(mark.label) or "moment",
                    **({"note": line(mark.note)} if mark.note else {}),
                )
    return document(root)


def _format(resources: Element, id: str, rate: Fraction, size: tuple[int, int]) -> str:
    add(
        resources,
        "format",
        id=id,
        frameDuration=seconds(1, rate),
        width=size[0],
        height=size[1],
    )
    return id


def _asset(resources: Element, id: str, film: Film, format: str | None) -> str:
    asset = add(
        resources,
        "asset",
        id=id,
        name=line(film.source.name),
        src=url(film.source),
        start=seconds(film.zero, film.rate),
        duration=seconds(film.cadence.frames, film.rate),
    )
    if film.size and format:
        asset.attrib |= {"hasVideo": "1", "format": format}
    if film.channels:
        asset.attrib |= {
            "hasAudio": "1",
            "audioSources": "1",
            "audioChannels": str(film.channels),
            "audioRate": str(film.sample_rate),
        }
    return id


def _clip(spine: Element, out: StringOut, cut: Cut, asset: str) -> Element:
    film = cut.film
    clip = add(
        spine,
        "asset-clip",
        ref=asset,
        name=line(cut.label) or "moment",
        offset=seconds(out.first + cut.at, out.rate),
        start=seconds(film.zero + cut.start, film.rate),
        duration=seconds(cut.length, out.rate),
        tcFormat="DF" if film.drop else "NDF",
    )
    if cut.note:
        add(clip, "note", line(cut.note))
    if film.rate != out.rate and film.size:
        said = f"{float(film.rate):.5g}"
        add(clip, "conform-rate", scaleEnabled="0", srcFrameRate=RATES.get(said, said))
    return clip
