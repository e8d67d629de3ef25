"""Files of models: where they are, and what is said where they are not."""

from pathlib import Path

import pytest

from reelmake.foundation.errors import StageError
from reelmake.models import model_files, whisper


def test_a_model_that_is_a_file_here_is_not_looked_up():
    assert model_files.local_file(
        "description.model", {"description.model": "some/where.gguf"}, None
    ) == Path("some/where.gguf")


def test_what_is_not_here_is_said_at_once_and_no_job_downloads_it(web, monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "ENDPOINT", web.url(""))
    models = {"text_model.model": "m.gguf"}
    with pytest.raises(StageError, match="`reel models` downloads it") as error:
        model_files.local_file("text_model.model", models, "owner/name")
    assert error.value.kind == "engine"
    assert "set text_model.repo_id: null and text_model.model to a GGUF file" in str(error.value)
    with pytest.raises(StageError, match="`reel models` downloads it"):
        whisper.folder("large-v3-turbo")
    assert web.asked == []
