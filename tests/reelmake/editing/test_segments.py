"""Candidates: whole sentences, no word cut, none too short or too long."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from reelmake.editing.segments import build
from reelmake.foundation import artifact_files
from reelmake.library import config

LENGTHS = {"min_seconds": 5, "max_seconds": 12, "per_minute": None}


def spoken(*times, words=2, dot=".", **more):
    """A transcript: a sentence of words of equal length for each (start, end)."""
    segments = []
    for number, (start, end) in enumerate(times):
        names = [f"s{number}w{at}" for at in range(words)]
        names[-1] += dot
        bounds = [start + (end - start) * at / words for at in range(words + 1)]
        timed = [
            {"word": name, "start": begin, "end": stop, "probability": 1.0}
            for name, (begin, stop) in zip(names, itertools.pairwise(bounds), strict=True)
        ]
        text = " ".join(names)
        segments.append({"start": start, "end": end, "text": text, "words": timed} | more)
    return {"language": "en", "duration": 0.0, "segments": segments}


def pictures(*bounds):
    scenes = [
        {"id": number, "start": start, "end": end}
        for number, (start, end) in enumerate(itertools.pairwise(bounds))
    ]
    return {"scenes": scenes}


def made(duration, transcript, scenes=None, **options):
    given = config.load({"segments": LENGTHS | options})["segments"]
    found = build({"duration": duration}, transcript, scenes or pictures(), given)
    artifact_files.validate(found, "segments")
    records = found["segments"]
    assert [record["id"] for record in records] == list(range(len(records)))
    assert records == sorted(records, key=lambda record: (record["start"], record["end"]))
    spans = [(record["start"], record["end"]) for record in records]
    assert len(set(spans)) == len(spans)
    for start, end in spans:
        assert 0 <= start < end <= found["duration"]
        assert (start, end) == (round(start, 6), round(end, 6))
    return found


def spans(found):
    return [(record["start"], record["end"]) for record in found["segments"]]


def test_every_run_of_sentences_that_fits():
    times = [(1, 4), (5, 8), (9, 12), (13, 16), (17, 20)]
    found = made(21.0, spoken(*times))
    assert spans(found) == [
        (start - 0.25, end + 0.25)
        for (start, _), (_, end) in itertools.combinations_with_replacement(times, 2)
        if 5 <= end - start + 0.5 <= 12
    ]
    assert found["segments"][0]["text"] == "s0w0 s0w1.\ns1w0 s1w1."
    assert (found["made_from"], found["sentences"], found["pauses"]) == ("sentences", 5, 4)


def test_a_border_keeps_to_its_half_of_a_short_pause():
    found = made(20.0, spoken((0, 6), (6.2, 12), (12.0, 18.2)))
    assert spans(found)[0] == (0, 6.1)
    assert (6.1, 12) in spans(found)
    assert (12, 18.45) in spans(found)


def test_borders_snap_to_cuts_that_cut_no_word():
    transcript = spoken((0, 6), (8, 14), (16, 22))
    found = made(22.0, transcript, pictures(0, 6.9, 22), snap_seconds=1)
    # 6.9 is near enough to the end at 6.25, and too far from the beginning at 7.75 with 0.8.
    assert (0, 6.9) in spans(found)
    assert (6.9, 14.25) in spans(found)
    found = made(22.0, transcript, pictures(0, 6.9, 22), snap_seconds=0.8)
    assert (7.75, 14.25) in spans(found)
    found = made(22.0, transcript, pictures(0, 5.9, 22), snap_seconds=1)  # inside a word
    assert (0, 6.25) in spans(found)
    assert [record["scenes"] for record in found["segments"]][:2] == [[0, 1], [1]]
    found = made(22.0, transcript, pictures(0, 6.9, 22), snap_seconds=1)
    assert [record["scenes"] for record in found["segments"]][:2] == [[0], [1]]


def test_what_would_be_too_long_with_its_pauses_takes_less_of_them():
    assert (9.95, 21.95) in spans(made(30.0, spoken((10, 21.9))))
    assert spans(made(14.0, spoken((1, 13)))) == [(1, 13)]
    # And exactly as long as can be.
    assert (0, 6) in spans(made(12.0, spoken((0, 6), (6, 12)), min_seconds=6, max_seconds=6))


def test_one_long_sentence_gives_candidates():
    found = made(100.0, spoken((0, 100), words=200, dot=""))
    assert found["sentences"] == 1
    assert all(5 <= round(end - start, 6) <= 12 for start, end in spans(found))
    said = {word for record in found["segments"] for word in record["text"].split()}
    assert said == {f"s0w{number}" for number in range(200)}


def test_a_short_film_is_one_candidate():
    found = made(4.0, spoken((0.5, 1), (2, 3)), pictures(0, 2, 4))
    assert spans(found) == [(0, 4)]
    assert found["segments"][0]["text"] == "s0w0 s0w1.\ns1w0 s1w1."
    assert found["segments"][0]["scenes"] == [0, 1]
    assert spans(made(4.0, spoken())) == [(0, 4)]
    assert spans(made(0.0, spoken())) == []


def test_short_speech_alone_in_a_film_gets_silence_around_it():
    found = made(100.0, spoken((50, 51), (51.6, 52)))
    lonely = [record for record in found["segments"] if record["text"]]
    assert [(r["start"], r["end"], r["text"]) for r in lonely] == [
        (48.5, 53.5, "s0w0 s0w1.\ns1w0 s1w1.")
    ]
    assert spans(made(6.0, spoken((5, 6)))) == [(1, 6)]
    assert spans(made(6.0, spoken((0, 1)))) == [(0, 5)]


def test_where_nobody_speaks_runs_of_scenes():
    found = made(30.0, spoken(), pictures(0, 5, 7, 11, 30))
    assert found["made_from"] == "scenes"
    assert spans(found) == [(0, 5), (0, 7), (0, 11), (5, 11), (11, 23), (23, 30)]
    assert [record["scenes"] for record in found["segments"]][2:4] == [[0, 1, 2], [1, 2]]
    # Pictures that begin a little after the sound, and end a little before it.
    bounds = pictures(0.02, 5.02, 10.02)
    assert spans(made(10.02, spoken(), bounds)) == [(0.02, 5.02), (0.02, 10.02), (5.02, 10.02)]
    assert spans(made(10.02, spoken(), pictures(0, 5, 10))) == [(0, 5), (0, 10), (5, 10)]


def test_a_long_silence_between_sentences_has_its_scenes():
    found = made(40.0, spoken((0, 6), (32, 38)), pictures(0, 6.1, 12, 18, 31.9, 40))
    assert found["made_from"] == "sentences"
    silent = [record for record in found["segments"] if not record["text"]]
    assert [(record["start"], record["end"]) for record in silent] == [
        (6.1, 12),
        (6.1, 18),
        (12, 18),
        (18, 30),
        (19.9, 31.9),
    ]


def test_neither_speech_nor_scenes():
    found = made(31.0, spoken())
    assert found["made_from"] == "time"
    assert spans(found) == [(0, 12), (12, 24), (24, 31)]
    assert spans(made(27.0, spoken())) == [(0, 12), (12, 24), (15, 27)]
    assert spans(made(24.2, spoken())) == [(0, 12), (12, 24)]


def test_sentences_that_never_fit_still_give_candidates():
    found = made(40.0, spoken((0, 10), (10, 20), (20, 30), (30, 40)), min_seconds=11)
    assert found["made_from"] == "time"
    assert spans(found) == [(0, 12), (12, 24), (24, 36), (28, 40)]
    scenes = pictures(0, 10, 20, 30, 40)
    assert spans(made(40.0, spoken(), scenes, min_seconds=11)) == spans(found)
    # The same in a part of the film.
    scenes = pictures(0, 12, 22, 32, 42)
    found = made(42.0, spoken((0, 11.7)), scenes, min_seconds=11)
    assert spans(found) == [(0, 12), (12, 24), (24, 36), (30, 42)]


def test_words_that_take_no_time_make_no_candidate_twice():
    found = made(12.0, spoken((0, 6), (6, 6), (6, 12)))
    assert spans(found) == [(0, 6), (0, 12), (6, 12)]


def test_who_speaks():
    transcript = spoken((0, 3), (3.1, 6), (6.1, 9), speaker="B")
    transcript["segments"][1]["speaker"] = "A"
    del transcript["segments"][2]["speaker"]
    found = made(9.0, transcript, min_seconds=8)
    assert [record["speakers"] for record in found["segments"]] == [["B", "A"]]


def test_a_film_of_unknown_length_is_as_long_as_what_is_known():
    assert made(None, spoken((0, 6)), pictures(0, 8))["duration"] == 8
    assert made(None, spoken((0, 6)) | {"duration": 9.5}, pictures(0, 8))["duration"] == 9.5
    assert made(None, spoken((0, 10)))["duration"] == 10


def test_of_a_minute_the_best_that_differ():
    times = [(4 * number + 0.1, 4 * number + 3.9) for number in range(45)]
    every = made(180.0, spoken(*times))
    found = made(180.0, spoken(*times), per_minute=4)
    assert set(spans(found)) < set(spans(every))
    minutes = [int(start // 60) for start, _ in spans(found)]
    assert [minutes.count(minute) for minute in range(3)] == [4, 4, 4]
    for one, other in itertools.combinations(spans(found), 2):
        assert one[1] <= other[0]  # there is enough to choose from
    assert spans(made(180.0, spoken(*times), per_minute=10**6)) == spans(every)
    # However much better one is than what is like it, none is taken twice.
    found = made(10.0, spoken((2, 8), (8, 8.3)), pictures(0, 1.8, 8.6, 10), per_minute=2)
    assert spans(found) == [(1.8, 8), (1.8, 8.6)]


def test_what_the_minute_before_shows_already_comes_last():
    times = [(58, 61), (61, 64), (64, 67), (67, 70), (70, 73)]
    found = made(73.0, spoken(*times), per_minute=1, max_seconds=7)
    assert spans(found) == [(57.75, 64), (64, 70)]


def test_of_a_minute_those_that_begin_and_end_well():
    # A long pause before the fourth sentence and after the fifth.
    times = [(0, 3), (3, 6), (6, 9), (11, 14), (14, 17), (19, 22), (22, 25)]
    (best,) = spans(made(25.0, spoken(*times), per_minute=1))
    assert best == (10.75, 17.25)
    # Punctuation, and a cut.
    transcript = spoken(*((start, start + 4) for start in range(0, 40, 4)), dot="")
    for number in (2, 4):
        transcript["segments"][number]["words"][-1]["word"] += "."
    assert spans(made(40.0, transcript, per_minute=1, max_seconds=9))[0] == (12, 20)
    times = [(4 * number + 0.3, 4 * number + 3.7) for number in range(10)]
    scenes = pictures(0.2, 8.1, 16.1, 40)
    (best,) = spans(made(40.0, spoken(*times), scenes, per_minute=1, max_seconds=9))
    assert best == (8.1, 16.1)


SPEECH = st.lists(st.tuples(st.floats(0, 9), st.floats(0.05, 9), st.booleans()), max_size=25)


@settings(max_examples=200, deadline=None)
@given(
    SPEECH,
    st.lists(st.floats(0.1, 200), max_size=12),
    st.floats(0.5, 200),
    st.floats(0, 3),
    st.sampled_from([None, 1, 3]),
)
def test_candidates_of_any_film(speech, cuts, duration, snap, per_minute):
    times, at = [], 0.0
    for pause, length, _ in speech:
        start = round(at + pause, 3)
        at = round(start + length, 3)
        times.append((start, at))
    transcript = spoken(*times)
    for segment, (_, _, dot) in zip(transcript["segments"], speech, strict=True):
        if not dot:
            segment["words"][-1]["word"] = segment["words"][-1]["word"].rstrip(".")
    duration = round(duration, 3)
    bounds = sorted({0.0, duration, *(round(cut, 3) for cut in cuts if cut < duration)})
    found = made(duration, transcript, pictures(*bounds), snap_seconds=snap, per_minute=per_minute)
    assert found["segments"]
    for start, end in spans(found):
        if duration >= 5:
            assert 5 - 2e-6 <= end - start <= 12 + 2e-6
    if found["made_from"] == "sentences" and duration >= 5:
        words = [word for segment in transcript["segments"] for word in segment["words"]]
        words = [word for word in words if word["end"] <= duration]
        for border in itertools.chain(*spans(found)):
            assert not any(w["start"] + 1e-5 < border < w["end"] - 1e-5 for w in words)
