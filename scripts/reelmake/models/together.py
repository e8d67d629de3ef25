"""Several answers of one model, decoded together, token by token.

To read a model's weights for one token costs a GPU about as much as for thirty-two. Each answer is
one of llama.cpp's sequences, with a part of the KV cache to itself; those that are not at an end
yet are decoded in one batch. The same group of prompts has the same answers, to the bit, in
another process, too; another group, or one prompt alone, may differ in the last bits, for which a
backend has other kernels.

What many prompts begin with is evaluated once a group, by itself, and copied to each. A prompt's
opening follows from the settings, not from the group: so a prompt is evaluated in the same pieces,
and has the same numbers, whoever is beside it and whoever fails there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from reelmake.models import greedy
from reelmake.models.one_by_one import Said

BATCH = 512
"""Tokens of a prompt that are evaluated at a time."""
PAD = 256
"""llama.cpp looks at the KV cache in steps of so many cells."""


class Prompt(Protocol):
    """A message as a model reads it."""

    tokens: int
    """Cells of the KV cache that it takes."""
    batch: int
    """Tokens that have to be evaluated at a time: those of a picture that sees itself whole."""

    @property
    def opening(self) -> "Prompt | None":
        """What it begins with, as others do: the same object for all of them."""

    def evaluate(self, context: Any, sequence: int, batch: int) -> int:
        """Put what follows the opening into the KV cache; the position that comes after it.

        context: llama-cpp-python's `LlamaContext`; batch: tokens at a time. The logits of the
        last token are the context's last. Raises ValueError where the model can't take it.
        """


@dataclass(frozen=True)
class Question:
    """prompt: the message. grammar: llama-cpp-python's, of the answer. room: its longest answer,
    in tokens."""

    prompt: Prompt
    grammar: Any
    room: int


@dataclass
class _Sequence:
    index: int
    """Which of the prompts it answers."""
    room: int
    sampler: greedy.Sampler
    position: int
    tokens: list[int] = field(default_factory=list)


@dataclass
class _Opening:
    """sequence: the one that holds it. prompt: which it is; None: it holds nothing."""

    sequence: int
    prompt: Prompt | None = None


class Decoder:
    """Answers with a model that is loaded.

    engine: the module llama_cpp. llama: the model; of its own context nothing is used.
    on_gpu: whether layers of it lie on a GPU. Close it before the model.
    """

    def __init__(self, engine: Any, llama: Any, on_gpu: bool):
        self._engine, self._llama, self._on_gpu = engine, llama, on_gpu
        self._context: Any = None
        self._room = (0, 0, 0)

    def close(self) -> None:
        """Free the KV cache."""
        if self._context is not None:
            self._context.close()
            self._context, self._room = None, (0, 0, 0)

    def answers(self, group: Sequence[Question]) -> list[Said | ValueError]:
        """What the model says to each message; ValueError where it can't take one.

        Raises MemoryError where there is too little for so many at once.
        """
        cells = max(asked.prompt.tokens + asked.room for asked in group)
        batch = max(asked.prompt.batch for asked in group)
        context = self._empty_context(len(group), -(-cells // PAD) * PAD, batch)
        said: list[Said | ValueError] = [ValueError("not asked")] * len(group)
        going: list[_Sequence] = []
        opening = _Opening(len(group) - 1)
        for index, asked in enumerate(group):
            sampler = greedy.Sampler(self._engine, self._llama, asked.grammar)
            try:
                position = self._evaluate(asked.prompt, len(going), opening, batch)
            except ValueError as error:
                said[index] = error
                for number in {len(going), opening.sequence}:
                    self._forget(number)
                opening.prompt = None
                continue
            going.append(_Sequence(index, asked.room, sampler, position))
            self._choose(going[-1], -1, said)
            if not isinstance(said[index], ValueError):  # the first token ended it
                going.pop()
                self._forget(len(going))
        while going:
            step = [
                (each.tokens[-1], each.position + len(each.tokens) - 1, number, True)
                for number, each in enumerate(going)
            ]
            decode(self._engine, context, step)
            for number, each in enumerate(going):
                self._choose(each, number, said)
            going = self._without_ended(going, said)
        return said

    def _evaluate(self, prompt: Prompt, number: int, there: "_Opening", batch: int) -> int:
        """Put a prompt into a sequence that holds nothing; the position that comes after it.

        there: the opening that the last sequence holds, whose turn comes last, and where the
        prompt's own one is put first.
        """
        if prompt.opening is not there.prompt:
            self._forget(there.sequence)
            if prompt.opening is not None:
                prompt.opening.evaluate(self._context, there.sequence, batch)
            there.prompt = prompt.opening
        if prompt.opening is not None and number != there.sequence:
            self._copy(there.sequence, number)
        return prompt.evaluate(self._context, number, batch)

    def _choose(self, each: _Sequence, number: int, said: list[Said | ValueError]) -> None:
        """Take the next token of a sequence: the likeliest at these logits of the last batch."""
        token = each.sampler.sample(self._context, number)
        vocabulary = self._llama._model.vocab
        ended = bool(self._engine.llama_vocab_is_eog(vocabulary, token))
        if not ended:
            each.tokens.append(token)
        if ended or len(each.tokens) >= each.room:
            text = self._llama.detokenize(each.tokens).decode(errors="ignore")
            said[each.index] = text, ended

    def _without_ended(
        self, going: list[_Sequence], said: list[Said | ValueError]
    ) -> list[_Sequence]:
        """The sequences that go on. Only those with numbers next to each other are decoded as
        one: the last ones come to where some have ended."""
        left = [
            number for number, each in enumerate(going) if isinstance(said[each.index], Exception)
        ]
        ended = sorted(set(range(len(going))) - set(left))
        for number in ended:
            self._forget(number)
        # Of gaps and of those behind them there are equally many.
        gaps = [number for number in ended if number < len(left)]
        behind = [number for number in left if number >= len(left)]
        for gap, number in zip(gaps, behind, strict=True):
            self._copy(number, gap)
            self._forget(number)
            going[gap] = going[number]
        return going[: len(left)]

    def _copy(self, number: int, to: int) -> None:
        # Whole: llama.cpp aborts the process where a part is copied between sequences.
        self._engine.llama_memory_seq_cp(self._context.memory, number, to, -1, -1)

    def _forget(self, number: int) -> None:
        self._engine.llama_memory_seq_rm(self._context.memory, number, -1, -1)

    def _empty_context(self, count: int, cells: int, batch: int) -> Any:
        """A context for so many sequences of so many cells each, which holds nothing."""
        engine = self._engine
        wanted = (count, cells, batch)
        if any(have < want for have, want in zip(self._room, wanted, strict=True)):
            count, cells, batch = (max(pair) for pair in zip(self._room, wanted, strict=True))
            self.close()
            self._room = (count, cells, batch)
            params = engine.llama_context_default_params()
            params.n_ctx, params.n_seq_max = count * cells, count
            # A picture that sees itself whole and is larger than a batch aborts the process.
            params.n_batch = params.n_ubatch = batch
            params.kv_unified = False
            given = self._llama.context_params
            params.n_threads, params.n_threads_batch = given.n_threads, given.n_threads_batch
            params.flash_attn_type = (
                engine.LLAMA_FLASH_ATTN_TYPE_AUTO
                if self._on_gpu
                else engine.LLAMA_FLASH_ATTN_TYPE_DISABLED
            )
            try:
                self._context = engine._internals.LlamaContext(
                    model=self._llama._model, params=params, verbose=False
                )
            except ValueError as error:
                self._room = (0, 0, 0)
                raise MemoryError(f"{count} answers at once: {error}") from error
        engine.llama_memory_clear(self._context.memory, True)
        return self._context


def decode(engine: Any, context: Any, batch: Sequence[tuple[int, int, int, bool]]) -> None:
    """Evaluate some tokens: each with its position, its sequence, and whether its logits are
    wanted.

    Raises ValueError where llama.cpp refuses them, MemoryError where it fails.
    """
    made = engine.llama_batch_init(len(batch), 0, 1)
    try:
        made.n_tokens = len(batch)
        for place, (token, position, sequence, wanted) in enumerate(batch):
            made.token[place], made.pos[place] = token, position
            made.n_seq_id[place], made.seq_id[place][0] = 1, sequence
            made.logits[place] = wanted
        code = engine.llama_decode(context.ctx, made)
    finally:
        engine.llama_batch_free(made)
    if code < -1:
        raise MemoryError(f"llama_decode returned {code}")
    if code:
        raise ValueError(f"llama_decode returned {code}")
