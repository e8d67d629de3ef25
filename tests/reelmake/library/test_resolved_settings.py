"""A model that is gone for now stays known; one that a server has was never here."""

import json

from reelmake.library import config, fingerprints
from reelmake.library.resolved_settings import StageSettings


def as_known(tmp_path, **description):
    """The settings of the descriptions, made before with a file `m.gguf` that is gone now."""
    before = {"description.model": {"name": "m.gguf", "content": "0"}}
    sidecar = tmp_path / "fingerprints" / "scenedesc.json"
    sidecar.parent.mkdir(exist_ok=True)
    sidecar.write_text(json.dumps({"settings": before}))
    found = StageSettings(fingerprints.settings(config.load({"description": description})))
    return found.as_known(tmp_path).by_stage["scenedesc"]["description.model"]


def test_a_file_that_is_gone_keeps_its_content(tmp_path):
    known = as_known(tmp_path, repo_id=None, model="gone/m.gguf")
    assert known == {"name": "m.gguf", "content": "0"}


def test_a_server_s_model_of_the_same_name_is_another(tmp_path):
    named = {"repo_id": None, "model": "owner/m.gguf", "endpoint": "http://a/v1"}
    assert as_known(tmp_path, **named) == "owner/m.gguf"
