"""What is said of an operating system's errors."""

import errno

import pytest

from reelmake.foundation import errors
from reelmake.reel import main


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "a/b"),
         ("a/b: No such file or directory", "engine")),
        (OSError(errno.ENOSPC, "No space left on device", "a"),
         ("a: the disk is full; free some space, then run again", "resources")),
        (PermissionError(errno.EACCES, "Permission denied", "a"),
         ("a: Permission denied; check the disk and the permissions", "resources")),
        (OSError("something else"), ("something else", "engine")),
    ],
)  # fmt: skip
def test_an_error_is_said_without_its_number(error, says):
    assert errors.explain(error) == says


def test_a_working_directory_that_is_not_there(capsys):
    assert main.main(["status", "-d", "/nowhere/at/all"]) == 1
    assert capsys.readouterr().err == "reel: /nowhere/at/all: No such file or directory\n"
