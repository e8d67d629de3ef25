"""Artifacts appear whole or not at all: temporary file, validation, fsync, rename."""

import contextlib
import errno
import functools
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"
_CAN_NOT_WRITE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@contextlib.contextmanager
def writing(path: Path, durable: bool = True) -> Iterator[Path]:
    """A temporary path beside `path` that takes its name if the block ends well.

    The temporary name keeps the suffix, from which tools such as ffmpeg infer the
    format. What an earlier job that was killed left of the same artifact is removed
    (a library is processed by one run at a time, so nobody else is writing it).
    An error or a signal in the block leaves nothing, and `path` as it was when it began.

    durable: flush to the disk first, so that a power cut can't leave the name without the
    content. Records that can be written again do without.
    Raises OSError, which names `path` where it could not be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    temporary = path.with_name(f"{_prefix(path)}{os.getpid()}{path.suffix}")
    try:
        yield temporary
        if durable and temporary.is_dir():
            for name in os.listdir(temporary):
                sync(temporary / name)
        if durable:
            sync(temporary)
        # A folder can't be renamed onto one that is not empty; a file never takes one's place.
        if path.is_dir() and temporary.is_dir():
            shutil.rmtree(path)
        os.replace(temporary, path)
        if durable:
            sync(path.parent)
    except OSError as error:
        unnamed = error.filename is None and error.errno in _CAN_NOT_WRITE
        if unnamed or error.filename == str(temporary):
            error.filename = str(path)
        raise
    finally:
        remove(temporary)


def write_bytes(path: Path, content: bytes, durable: bool = True) -> None:
    """Write a small file atomically."""
    with writing(path, durable) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, value: Any, schema: str | None = None, durable: bool = True) -> None:
    """Validate `value` by `schemas/<schema>.schema.json`, then write it atomically.

    Non-finite numbers are refused: they are not JSON.
    """
    if schema:
        validate(value, schema)
    text = json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False)
    # A file name that is not UTF-8 is held with surrogates, which only the escaped form can carry.
    try:
        content = text.encode()
    except UnicodeEncodeError:
        content = json.dumps(value, indent=1, allow_nan=False).encode()
    write_bytes(path, content + b"\n", durable)


def read_json(path: Path) -> Any:
    """The JSON in `path`, or None where the file is absent, unreadable or not JSON."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def validate(value: Any, schema: str, more: bool = False) -> None:
    """Raise ValueError, naming the place, where `value` does not satisfy the schema.

    more: other keys beside the schema's are fine, as an earlier version may have written them.
    """
    for error in _validator(schema, more).iter_errors(value):
        place = "".join(
            f".{key}" if isinstance(key, str) else f"[{key}]" for key in error.instance_path
        )
        raise ValueError(f"{schema}{place}: {error.message[:300]}")


def is_valid(value: Any, node: dict[str, Any]) -> bool:
    """Whether `value` satisfies the schema `node`."""
    import jsonschema_rs

    return bool(jsonschema_rs.Draft202012Validator(node).is_valid(value))


@functools.cache
def _validator(schema: str, more: bool) -> Any:
    import jsonschema_rs  # its import takes 10 ms where jsonschema's takes 60, in every job

    document = json.loads((SCHEMAS / f"{schema}.schema.json").read_bytes())
    if more:
        document["additionalProperties"] = True
    return jsonschema_rs.Draft202012Validator(document)


def _prefix(path: Path) -> str:
    return f".{path.name}.tmp-"


def _remove_leftovers(path: Path) -> None:
    prefix = _prefix(path)
    for name in os.listdir(path.parent):
        if name.startswith(prefix):
            remove(path.parent / name)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Flush a file or a folder's entries to the disk, so that a power cut keeps the rename."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
