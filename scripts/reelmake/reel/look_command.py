"""`reel explain` and `reel verify`: what a library's artifacts are, and what is wrong with them."""

from pathlib import Path
from typing import Any

from reelmake.foundation.errors import UserError
from reelmake.foundation.text import did_you_mean, printable
from reelmake.library import run_lock, verification
from reelmake.library.library import RESULTS
from reelmake.library.stages import STAGES
from reelmake.reel import staleness
from reelmake.reel.options import Arguments, add_command, print_json, read_config, say


def add_to(commands: Any) -> None:
    """Add the subcommands."""
    parser = add_command(
        commands,
        "explain",
        _explain,
        "why a video's stages would run, or since when they are up to date",
        "  reel explain holiday transcript --config videos=~/Movies",
    )
    parser.add_argument("video", metavar="VIDEO", help="its id: the folder below results/")
    parser.add_argument("stage", metavar="STAGE", nargs="?", help="only this one")
    parser = add_command(
        commands,
        "verify",
        _verify,
        "read every finished video's artifacts again and compare them with its manifest; "
        "exit status 1 if any differs",
        "  reel verify            # every video below results/\n"
        "  reel verify holiday --fix && snakemake --cores 8",
    )
    parser.add_argument("video", metavar="VIDEO", nargs="*", help="only these (default: all)")
    parser.add_argument(
        "--fix",
        action="store_true",
        help="remove what differs (what you edited, too), so that the next run restores it",
    )


def _explain(arguments: Arguments) -> int:
    if arguments.stage and arguments.stage not in STAGES:
        hint = did_you_mean(arguments.stage, STAGES)
        raise UserError(f"there is no stage '{arguments.stage}'{hint}")
    found = staleness.explain(read_config(arguments), arguments.video, say)
    found["stages"] = [
        stage for stage in found["stages"] if arguments.stage in (None, stage["stage"])
    ]
    if arguments.json:
        print_json(found)
        return 0
    print(printable(f"{found['video']} ({found['source']})"))
    wide = max([11, *(len(stage["stage"]) for stage in found["stages"])])
    for stage in found["stages"]:
        print(printable(f"  {stage['stage']:<{wide}} {staleness.sentence(stage)}"))
    return 0


def _folders() -> list[Path]:
    """The folder of each video; the pages, which lie beside them, are none."""
    return [
        folder
        for folder in sorted(RESULTS.glob("*/"))
        if (folder / "fingerprints").is_dir() or (folder / "manifest.json").exists()
    ]


def _verify(arguments: Arguments) -> int:
    folders = [RESULTS / video for video in arguments.video] or _folders()
    run = run_lock.hold_library() if arguments.fix else None  # nothing is removed under a run
    found: list[verification.Bad] = []
    checked = 0
    for folder in folders:
        files, bad = verification.check(Path(folder))
        checked += files
        found += bad
        for each in bad:
            if arguments.fix:
                verification.remove(each)
            if not arguments.json:
                removed = "; removed" if arguments.fix else ""
                print(printable(f"{each.path}: {each.reason}{removed}"), flush=True)
    if run:
        run.close()
    if arguments.json:
        print_json({"checked": checked, "bad": [each.as_json() for each in found]})
    else:
        videos = f"{len(folders)} video{'' if len(folders) == 1 else 's'}"
        next_step = ""
        if found:
            them = "it" if len(found) == 1 else "them"
            next_step = f"the next run makes or restores {them}"
            if not arguments.fix:
                next_step = f"`reel verify --fix` removes {them}, and {next_step}"
            next_step = f"; {next_step}"
        print(f"{checked} files of {videos} read, {len(found)} bad{next_step}")
    return 1 if found else 0
