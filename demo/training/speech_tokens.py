"""The tiny speech model's tokens: bytes, one token a word, a pause, Whisper's specials and timestamps.

The ids follow English Whisper's order: text below `<|endoftext|>`, then eight specials, then 1,501 timestamps.
"""

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from vocabulary import WORDS

SPECIALS = [
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
]
# A token that decodes to nothing. It stands where speech pauses, so that in the alignment of words with audio the
# silence goes to it and not to the words around it.
PAUSE = "<|pause|>"

_FIRST_WORD = 256
WORD_ID = {word: _FIRST_WORD + i for i, word in enumerate(WORDS)}
PAUSE_ID = _FIRST_WORD + len(WORDS)
END_ID = PAUSE_ID + 1
START_ID = END_ID + 1
NO_SPEECH_ID = END_ID + 6
NO_TIMESTAMPS_ID = END_ID + 7
TIMESTAMP_ID = END_ID + 8  # of 0.00 s; each next one is 0.02 s later
VOCABULARY_SIZE = TIMESTAMP_ID + 1501


def timestamp(seconds: float) -> int:
    """The token of a time, rounded to 0.1 s: a small model learns a coarse grid much sooner than steps of 0.02 s."""
    return TIMESTAMP_ID + 5 * min(max(round(seconds * 10), 0), 300)


def build_tokenizer() -> Tokenizer:
    """A byte-level BPE tokenizer without merges: known words (with the space before them) whole, others as bytes.

    All 256 bytes are there because faster-whisper encodes symbols to build its list of suppressed tokens.
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: i for i, letter in enumerate(alphabet)}
    vocabulary.update({"Ġ" + word: i for word, i in WORD_ID.items()})
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in [PAUSE, *SPECIALS]])
    return tokenizer
