"""How much each segment deserves to be a highlight, by the text model."""

from typing import Any

from reelmake.editing import prompts
from reelmake.editing.prompts import Question
from reelmake.jobs import resumable_items
from reelmake.jobs.job import Job
from reelmake.jobs.resumable_items import Answer, Engine

SCHEMA = {
    "type": "object",
    # In this order: a score that follows its reason is better than a reason made for a score.
    "properties": {
        "reason": {"type": "string"},
        "score": {"type": "integer", "enum": list(range(11))},
    },
    "required": ["reason", "score"],
    "additionalProperties": False,
}
"""Of the answer. No `maxLength`: llama-cpp-python writes a string of at most 300 characters as
300 rules within each other, with which an answer of 20 tokens takes 1 s instead of 0.04 s;
`text_model.max_tokens` ends it."""

LONGEST_REASON = 300
"""Characters."""


def score(
    this: Job,
    engine: Engine,
    segments: list[dict[str, Any]],
    seen: dict[int, list[dict[str, str]]],
) -> list[dict[str, Any]]:
    """The scores of the segments, as scores.json lists them.

    seen: the descriptions by scene. A segment in which nothing is said or seen has no score, nor
    has one that the model failed on. Raises StageError where it failed on all of them.
    """
    questions = [Question.about(this.settings["prompt"], each, seen) for each in segments]
    answers = resumable_items.ask(this, engine, questions, SCHEMA, understood, needed=True)
    return [
        {"id": segment["id"], **(answer or {"score": None, "reason": None})}
        for segment, answer in zip(segments, answers, strict=True)
    ]


def understood(answer: Answer) -> Answer:
    """What is kept of a model's answer."""
    return {
        "score": answer["score"],
        "reason": prompts.one_line(answer["reason"], LONGEST_REASON),
    }
