"""The page of a film: what it shows, and that no text of a film is ever markup."""

import contextlib
import json
import random
from html.parser import HTMLParser

import pytest

import make_pages
from make_moments import make_film
from make_pages import HOSTILE
from reelmake.catalog import database, speakers, updating
from reelmake.pages import film_page, static_pages
from reelmake.pages.links import Links


class Markup(HTMLParser):
    """The elements and attributes of a page, without their texts."""

    def __init__(self, page: str):
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, tuple(sorted(name for name, _ in attrs))))
        self.addresses += [value for name, value in attrs if name in ("href", "src", "poster")]

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def page(library):
    def get(video, live=True, root="/"):
        with contextlib.closing(database.connect(library / "catalog.db")) as db:
            row = film_page.find(db, video)
            return film_page.page(film_page.read(db, library, row), Links(live, root))

    return get


def test_it_shows_what_is_known_of_the_film(page):
    text = " ".join(Markup(page("holiday")).text.split())
    for part in (
        *make_pages.SPOKEN,
        "a ferry",
        "red roofs",
        "HARBOUR OFFICE",
        "It is loud.",
        "One; two",
        "A beat",
    ):
        assert part in text
    assert "faster-whisper 1.0" in text  # how it was made


def test_a_translation_is_a_track_and_a_file(page):
    shown = page("holiday")
    track = '<track kind="subtitles" src="/media/holiday/translations/transcript.de.vtt" '
    assert f'{track}label="German" srclang="de">' in shown
    # A file that is there and in which nothing was translated: the film's own language.
    assert shown.count('<track kind="subtitles"') == 1
    wanted, _, rest = shown.partition("For programs")
    assert "subtitles for the web, in other languages" in wanted
    assert "translations/transcript.en.vtt" in wanted
    assert "transcript.de.vtt" not in rest and "transcript.de.exe" not in shown


@pytest.mark.parametrize("live", [True, False])
def test_no_text_of_a_film_becomes_markup(page, library, live):
    found = Markup(page(HOSTILE, live))
    scripts = [names for tag, names in found.elements if tag == "script"]
    assert scripts == [("defer", "src")] * 2
    attributes = {name for _, names in found.elements for name in names}
    assert not {name for name in attributes if name.startswith("on") or name in ("style", "z")}
    assert all("javascript:" not in address.lower() for address in found.addresses)
    for attack in (*make_pages.ATTACKS[:2], "{{ 7*7 }} {% raw %}"):
        assert attack in found.text  # shown as it is
    assert not set(found.text) & set("\u202e\u2066\x00\x1b")


def test_what_cannot_be_played_is_said_and_shown_by_trailer_and_clips(page):
    html = page("old")
    assert "MPEG program streams" in Markup(html).text
    assert 'data-mode="trailer"' in html
    assert 'data-clip="/media/old/clips/clip0.mp4"' in html


def test_a_failed_stage_has_its_reason(page):
    text = Markup(page("broken")).text
    assert "What failed" in text
    assert "it broke" in text


def test_of_a_film_of_which_nothing_is_known_nothing_is_promised(tmp_path):
    results = tmp_path / "results"
    make_film(results / "cut", state="failed")
    record = results / "cut" / "jobs" / "manifest.json"
    broken = json.loads(record.read_bytes()) | {"error": "cut: manifest: it is empty"}
    record.write_text(json.dumps(broken))
    for path in results.glob("cut/*"):
        if path.is_file():
            path.unlink()
    updating.update(results)
    with contextlib.closing(database.connect(results / "catalog.db")) as db:
        row = film_page.find(db, "cut")
        html = film_page.page(film_page.read(db, results, row), Links(False, "../../"))
    text = " ".join(Markup(html).text.split())
    assert "What failed manifest it is empty" in text  # the film and the stage are said once
    assert "below" not in text and "Space plays" not in text
    assert 'class="frame empty"' in html


def test_one_voice_without_a_name_is_not_called_s1(tmp_path):
    results = tmp_path / "results"
    make_film(results / "alone", texts=["hello", "again"], names={})
    document = json.loads((results / "alone" / "speakers.json").read_bytes())
    document["speakers"] = document["speakers"][:1]
    document["turns"] = [each for each in document["turns"] if each["speaker"] == "S1"]
    (results / "alone" / "speakers.json").write_text(json.dumps(document))
    updating.update(results)
    with contextlib.closing(database.connect(results / "catalog.db")) as db:
        film = film_page.read(db, results, film_page.find(db, "alone"))
        assert film["highlights"] and {each["by"] for each in film["highlights"]} == {None}
        assert speakers.present(db, 1, 0.0, 12.0) == []


@pytest.mark.parametrize("damage", ["[]", "{", '{"streams": 3, "source": 7}', '{"files": [1]}'])
def test_damaged_artifacts_are_absent(tmp_path, damage):
    results = tmp_path / "results"
    make_film(results / "film")
    for path in (*(results / "film").glob("*.json"), *(results / "film").glob("*/media.json")):
        path.write_text(damage)
    updating.update(results)
    assert static_pages.write(results).written == 1


def test_a_film_that_is_not_in_the_catalog_has_no_page(library):
    with contextlib.closing(database.connect(library / "catalog.db")) as db:
        assert film_page.find(db, "nobody") is None
        assert film_page.find(db, "../holiday") is None


class Time(float):
    """A time that counts how often it is compared."""

    compared = 0

    def __lt__(self, other):
        Time.compared += 1
        return float(self) < float(other)

    def __ge__(self, other):
        Time.compared += 1
        return float(self) >= float(other)


def test_what_is_written_in_thousands_of_scenes_is_found_at_once():
    """Each line with each scene took 44 s for a film of 8 hours."""
    dice, many = random.Random(1), 300
    scenes = [{"start": Time(n), "end": Time(n + dice.choice([0, 1, 1.5]))} for n in range(many)]
    scenes.insert(0, {"start": None, "end": 2.0})
    starts = sorted(Time(dice.randrange(2 * many) / 2) for _ in range(many))
    lines = [
        {"start": start, "end": Time(start + dice.choice([0, 0.5, 3, 100])), "text": f"{n % 50}"}
        for n, start in enumerate(starts)
    ]
    lines[:0] = [
        {"start": Time(0), "end": Time(many), "text": "LOGO"},
        {"start": Time(0), "end": None, "text": "x"},
    ]
    slowly = [
        list(dict.fromkeys(line["text"] for line in lines if line["end"] is not None
             and line["start"] < scene["end"] and line["end"] >= scene["start"]))
        for scene in scenes[1:]
    ]  # fmt: skip
    Time.compared = 0
    assert list(film_page._written(lines, scenes)) == [[], *slowly]
    assert Time.compared < many * many / 2
