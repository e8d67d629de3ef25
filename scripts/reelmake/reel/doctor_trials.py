"""`reel doctor --try`: whether each engine works, and on what, found out with a tiny model."""

from collections.abc import Iterator

from reelmake.jobs.gpus import uses_gpu
from reelmake.library.config import DEFAULTS, Config
from reelmake.reel import doctor_models
from reelmake.reel.finding import Finding, State

MODELS = DEFAULTS.parent / "demo" / "models"
"""The demo's, in a checkout; an installed package has none."""

_SPEECH = """
import sys
import numpy
from reelmake.library import config
from reelmake.models import whisper
folder, device, _ = sys.argv[1:]
with whisper.loaded(folder, config.load({})["transcription"], device, 2) as speech:
    list(speech.hear(numpy.zeros(16000, "float32"), "en", None, None))
    print(json.dumps(speech.device))
"""
_LLAMA = """
import sys
import tempfile
from pathlib import Path
from reelmake.editing import scoring
from reelmake.editing.prompts import Question
from reelmake.library import config
from reelmake.models import llama
from reelmake.models.text_model import TextModel
path, _, layers = sys.argv[1:]
settings = config.load({"text_model": {"context": 2048, "max_tokens": 160}})
question = Question(settings["scores"]["prompt"], ("the ball rolls",), ())
with tempfile.TemporaryDirectory() as folder:
    # As people's models are: what computes with these is compiled for one kind of processor.
    quantized = Path(folder, "quantized.gguf")
    llama.quantize(Path(path), quantized)
    with TextModel(quantized, settings["text_model"], int(layers), 2) as model:
        (answer,) = model.answers([question], scoring.FORM.schema)
if isinstance(answer, ValueError):
    raise answer
print(json.dumps("cuda" if int(layers) and llama.gpus()[0] else "cpu"))
"""
_SPEAKERS = """
import sys
from pathlib import Path
import numpy
from reelmake.models import diarization, sherpa
folder, device, _ = sys.argv[1:]
models = [Path(folder, f"{name}.onnx") for name in ("segmentation", "embedding")]
diarization.diarize(numpy.zeros(160000, "float32"), *models, device=device)
print(json.dumps(sherpa.provider(device)))
"""
_ONSCREEN = """
import numpy
from reelmake.models import text_reader
with text_reader.loaded(["en"], None, 2) as reader:
    reader.read(numpy.zeros((360, 640, 3), "uint8"))
print(json.dumps("cpu"))
"""


def trials(config: Config) -> Iterator[Finding]:
    """What became of one question to each engine, as a job would load it."""
    device, layers = config["hardware"]["device"], config["hardware"]["gpu_layers"]
    if not MODELS.is_dir():
        yield Finding("trials", "warn", "no tiny model here", "run it in a checkout of reelmake")
        return
    wants = device == "cuda" or (device == "auto" and uses_gpu("auto"))
    for name, code, model, can_gpu in (
        ("CTranslate2", _SPEECH, MODELS / "speech", True),
        ("llama.cpp", _LLAMA, MODELS / "text" / "model.gguf", True),
        ("sherpa-onnx", _SPEAKERS, MODELS / "speakers", False),
        ("RapidOCR", _ONSCREEN, MODELS, False),
    ):
        check = f"trial, {name}"
        try:
            on = doctor_models.asked(
                code, str(model), device, str(0 if device == "cpu" else layers)
            )
        except OSError as error:
            fix = "remove .venv, then `make setup` on this machine"
            yield Finding(check, "fail", f"it does not work: {error}", fix)
            continue
        state: State = "warn" if can_gpu and wants and on == "cpu" else "ok"
        says = "works on the CPU" if on == "cpu" else "works on the GPU"
        yield Finding(check, state, says, "see the line of its GPU" if state == "warn" else "")
