"""Questions to the text model, one after the other, each answer kept as soon as it is there."""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from reelmake.editing.prompts import Question
from reelmake.foundation import artifact_files
from reelmake.foundation.errors import StageError
from reelmake.foundation.journal import Journal
from reelmake.jobs import gpus
from reelmake.jobs.job import Job
from reelmake.library.stages import STAGES
from reelmake.models import gguf
from reelmake.models.text_model import TextModel

Answer = dict[str, Any]


@dataclass(frozen=True)
class Engine:
    """Where the text model is and what it may use.

    repo_id, model: the settings `text_model.repo_id` and `.model`. device, gpus_at_once: as
    `gpus.one` has them. gpu_layers: as llama.cpp counts them, 0 for none.
    """

    repo_id: str | None
    model: str
    device: str
    gpus_at_once: int
    gpu_layers: int
    threads: int

    @classmethod
    def given(cls, params: Any, threads: int) -> "Engine":
        """As a rule's params, of these names, say it."""
        return cls(
            repo_id=params.repo_id,
            model=params.model,
            device=params.device,
            gpus_at_once=params.gpus_at_once,
            gpu_layers=0 if params.device == "cpu" else params.gpu_layers,
            threads=threads,
        )


@contextlib.contextmanager
def _loaded(this: Job, engine: Engine) -> Iterator[TextModel]:
    """The text model, on a GPU of its own where there is one. Raises StageError."""
    path = gguf.local_file("text_model.model", engine.model, engine.repo_id)
    with (
        gpus.one(this, engine.device, engine.gpus_at_once),
        TextModel(path, this.settings, engine.gpu_layers, engine.threads) as model,
    ):
        yield model


def ask(
    this: Job,
    engine: Engine,
    questions: Sequence[Question],
    schema: dict[str, Any],
    understood: Callable[[Answer], Answer],
    needed: bool,
) -> list[Answer | None]:
    """The answers, in the order of the questions; None where the model failed, or was not asked
    because nothing is said or seen.

    schema: of the model's answer. understood: what is kept of it; raises ValueError for an
    answer that is no good. needed: whether it is an error that the model fails on all of them.
    Each answer is journaled: what an earlier job asked is not asked again, and where nothing is
    left to ask the model is not loaded. Raises StageError.
    """
    asked = [question for question in questions if not question.is_empty]
    with this.journal() as journal:
        answers = _resume(journal, asked)
        this.progress(len(answers), len(asked))
        if len(answers) < len(asked):
            with _loaded(this, engine) as model:
                for question in asked[len(answers) :]:
                    with this.item():
                        answers.append(_answer(model, question, schema, understood))
                        journal.append({"question": _digest(question), "answer": answers[-1]})
                        this.progress(len(answers), len(asked))
        this.record["items_failed"] = failed = answers.count(None)
        if needed and answers and failed == len(answers):
            journal.close(done=True)  # the next run asks the model again
            raise StageError(
                f"the model {engine.model} failed on all {failed} {STAGES[this.stage].items}; "
                f"the log says how: {this.record['log']}",
                kind="engine",
            )
    found = iter(answers)
    return [None if question.is_empty else next(found) for question in questions]


def _resume(journal: Journal, questions: Sequence[Question]) -> list[Answer | None]:
    """The journaled answers to the first questions, up to one that has none."""
    known = {record["question"]: record["answer"] for record in journal.records}
    answers: list[Answer | None] = []
    for digest in map(_digest, questions):
        if digest not in known:
            break
        answers.append(known[digest])
    return answers


def _digest(question: Question) -> str:
    """SHA-256 of all that is asked: inputs may have been edited since."""
    return hashlib.sha256(json.dumps(astuple(question)).encode()).hexdigest()


def _answer(
    model: TextModel,
    question: Question,
    schema: dict[str, Any],
    understood: Callable[[Answer], Answer],
) -> Answer | None:
    try:
        answer = model.ask(question, schema)
        # llama-cpp-python takes any JSON where it can't make a grammar of a schema.
        if not artifact_files.is_valid(answer, schema):
            raise ValueError("it is not what was asked for")
        return understood(answer)
    except ValueError as error:
        shown = (question.sentences or question.scenes)[0]
        print(f"no answer about '{shown}': {error}")
        return None
