"""What is written in the picture at some time."""

from reelmake.editing import onscreen_texts

LINES = [
    {"text": "Agenda", "start": 1.0, "end": 9.0},
    {"text": "Results", "start": 30.0, "end": 30.0},
    {"text": "Bye", "start": 50.0, "end": 50.0},
]


def test_in_a_frame():
    assert onscreen_texts.at(LINES, 30.0004) == ["Results"]  # times are rounded
    assert onscreen_texts.at(LINES, 5.0) == ["Agenda"]
    assert onscreen_texts.at(LINES, 20.0) == []


def test_in_a_segment_and_the_keyframes_of_its_scenes():
    segments = [
        {"id": 0, "start": 0.0, "end": 12.0, "scenes": [0, 1]},
        {"id": 1, "start": 40.0, "end": 49.0, "scenes": [2]},
        {"id": 2, "start": 60.0, "end": 70.0, "scenes": [9]},
    ]
    keyframes = {0: [5.0], 1: [30.0], 2: [50.0]}
    assert onscreen_texts.by_segment(LINES, segments, keyframes) == {
        0: ["Agenda", "Results"],  # once, although it is in both
        1: ["Bye"],
        2: [],
    }
    assert onscreen_texts.by_segment([], segments, keyframes) == {}
