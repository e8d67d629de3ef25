"""Whether ffmpeg can burn subtitles, and why not."""

from pathlib import Path

import pytest

from reelmake.foundation.errors import StageError
from reelmake.media import burned_subtitles


def test_an_ffmpeg_that_was_killed_is_not_taken_for_one_without_libass(tmp_path: Path) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\nkill -9 $$\n")
    program.chmod(0o755)
    with pytest.raises(StageError, match="signal 9") as caught:
        burned_subtitles.check("", str(program))
    assert caught.value.kind == "killed"
