"""llama.cpp as it was compiled for this machine."""

import subprocess
import sys
from pathlib import Path

TEXT = Path(__file__).resolve().parents[3] / "demo" / "models" / "text" / "model.gguf"

QUANTIZED = """
import sys
from pathlib import Path
import llama_cpp
from reelmake.models import llama

plain, made = sys.argv[1:]
llama.quantize(Path(plain), Path(made))
question = [{"role": "user", "content": "Translate into German: a red ball falls."}]
for path in (plain, made):
    model = llama_cpp.Llama(path, n_ctx=512, n_threads=1, verbose=False)
    answer = model.create_chat_completion(question, max_tokens=24, temperature=0)
    print(answer["choices"][0]["message"]["content"])
"""


def test_a_quantized_model_computes_on_this_processor(tmp_path):
    """As people's are, and the tiny ones are not: its code is another one for each processor."""
    done = subprocess.run(
        [sys.executable, "-c", QUANTIZED, TEXT, tmp_path / "quantized.gguf"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    whole, quantized = done.stdout.strip().splitlines()
    assert whole and quantized == whole
