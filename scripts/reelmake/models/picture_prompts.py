"""A message with pictures, as llama.cpp's `mtmd` reads it into any sequence of a context."""

import ctypes
import weakref
from collections.abc import Sequence
from typing import Any

from reelmake.models import together


class PicturePrompt:
    """A `together.Prompt` of text and pictures.

    handler: llama-cpp-python's `MTMDChatHandler`, whose vision encoder is loaded. text: the chat
    as its template writes it down, with `marker(handler)` where a picture is. pictures: the
    bytes of JPEG or PNG files, in their order. Raises ValueError for what is no picture.
    """

    opening = None
    """The picture comes first, and each has its own."""

    def __init__(self, handler: Any, text: str, pictures: Sequence[bytes]):
        self._handler, self._mtmd = handler, handler._mtmd_cpp
        mtmd = self._mtmd
        bitmaps: list[Any] = []
        chunks = mtmd.mtmd_input_chunks_init()
        weakref.finalize(self, mtmd.mtmd_input_chunks_free, chunks)
        try:
            for picture in pictures:
                bitmaps.append(handler._create_bitmap_from_bytes(picture))
            raw = text.encode()
            # By name: llama.cpp has changed which fields there are.
            given = mtmd.mtmd_input_text()
            given.text, given.text_len = raw, len(raw)
            given.add_special = given.parse_special = True
            array = (mtmd.mtmd_bitmap_p_ctypes * len(bitmaps))(*bitmaps)
            code = mtmd.mtmd_tokenize(
                handler.mtmd_ctx, chunks, ctypes.byref(given), array, len(bitmaps)
            )
            if code:
                raise ValueError(f"Failed to tokenize input: error code {code}")
        finally:
            for bitmap in bitmaps:
                mtmd.mtmd_bitmap_free(bitmap)
        self._chunks = chunks
        self.tokens = int(mtmd.mtmd_helper_get_n_tokens(chunks))
        self.batch = max(together.BATCH, *self._whole())

    def _whole(self) -> list[int]:
        """The sizes, in tokens, of what is evaluated in one piece; two at least."""
        mtmd, found = self._mtmd, [0, 0]
        for place in range(mtmd.mtmd_input_chunks_size(self._chunks)):
            chunk = mtmd.mtmd_input_chunks_get(self._chunks, place)
            if mtmd.mtmd_decode_use_non_causal(self._handler.mtmd_ctx, chunk):
                found.append(int(mtmd.mtmd_input_chunk_get_n_tokens(chunk)))
        return found

    def evaluate(self, context: Any, sequence: int, batch: int) -> int:
        """See `together.Prompt`."""
        after = ctypes.c_int32(0)
        code = self._mtmd.mtmd_helper_eval_chunks(
            *(self._handler.mtmd_ctx, context.ctx, self._chunks, 0, sequence, batch, True),
            ctypes.byref(after),
        )
        if code:
            raise ValueError(f"Failed to evaluate chunk: error code {code}")
        return after.value


def marker(handler: Any) -> str:
    """What stands in a text where a picture is."""
    found: str = handler._mtmd_cpp.mtmd_default_marker().decode()
    return found
