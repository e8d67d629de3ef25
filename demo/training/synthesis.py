"""Speech with known word times, from the espeak-ng library that the `espeakng-loader` wheel carries.

`speak` gives 16 kHz samples and, for each word, when it starts and ends. The times come from the synthesizer itself
(its word and phoneme events), so they can judge a transcript's word times. No system package is needed.
"""

import ctypes
import functools
import threading

import numpy as np

SAMPLE_RATE = 16_000  # Hz, what Whisper hears
_ESPEAK_RATE = 22_050  # Hz, what espeak-ng makes

# From espeak-ng's public header, speak_lib.h.
_OUTPUT_SYNCHRONOUS = 2
_PHONEME_EVENTS = 0x0001
_DONT_EXIT = 0x8000
_CHARS_UTF8 = 1
_EVENT_END_OF_LIST, _EVENT_WORD, _EVENT_PHONEME = 0, 1, 7
_PARAMETER_RATE, _PARAMETER_PITCH = 1, 3
_RENAMED = {
    "en-gb": "en",
    "en-uk": "en",
}  # British English, whose voice name in espeak-ng is plain "en"

_lock = threading.Lock()  # the library has one global voice and one global callback


class _EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),  # characters, from 1
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),  # ms
        ("sample", ctypes.c_int),  # the same in samples, finer
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@functools.cache
def _library() -> ctypes.CDLL:
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    data = espeakng_loader.get_data_path().encode()
    rate = library.espeak_Initialize(_OUTPUT_SYNCHRONOUS, 0, data, _PHONEME_EVENTS | _DONT_EXIT)
    if rate != _ESPEAK_RATE:
        raise RuntimeError(
            f"espeak-ng did not start (got {rate}, expected {_ESPEAK_RATE} Hz); reinstall espeakng-loader"
        )
    return library


def speak(
    text: str, voice: str = "en-us", speed: int = 160, pitch: int = 50
) -> tuple[np.ndarray, list[tuple[str, float, float]]]:
    """Say `text` and tell when each word sounds.

    voice: an espeak-ng voice, with a variant after a plus if wanted (`en-gb`, `en-us+f3`); speed: words a minute, 80 to
    450; pitch: 0 to 99. Returns samples (float32, shape (n,), -1 to 1, mono, 16 kHz, about 0.1 s of silence or less at
    the ends) and `(word, start_s, end_s)` for each whitespace-separated word, with end > start and in order.
    Raises ValueError for an unknown voice or an empty text; an unknown variant is ignored by espeak-ng. espeak-ng keeps
    some state between calls, so saying a text twice in one process gives the same words at nearly the same times, not
    the same samples; the same calls in a new process do.
    """
    words = text.split()
    if not words:
        raise ValueError("nothing to say: the text is empty")
    text = " ".join(words)
    with _lock:
        samples, starts, phonemes = _synthesize(text, voice, speed, pitch)
    return resample(samples), _word_times(words, starts, phonemes, len(samples))


def _synthesize(text, voice, speed, pitch):
    """Samples at espeak's rate in [-1, 1], {text position: sample} of words, [(sample, is_pause)] of phonemes."""
    library = _library()
    name, plus, variant = voice.partition("+")
    name = _RENAMED.get(name.lower(), name)
    if library.espeak_SetVoiceByName((name + plus + variant).encode()) != 0:
        raise ValueError(f"espeak-ng has no voice {voice!r}; try en-us, en-gb or en-us+f3")
    library.espeak_SetParameter(_PARAMETER_RATE, int(speed), 0)
    library.espeak_SetParameter(_PARAMETER_PITCH, int(pitch), 0)
    blocks, starts, phonemes = [], {}, []

    def collect(wave, count, events):
        if wave and count > 0:
            blocks.append(np.ctypeslib.as_array(wave, (count,)).copy())
        i = 0
        while events[i].type != _EVENT_END_OF_LIST:
            event = events[i]
            if event.type == _EVENT_WORD:
                starts.setdefault(event.text_position - 1, event.sample)
            elif event.type == _EVENT_PHONEME:
                phonemes.append((event.sample, event.id.string[:1] in (b"_", b"")))
            i += 1
        return 0

    callback = _CALLBACK(collect)
    library.espeak_SetSynthCallback(callback)
    data = text.encode()
    error = library.espeak_Synth(data, len(data) + 1, 0, 1, 0, _CHARS_UTF8, None, None)
    if error != 0 or not blocks:
        raise RuntimeError(f"espeak-ng could not say {text!r} with voice {voice!r} (error {error})")
    return np.concatenate(blocks).astype(np.float32) / 32768, starts, phonemes


def _word_times(words, starts, phonemes, total):
    """`(word, start_s, end_s)` of each word, from its first phoneme to the next word or pause."""
    positions = np.cumsum([0] + [len(word) + 1 for word in words[:-1]])
    begin_of = _spread(
        words, [starts.get(int(p)) for p in positions], [s for s, _ in phonemes], total
    )
    times = []
    for i, word in enumerate(words):
        begin, limit = begin_of[i], begin_of[i + 1]
        inside = [(sample, pause) for sample, pause in phonemes if begin <= sample < limit]
        sounds = [sample for sample, pause in inside if not pause]
        # espeak marks a word at the closure before its first sound; the sound is what one hears.
        start = sounds[0] if sounds else begin
        end = next((sample for sample, pause in inside if pause and sample > start), limit)
        times.append((word, start / _ESPEAK_RATE, end / _ESPEAK_RATE))
    return times


def _spread(words, begins, phonemes, total):
    """Fill in words without an event: espeak says some pairs as one ("in the"), with one event for both.

    A pair's time is shared by letters, then moved to the nearest phoneme. Returns len(words) + 1 samples.
    """
    begins = [begins[0] or 0, *begins[1:], total]
    for i in range(1, len(words)):
        if begins[i] is not None:
            continue
        stop = next(j for j in range(i, len(begins)) if begins[j] is not None)
        group = words[i - 1 : stop]
        span = begins[stop] - begins[i - 1]
        guess = begins[i - 1] + span * len(group[0]) / sum(map(len, group))
        inside = [s for s in phonemes if begins[i - 1] < s < begins[stop]]
        begins[i] = min(inside, key=lambda s: abs(s - guess)) if inside else int(guess)
    return begins


@functools.cache
def _resampling_matrix(up=320, down=441, half_width=24):
    """Windowed-sinc filters that turn each block of 441 samples into 320, shape (441 + 2 * half_width, 320)."""
    cutoff = (
        0.96 * up / down
    )  # of the input's Nyquist frequency: flat to 7.3 kHz, above 8 kHz 80 dB down
    centers = np.arange(up) * down / up
    offsets = np.arange(-half_width, down + half_width)[:, None] - centers[None, :]
    inside = np.abs(offsets) <= half_width
    window = np.i0(8.0 * np.sqrt(np.clip(1 - (offsets / half_width) ** 2, 0, 1))) / np.i0(8.0)
    matrix = np.where(inside, cutoff * np.sinc(cutoff * offsets) * window, 0)
    return (matrix / matrix.sum(axis=0)).astype(np.float32)


def resample(samples: np.ndarray) -> np.ndarray:
    """22,050 Hz to 16,000 Hz: float32 (n,) to float32 (about n * 320 / 441,), the same start."""
    matrix = _resampling_matrix()
    half_width = (matrix.shape[0] - 441) // 2
    blocks = -(-len(samples) // 441)
    padded = np.zeros(blocks * 441 + 2 * half_width, np.float32)
    padded[half_width : half_width + len(samples)] = samples
    windows = np.lib.stride_tricks.sliding_window_view(padded, matrix.shape[0])[::441]
    return np.clip((windows @ matrix).reshape(-1)[: len(samples) * 320 // 441], -1, 1)
