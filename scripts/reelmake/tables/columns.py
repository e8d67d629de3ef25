"""The columns of every table: name, dtype, unit and meaning, declared once.

The frames are built to these, the documentation is written from them.
"""

from typing import NamedTuple


class Column(NamedTuple):
    """dtype: of pandas; unit: empty where there is none."""

    name: str
    dtype: str
    unit: str
    meaning: str


VIDEO = Column("video", "string", "", "the id: the folder below results/")
START = Column("start", "float64", "s", "when it begins, after the film's time zero")
END = Column("end", "float64", "s", "when it ends")
SCENE = Column("scene", "Int64", "", "the number of the scene, from 0")
SCORE = Column("score", "Float64", "", "0 to 10; missing where the model gave none")
REASON = Column("reason", "string", "", "why, in the model's words")
CANDIDATE = Column("candidate", "Int64", "", "the id of the candidate in segments.json")
TEXT = Column("text", "string", "", "what is said in it")

RATED = (VIDEO, CANDIDATE, START, END, SCORE, REASON, TEXT)
"""Of candidates, and of those that were chosen."""

TABLES: dict[str, tuple[Column, ...]] = {
    "videos": (
        VIDEO,
        Column("source", "string", "", "the path or URL of the film"),
        Column("state", "string", "", "done, running, waiting, failed or killed"),
        Column("duration", "Float64", "s", "how long the film is"),
        Column("container", "string", "", "its format, as FFmpeg calls it"),
        Column("width", "Int64", "pixels", "of the main picture, as coded"),
        Column("height", "Int64", "pixels", "of the main picture, as coded"),
        Column("fps", "Float64", "1/s", "frames a second, on average"),
        Column("language", "string", "", "what is spoken"),
        Column("segments", "Int64", "", "segments of speech"),
        Column("scenes", "Int64", "", "scenes"),
        Column("highlights", "Int64", "", "highlights"),
        Column("bytes", "Int64", "bytes", "what its artifacts take on the disk"),
    ),
    "segments": (
        VIDEO,
        Column("segment", "Int64", "", "the number of the segment of speech, from 0"),
        START,
        END,
        Column("text", "string", "", "what is said"),
        Column("speaker", "string", "", "who says it, where that is known"),
        Column("avg_logprob", "float64", "", "mean log probability of the words' tokens"),
        Column("no_speech_prob", "float64", "", "how likely nobody speaks, 0 to 1"),
        Column("compression_ratio", "float64", "", "high where the text repeats itself"),
    ),
    "words": (
        VIDEO,
        Column("segment", "Int64", "", "the number of its segment of speech"),
        START,
        END,
        Column("word", "string", "", "the word, with its punctuation"),
        Column("probability", "float64", "", "how sure the model is, 0 to 1"),
    ),
    "scenes": (
        VIDEO,
        SCENE,
        START,
        END,
        Column("start_frame", "Int64", "frames", "the first frame"),
        Column("end_frame", "Int64", "frames", "the frame after the last"),
    ),
    "keyframes": (
        VIDEO,
        SCENE,
        Column("time", "float64", "s", "when the frame is shown"),
        Column("frame", "Int64", "frames", "the number of the frame"),
        Column("file", "string", "", "the picture, below results/<video>/keyframes/"),
        Column("sharpness", "Float64", "", "variance of the Laplacian: higher is sharper"),
        Column("width", "Int64", "pixels", "of the picture"),
        Column("height", "Int64", "pixels", "of the picture"),
        Column("faces", "Int64", "", "faces found; missing where nobody looked"),
    ),
    "descriptions": (
        VIDEO,
        SCENE,
        Column("time", "float64", "s", "when the described frame is shown"),
        Column("file", "string", "", "the picture, below results/<video>/keyframes/"),
        Column("visual_content", "string", "", "what is seen; missing where the model failed"),
        Column("mood", "string", "", "the mood"),
        Column("action", "string", "", "what happens"),
        Column("setting", "string", "", "where it is"),
    ),
    "scores": RATED,
    "highlights": RATED,
    "clips": (
        VIDEO,
        CANDIDATE,
        Column("file", "string", "", "the film, below results/<video>/clips/"),
        Column("subtitles", "string", "", "its subtitles, beside it; missing where there are none"),
        START,
        END,
        Column("duration", "float64", "s", "how long the clip is"),
        Column("width", "Int64", "pixels", "of its picture"),
        Column("height", "Int64", "pixels", "of its picture"),
        SCORE,
        REASON,
    ),
    "beats": (
        VIDEO,
        Column("beat", "string", "", "setup, rising, climax or resolution"),
        CANDIDATE,
        START,
        END,
        SCORE,
        Column("title", "string", "", "a few words; missing where the model failed"),
        Column("why", "string", "", "what makes it this beat"),
    ),
    "jobs": (
        VIDEO,
        Column("stage", "string", "", "the stage"),
        Column("state", "string", "", "running, done, failed or killed"),
        Column("attempt", "Int64", "", "which try it is"),
        Column("host", "string", "", "the machine"),
        Column("started", "datetime64[us, UTC]", "UTC", "when it started"),
        Column("ended", "datetime64[us, UTC]", "UTC", "when it ended"),
        Column("cache", "string", "", "hit, miss, waiting or off"),
        Column("items_done", "Int64", "", "items done, in the unit of the stage"),
        Column("items_total", "Int64", "", "items there are"),
        Column("bytes", "Int64", "bytes", "what it made, on the disk"),
        Column("class", "string", "", "of a failure: input, transient, resources, engine, killed"),
        Column("error", "string", "", "why it failed"),
    ),
}


def as_markdown() -> str:
    """A section for each table with its columns, for the documentation."""
    parts = []
    for table, columns in TABLES.items():
        rows = ["| column | dtype | unit | meaning |", "|---|---|---|---|"]
        rows += [f"| `{c.name}` | `{c.dtype}` | {c.unit} | {c.meaning} |" for c in columns]
        parts.append(f"### {table}\n\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)
