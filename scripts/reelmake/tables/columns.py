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
STAGE = Column("stage", "string", "", "the stage")
ATTEMPT = Column("attempt", "Int64", "", "which try it is")
HOST = Column("host", "string", "", "the machine")
CLASS = Column("class", "string", "", "of a failure: input, transient, resources, engine, killed")
ERROR = Column("error", "string", "", "why it failed")

SPEAKER = Column("speaker", "string", "", "whose voice it is: a label, see `speakers`")
SPEAKING = Column(
    "speakers", "string", "", "the labels of who speaks in it, the longest first, with commas"
)

RATED = (VIDEO, CANDIDATE, START, END, SCORE, REASON, TEXT, SPEAKING)
"""Of candidates, and of those that were chosen."""

TABLES: dict[str, tuple[Column, ...]] = {
    "videos": (
        VIDEO,
        Column("title", "string", "", "the name of its file or address, made readable"),
        Column("source", "string", "", "the path of the film, or its URL without secrets"),
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
        Column("size", "Int64", "bytes", "of the film's own file"),
        Column("modified", "datetime64[us, UTC]", "UTC", "when the film's own file was changed"),
        Column("finished", "datetime64[us, UTC]", "UTC", "when the last of its stages was done"),
        Column("content", "string", "", "SHA-256 of the film, sampled: equal for copies"),
    ),
    "streams": (
        VIDEO,
        Column("stream", "Int64", "", "the number of the stream in its file, from 0"),
        Column("type", "string", "", "video, audio or subtitle"),
        Column("codec", "string", "", "as FFmpeg calls it; missing where it is unknown"),
        Column("language", "string", "", "as the file says"),
        Column("title", "string", "", "of the track"),
        Column("is_default", "boolean", "", "marked as the one to play"),
        Column("duration", "Float64", "s", "how long it is, where the file says so"),
        Column("width", "Int64", "pixels", "as coded"),
        Column("height", "Int64", "pixels", "as coded"),
        Column("rotation", "Int64", "degrees", "clockwise, that turn the picture upright"),
        Column("fps", "Float64", "1/s", "frames a second, on average"),
        Column("channels", "Int64", "", "of sound"),
        Column("sample_rate", "Int64", "1/s", "of sound"),
        Column("undecodable", "string", "", "why nothing can be decoded, where that is so"),
    ),
    "segments": (
        VIDEO,
        Column("segment", "Int64", "", "the number of the segment of speech, from 0"),
        START,
        END,
        Column("text", "string", "", "what is said"),
        Column("speaker", "string", "", "who says most of it, where that is known: see `speakers`"),
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
        Column("speaker", "string", "", "who says it, where that is known: see `speakers`"),
    ),
    "speakers": (
        VIDEO,
        Column("speaker", "string", "", "the label of a voice in this film: S1 speaks first"),
        Column("name", "string", "", "who that is; missing where nobody has said"),
        Column("seconds", "float64", "s", "how long this voice speaks, in all"),
        Column("turns", "Int64", "", "how often"),
    ),
    "speaker_turns": (
        VIDEO,
        Column("turn", "Int64", "", "the number of the turn, from 0; those of two may overlap"),
        START,
        END,
        SPEAKER,
    ),
    "translations": (
        VIDEO,
        Column("language", "string", "", "the language, as translations.languages has it"),
        Column("segment", "Int64", "", "the number of the segment of speech"),
        START,
        END,
        Column("text", "string", "", "what is said, in that language"),
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
    "onscreen_texts": (
        VIDEO,
        Column("line", "Int64", "", "the number of the line of text in the picture, from 0"),
        Column("start", "float64", "s", "the first frame that was read and shows it"),
        Column("end", "float64", "s", "the last one"),
        Column("text", "string", "", "what is written"),
        Column("kind", "string", "", "subtitle, caption (it stays) or other"),
        Column("frames", "Int64", "frames", "how many show it, of those that were read"),
        Column("confidence", "float64", "", "how sure the model is, 0 to 1"),
        Column("left", "float64", "", "of its box, as a share of the picture's width"),
        Column("top", "float64", "", "of its box, as a share of the picture's height"),
        Column("width", "float64", "", "of its box, as a share of the picture's width"),
        Column("height", "float64", "", "of its box, as a share of the picture's height"),
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
        SPEAKING,
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
    "chapters": (
        VIDEO,
        Column("chapter", "Int64", "", "the number of the chapter, from 0"),
        START,
        END,
        Column("title", "string", "", "a few words"),
    ),
    "jobs": (
        VIDEO,
        STAGE,
        Column("state", "string", "", "running, done, failed or killed"),
        ATTEMPT,
        HOST,
        Column("started", "datetime64[us, UTC]", "UTC", "when it started"),
        Column("ended", "datetime64[us, UTC]", "UTC", "when it ended"),
        Column("cache", "string", "", "hit, miss, waiting or off"),
        Column("items_done", "Int64", "", "items done, in the unit of the stage"),
        Column("items_total", "Int64", "", "items there are"),
        Column("bytes", "Int64", "bytes", "what it made, on the disk"),
        CLASS,
        ERROR,
    ),
    "failures": (
        VIDEO,
        STAGE,
        CLASS,
        ERROR,
        ATTEMPT,
        HOST,
        Column("ended", "datetime64[us, UTC]", "UTC", "when it failed"),
        Column("log", "string", "", "the file that says more"),
    ),
    "provenance": (
        VIDEO,
        STAGE,
        Column("key", "string", "", "SHA-256 of all that the artifact is made from"),
        Column("version", "Int64", "", "of the stage"),
        Column("engines", "string", "", "JSON: the versions of the packages that made it"),
        HOST,
        Column("made", "datetime64[us, UTC]", "UTC", "when"),
        Column("cache", "string", "", "hit: it came from the artifact cache; miss, waiting, off"),
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
