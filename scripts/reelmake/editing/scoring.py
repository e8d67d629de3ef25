"""How much each segment deserves to be a highlight: what the text model is asked, and what is kept
of its answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from reelmake.editing import prompts
from reelmake.editing.prompts import Answer, AnswerForm, Question

LONGEST_REASON = 300
"""Characters."""


def questions(
    segments: Sequence[Mapping[str, Any]],
    seen: Mapping[int, list[dict[str, str]]],
    template: str,
    language: str | None = None,
    onscreen: Mapping[int, Sequence[str]] | None = None,
) -> list[Question]:
    """The question about each segment of segments.json.

    seen: the descriptions by scene. template: the setting `scores.prompt`. language: the
    name of that to answer in. onscreen: the lines of text in
    the picture by the id of a segment.
    """
    return [
        Question.about(
            template,
            each,
            seen,
            language=language,
            onscreen=(onscreen or {}).get(each["id"], ()),
        )
        for each in segments
    ]


def scores(
    segments: Sequence[Mapping[str, Any]], answers: Sequence[Answer | None]
) -> list[dict[str, Any]]:
    """The scores as scores.json lists them. A segment without an answer has no score."""
    return [
        {"id": segment["id"], **(answer or {"score": None, "reason": None})}
        for segment, answer in zip(segments, answers, strict=True)
    ]


def understood(answer: Answer) -> Answer:
    """What is kept of a model's answer: {"score": 0 to 10, "reason": one line}."""
    return {
        "score": answer["score"],
        "reason": prompts.one_line(answer["reason"], LONGEST_REASON),
    }


# No `maxLength`: llama-cpp-python writes a string of at most 300 characters as 300 rules within
# each other, with which an answer of 20 tokens takes 1 s instead of 0.04 s; a text that runs on is
# closed where `text_model.max_tokens` ends it.
FORM = AnswerForm(
    {
        "type": "object",
        # In this order: a score that follows its reason is better than a reason made for a score.
        "properties": {
            "reason": {"type": "string"},
            "score": {"type": "integer", "enum": list(range(11))},
        },
        "required": ["reason", "score"],
        "additionalProperties": False,
    },
    understood,
)
