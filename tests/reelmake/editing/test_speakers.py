"""Who says what: words beside turns. Everything that is said stays, in its order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelmake.editing import cues, speakers, transcript_page
from reelmake.editing.cues import Rules
from reelmake.editing.speakers import Span, Turn, Turns
from reelmake.library import speaker_names
from reelmake.media import subtitles

RULES = Rules(42, 2, 20.0, 1.0, 7.0, 0.08)


def segment(id, start, *texts, each=0.5):
    """A segment of words that take `each` seconds, one after the other."""
    words = [
        {"word": text, "start": start + n * each, "end": start + (n + 1) * each, "probability": 1.0}
        for n, text in enumerate(texts)
    ]
    end = start + len(texts) * each
    return {"id": id, "start": start, "end": end, "text": " ".join(texts), "words": words}


def transcript(*segments, language="en"):
    return {"language": language, "segments": list(segments)}


def turns(*spans):
    return Turns(Turn(*span) for span in spans)


def told(found):
    return [(each.get("speaker"), each["text"]) for each in found["segments"]]


def test_a_segment_is_cut_where_the_speaker_changes():
    said = transcript(
        segment(0, 0.0, "hello", "there.", "good", "morning."), segment(1, 3.0, "so.")
    )
    found = speakers.with_speakers(said, turns((0, 1.1, "S1"), (1.1, 2.4, "S2"), (2.9, 4, "S1")))
    assert told(found) == [("S1", "hello there."), ("S2", "good morning."), ("S1", "so.")]
    assert [(each["start"], each["end"]) for each in found["segments"]] == [
        (0.0, 1.0),
        (1.0, 2.0),
        (3.0, 3.5),
    ]
    assert "speaker" not in said["segments"][0]  # the transcript stays as it was


def said_by(spans, turns):
    return speakers.speakers_of([Span(*span) for span in spans], turns)


def test_a_word_whose_times_reach_over_a_pause_is_said_by_whom_it_is_heard_of():
    """As Whisper has them: And is a second long, and begins where the question ends."""
    words = [("missing?", 24.16, 24.44), ("And", 24.44, 25.38), ("we", 25.38, 25.58)]
    answers = turns((21.0, 24.65, "S1"), (25.19, 30, "S2"))
    words += [("hand.", 29.7, 31.2), ("That", 31.2, 31.4)]
    asks = turns((21.0, 24.65, "S1"), (25.19, 30, "S2"), (30.2, 33, "S1"))
    spans = [Span(start, end, word) for word, start, end in words]
    assert speakers.speakers_of(spans[:3], answers) == ["S1", "S2", "S2"]
    assert speakers.speakers_of(spans, asks) == ["S1", "S2", "S2", "S2", "S1"]


def test_a_word_goes_to_who_covers_most_of_it_and_a_gap_to_the_nearer():
    found = turns((0, 1.2, "S1"), (1.3, 2, "S2"), (5, 6, "S1"))
    spans = [(0.0, 0.5), (1.0, 1.5), (1.05, 1.6), (2.4, 2.5), (4.5, 4.8), (9.0, 9.1)]
    assert said_by(spans, found) == ["S1", "S1", "S2", "S2", "S1", "S1"]
    assert said_by(spans, turns()) == [None] * 6


def test_two_at_once_are_two_and_a_word_of_interruption_is_not():
    both = turns((0, 4, "S1"), (1, 3.5, "S2"))
    spans = [(n / 2, n / 2 + 0.5) for n in range(8)]
    assert said_by(spans, both) == ["S1"] * 2 + ["S1+S2"] * 5 + ["S1"]
    interrupted = turns((0, 2.5, "S1"), (2, 4, "S2"))
    assert said_by(spans, interrupted) == ["S1"] * 5 + ["S2"] * 3


def test_a_segment_without_times_of_words_goes_whole_to_who_speaks_most_in_it():
    alone = {"id": 0, "start": 0.0, "end": 4.0, "text": "hello there", "words": []}
    other = {"id": 1, "start": 4.0, "end": 6.0, "text": "yes", "words": []}
    found = speakers.with_speakers(
        transcript(alone, other), turns((0, 1.5, "S1"), (1.5, 4, "S2"), (4, 6, "S1"))
    )
    assert told(found) == [("S2", "hello there"), ("S1", "yes")]


@pytest.mark.parametrize("spans", [(), [(0, 9, "S1")], [(0, 9, "S1"), (50, 51, "S2")]])
def test_with_one_speaker_or_none_nothing_changes(spans):
    said = transcript(segment(0, 0.0, "hello", "there."))
    assert speakers.with_speakers(said, turns(*spans)) is said


def test_a_microphone_of_each_knows_better():
    said = transcript(segment(0, 0.0, "hello") | {"speaker": "left"})
    assert speakers.with_speakers(said, turns((0, 1, "S1"), (1, 2, "S2"))) is said


def test_scripts_without_spaces_stay_without():
    said = transcript(segment(0, 0.0, "你", "好", "吗"), language="zh")
    said["segments"][0]["text"] = "你好吗"
    found = speakers.with_speakers(said, turns((0, 1, "S1"), (1, 2, "S2")))
    assert told(found) == [("S1", "你好"), ("S2", "吗")]


spans = st.lists(
    st.tuples(st.integers(0, 300), st.integers(1, 80), st.sampled_from(["S1", "S2", "S3"])),
    max_size=12,
).map(lambda found: turns(*((start / 10, (start + long) / 10, who) for start, long, who in found)))
texts = st.lists(st.sampled_from(["so", "yes.", "hello", "<b>", "&", "…"]), min_size=1, max_size=9)


@given(spans, st.lists(texts, max_size=5))
def test_every_word_stays_in_its_order(found, said):
    whole = transcript(*(segment(n, n * 6.0, *each) for n, each in enumerate(said)))
    cut = speakers.with_speakers(whole, found)
    assert [word for each in cut["segments"] for word in each["words"]] == [
        word for each in whole["segments"] for word in each["words"]
    ]
    assert " ".join(each["text"] for each in cut["segments"]).split() == [
        word for each in said for word in each
    ]
    for each in cut["segments"]:
        assert (
            each["start"] == each["words"][0]["start"] and each["end"] == each["words"][-1]["end"]
        )
    who = {each.get("speaker") for each in cut["segments"]}
    assert who <= {None} or len(who) > 1
    labels = {part for label in who - {None} for part in label.split(speakers.BOTH)}
    assert labels <= set(found.labels)


@given(spans, st.tuples(st.integers(0, 400), st.integers(1, 40)))
def test_a_word_in_a_turn_is_said_by_one_who_speaks_then(found, span):
    start, end = span[0] / 10, (span[0] + span[1]) / 10
    (who,) = said_by([(start, end)], found)
    slow: dict[str, float] = {}
    for turn in found.all:
        seconds = min(end, turn.end) - max(start, turn.start)
        if seconds > 1e-9:
            slow[turn.speaker] = slow.get(turn.speaker, 0) + seconds
    if slow:
        assert {*who.split(speakers.BOTH)} <= slow.keys()
        assert speakers.BOTH in who or slow[who] == pytest.approx(max(slow.values()))
    elif found.all:
        gaps = {turn: max(turn.start - end, start - turn.end) for turn in found.all}
        near = min(gaps.values())
        assert who in {turn.speaker for turn, gap in gaps.items() if gap <= near + 1e-9}


def covered_slowly(found, start, end):
    seconds = {}
    for turn in found.all:
        common = min(turn.end, end) - max(turn.start, start)
        if common > 0:
            seconds[turn.speaker] = seconds.get(turn.speaker, 0.0) + common
    return sorted(seconds.items(), key=lambda each: -each[1])


def nearest_slowly(found, start, end):
    before = [turn for turn in found.all if turn.start < start]
    after = [turn for turn in found.all if turn.start >= start]
    around = sorted(before, key=lambda turn: turn.end)[-1:] + after[:1]
    gaps = [(max(turn.start - end, start - turn.end, 0.0), turn.start) for turn in around]
    return around[gaps.index(min(gaps))].speaker if around else None


anything = st.lists(
    st.tuples(st.integers(0, 60), st.integers(-2, 40), st.sampled_from(["S1", "S2", "S3"])),
    max_size=25,
).map(lambda found: turns(*((start, start + long, who) for start, long, who in found)))


@given(anything, st.tuples(st.integers(0, 100), st.integers(0, 30)))
def test_turns_are_asked_as_if_each_were_looked_at(found, span):
    start, end = span[0], span[0] + span[1]
    assert list(found.covered(start, end).items()) == covered_slowly(found, start, end)
    assert found.nearest(start, end) == nearest_slowly(found, start, end)
    since, until, steady = found.steady(start)
    if steady and start < end <= until:
        assert since <= start
        assert covered_slowly(found, start, end) == [(who, end - start) for who in steady]


@given(anything, st.lists(st.tuples(st.integers(0, 100), st.integers(0, 12)), max_size=30))
def test_words_in_which_nobody_begins_or_ends_are_said_by_the_same(found, words):
    spans = [Span(start, start + long, "word.") for start, long in sorted(words)]
    quick = speakers.speakers_of(spans, found)
    found._steady = ([], [])
    assert speakers.speakers_of(spans, found) == quick


class Counted(float):
    """A time that counts how often it is compared."""

    compared = 0

    def __lt__(self, other):
        Counted.compared += 1
        return float(self) < float(other)

    def __gt__(self, other):
        Counted.compared += 1
        return float(self) > float(other)


def test_a_turn_of_hours_has_no_word_look_at_all_others():
    many = 4000
    spans = [(Counted(n), Counted(n + 0.5), f"S{n % 3}") for n in range(1, many)]
    found = turns((Counted(0), Counted(many), "S9"), *spans)
    Counted.compared = 0
    for n in range(10, many, 40):
        assert found.covered(Counted(n), Counted(n + 0.5)) == {"S9": 0.5, f"S{n % 3}": 0.5}
        found.nearest(Counted(n), Counted(n + 0.5))
    assert Counted.compared < 100 * 100  # of 100 words


def conversation():
    said = transcript(
        segment(0, 0.0, "hello", "there.", "good", "morning."), segment(1, 3.0, "so", "what?")
    )
    found = turns((0, 1.0, "S1"), (1.0, 2.4, "S2"), (2.9, 4, "S1"))
    return speakers.with_speakers(said, found)


def test_files_say_who_speaks_as_each_format_can():
    content, known = speakers.with_names(conversation(), {"S1": "Anna <b> & Co"})
    assert known == {"Anna <b> & Co"}
    vtt = subtitles.render(cues.of_transcript(content, RULES), "vtt", voices=True)
    assert "\n<v Anna &lt;b&gt; &amp; Co>hello there.\n" in vtt
    assert "\n<v S2>good morning.\n" in vtt
    words = speakers.introduced(cues.words(content), known)
    srt = subtitles.render(cues.cues(words, "en", RULES), "srt")
    assert "\nAnna <b> & Co: hello there.\n" in srt
    assert "\n- good morning.\n" in srt
    text = transcript_page.text(content["segments"], voices=True)
    assert text == "Anna <b> & Co: hello there.\nS2: good morning.\nAnna <b> & Co: so what?\n"
    page = transcript_page.page(content["segments"])
    assert "**Anna &lt;b&gt; &amp; Co:** hello there." in page
    assert page.count("**[") == 3


def test_who_goes_on_is_not_named_again():
    said = transcript(segment(0, 0.0, "one."), segment(1, 9.0, "two."), segment(2, 12.0, "three."))
    found = turns((0, 1, "S1"), (9, 10, "S1"), (12, 13, "S2"))
    content, known = speakers.with_names(speakers.with_speakers(said, found), {"S2": "Ben"})
    text = transcript_page.text(content["segments"], voices=True)
    assert text == "S1: one.\ntwo.\nBen: three.\n"
    words = speakers.introduced(cues.words(content), known)
    assert [word.text for word in words] == [" - one.", " two.", " Ben: three."]


def test_two_labels_of_one_name_are_one_person():
    content, _ = speakers.with_names(conversation(), {"S1": "Anna", "S2": "Anna"})
    assert not speakers.are_several(content)


@given(st.text(max_size=80))
def test_any_name_stays_on_its_line(name):
    plain = speaker_names.plain(name)
    assert len(plain) <= speaker_names.LONGEST and "\n" not in plain and "\u202e" not in plain
    if not plain:
        return
    content, known = speakers.with_names(conversation(), {"S1": plain})
    vtt = subtitles.render(cues.of_transcript(content, RULES), "vtt", voices=True)
    tags = [line for line in vtt.splitlines() if line.startswith("<v ")]
    assert len(tags) == 3 and all(line.count(">") == 1 == line.count("<") for line in tags)
    words = speakers.introduced(cues.words(content), known)
    for cue in cues.cues(words, "en", RULES):
        assert not cues.is_broken(cue, RULES)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=400))
def test_many_turns_are_found_at_once(who):
    found = turns(*((n, n + 1.5, f"S{each + 1}") for n, each in enumerate(who)))
    assert speakers.present(found, 0, len(who) + 1)
