"""The film told in short: its beats, with the words that the text model finds for them."""

from typing import Any

from reelmake.editing import beats, prompts
from reelmake.editing.prompts import Question
from reelmake.jobs import resumable_items
from reelmake.jobs.job import Job
from reelmake.jobs.resumable_items import Answer, Engine

SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "why": {"type": "string"}},
    "required": ["title", "why"],
    "additionalProperties": False,
}
"""Of the answer."""

LONGEST_TITLE, LONGEST_WHY = 80, 300
"""Characters."""


def tell(
    this: Job,
    engine: Engine,
    segments: dict[str, Any],
    scores: dict[str, Any],
    seen: dict[int, list[dict[str, str]]],
) -> list[dict[str, Any]]:
    """The beats, as narrative.json lists them.

    segments, scores: the contents of the two artifacts. seen: the descriptions by scene.
    A beat in which nothing is said or seen has no words, nor has one that the model failed on:
    what it is and where is known without. Raises StageError where the model can't be loaded.
    """
    by_id = {each["id"]: each["score"] for each in scores["scores"]}
    chosen = beats.choose(
        segments["segments"], by_id, segments["duration"], this.settings["rising"]
    )
    questions = [
        Question.about(this.settings["prompt"], segment, seen, beat) for beat, segment in chosen
    ]
    answers = resumable_items.ask(this, engine, questions, SCHEMA, understood, needed=False)
    return [
        {
            "beat": beat,
            "id": segment["id"],
            "start": segment["start"],
            "end": segment["end"],
            "score": by_id.get(segment["id"]),
            **(answer or {"title": None, "why": None}),
        }
        for (beat, segment), answer in zip(chosen, answers, strict=True)
    ]


def understood(answer: Answer) -> Answer:
    """What is kept of a model's answer. Raises ValueError for one that is none."""
    title = prompts.one_line(answer["title"], LONGEST_TITLE)
    if not title:
        raise ValueError("a title without a letter")
    return {"title": title, "why": prompts.one_line(answer["why"], LONGEST_WHY)}
