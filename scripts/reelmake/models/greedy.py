"""The likeliest token that a grammar allows, found without asking it about all the others.

llama.cpp's grammar sampler looks at the whole vocabulary at each step: with 262,144 tokens 0.06 s
on a CPU for each token of an answer, whatever the GPU does. The likeliest token alone is nearly
always allowed; only where it is not are all asked about, as llama.cpp's own command line does. The
tokens are the same.
"""

import ctypes
from typing import Any

import numpy as np


class Sampler:
    """Stands for llama-cpp-python's `LlamaSampler`.

    engine: the module llama_cpp. llama: a loaded model. grammar: llama-cpp-python's.
    """

    def __init__(self, engine: Any, llama: Any, grammar: Any):
        self._engine, self._count = engine, llama.n_vocab()
        # A chain of one, which owns the grammar and frees it.
        self._chain = engine._internals.LlamaSampler()
        self._chain.add_grammar(llama._model, grammar)
        self._all: np.ndarray[Any, Any] | None = None

    def sample(self, context: Any, index: int = -1) -> int:
        """The token for the logits at an index of the last batch; the grammar goes on with it."""
        engine = self._engine
        pointer = engine.llama_get_logits_ith(context.ctx, index)
        logits = np.ctypeslib.as_array(pointer, (self._count,))
        token = int(np.argmax(logits))  # of equal ones the first, as llama.cpp has it
        one = engine.llama_token_data(token, float(logits[token]), 0.0)
        self._apply(ctypes.pointer(one), 1)
        if one.logit == -np.inf:
            token = self._best_of_all(logits)
        engine.llama_sampler_accept(self._chain.sampler, token)
        return token

    def _best_of_all(self, logits: Any) -> int:
        engine = self._engine
        if self._all is None:
            form = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])
            self._all = np.zeros(self._count, form)
        data = self._all
        data["id"], data["logit"] = np.arange(self._count), logits
        self._apply(data.ctypes.data_as(engine.llama_token_data_p), self._count)
        return int(data["id"][int(np.argmax(data["logit"]))])

    def _apply(self, data: Any, count: int) -> None:
        """Let the grammar take the chance from what it does not allow."""
        engine = self._engine
        array = engine.llama_token_data_array(data, count, -1, False)
        engine.llama_sampler_apply(self._chain.sampler, ctypes.byref(array))
