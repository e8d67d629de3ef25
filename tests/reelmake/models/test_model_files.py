"""Files of models: where they are, and what is said where they are not."""

import os
import subprocess
import sys
from pathlib import Path

from reelmake.models import model_files

ROOT = Path(__file__).resolve().parents[3]


def test_a_model_that_is_a_file_here_is_not_looked_up():
    assert model_files.local_file(
        "description.model", {"description.model": "some/where.gguf"}, None
    ) == Path("some/where.gguf")


def test_without_network_it_says_what_to_do(tmp_path):
    """The hub's address is a port of this machine on which nobody listens."""
    code = (
        "from reelmake.models import model_files\n"
        "from reelmake.foundation.errors import StageError\n"
        "models = {'text_model.model': 'm.gguf'}\n"
        "try: model_files.local_file('text_model.model', models, 'owner/name')\n"
        "except StageError as error: print(error.kind, error)\n"
    )
    environment = os.environ | {
        "PYTHONPATH": str(ROOT / "scripts"),
        "HF_ENDPOINT": "http://127.0.0.1:9",
        "HF_HUB_CACHE": str(tmp_path),
        "HF_HUB_OFFLINE": "0",
    }
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith("transient m.gguf of owner/name is not on this machine")
    assert "set text_model.repo_id: null and text_model.model to a GGUF file" in done.stdout
