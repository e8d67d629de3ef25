"""Small real media files for the tests, made by ffmpeg: each function writes one file.

Times named in the tests are film times: seconds after the earliest start of any stream.
`CLICK` is when a 10 ms tone sounds and, where there are pictures, a white frame is shown.
"""

import functools
import struct
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

SIZE = "160x90"
CLICK = 3.0
LENGTH = 6.0


def clip_settings(**clips: object) -> dict:
    """The settings with which clips are cut; clips: what differs from the defaults."""
    from reelmake.library import config

    given = config.load({"clips": clips})
    return given["clips"] | given["subtitles"]


@functools.cache
def binary() -> str:
    """The ffmpeg that comes with the imageio-ffmpeg wheel."""
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())


def ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg quietly; its last words are in the error when it fails."""
    command = [binary(), "-nostdin", "-y", "-v", "error", *map(str, arguments)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode:
        raise RuntimeError(f"{command}: {process.stderr[-500:]}")


def _lavfi(graph: str) -> list[str]:
    return ["-f", "lavfi", "-i", graph]


def click(at: float, length: float, rate: int = 48000, layout: str = "mono") -> str:
    """A lavfi source: silence with a 10 ms tone `at` seconds."""
    tone = f"if(between(t\\,{at}\\,{at + 0.01 - 0.5 / rate})\\,0.9*sin(2*PI*1000*t+1)\\,0)"
    return f"aevalsrc='{tone}':s={rate}:d={length},aformat=channel_layouts={layout}"


def flash(at: float, length: float, rate: int = 25) -> str:
    """A lavfi source: dark gray pictures, and one white frame `at` seconds."""
    when = f"between(t,{at - 0.001},{at + 0.5 / rate})"
    return (
        f"color=0x303030:s={SIZE}:r={rate}:d={length},"
        f"drawbox=x=0:y=0:w=iw:h=ih:color=white:t=fill:enable='{when}'"
    )


def cuts(parts: Sequence[tuple[str, float, float]], size: str = SIZE) -> str:
    """A lavfi graph: (color, seconds, frames per second) one after the other,
    with a little noise, at the exact times that the frame rates give."""
    chains = [
        f"color={color}:s={size}:r={rate}:d={seconds},noise=alls=6:allf=t:all_seed=1,"
        f"settb=1/1000[v{number}]"
        for number, (color, seconds, rate) in enumerate(parts)
    ]
    labels = "".join(f"[v{number}]" for number in range(len(parts)))
    return ";".join(chains) + f";{labels}concat=n={len(parts)}:v=1:a=0"


def counter(length: float, rate: int = 25) -> str:
    """A lavfi source whose frame n is plain, with luma 20 + 4 * (n mod 50)."""
    return f"color=black:s=96x64:r={rate}:d={length},format=yuv420p,geq=20+4*mod(N\\,50):128:128"


def luma(number: int) -> int:
    """The luma of frame `number` of a `counter`."""
    return 20 + 4 * (number % 50)


BARS = 10


def numbers(length: float, rate: int | str = 25, size: str = "160x90") -> str:
    """A lavfi source whose frame n shows n in bars from left to right, bright where the bit is
    set, the lowest first."""
    bars = f"if(mod(floor(N/pow(2\\,floor({BARS}*X/W)))\\,2)\\,200\\,60)"
    return f"color=black:s={size}:r={rate}:d={length},format=yuv420p,geq='{bars}':128:128"


def number(gray: "np.ndarray") -> int:
    """The number on a frame of `numbers`; gray: uint8, height x width."""
    height, width = gray.shape
    rows = gray[height // 4 : 3 * height // 4]
    bars = [
        rows[:, int((bar + 0.3) * width / BARS) : int((bar + 0.7) * width / BARS)]
        for bar in range(BARS)
    ]
    return sum(int(bar.mean() > 130) << bit for bit, bar in enumerate(bars))


def beeps(length: float, rate: int = 48000) -> str:
    """A lavfi source: silence with a 10 ms tone at every whole second."""
    tone = "if(lt(mod(t\\,1)\\,0.01)\\,0.9*sin(2*PI*1000*t+1)\\,0)"
    return f"aevalsrc='{tone}':s={rate}:d={length}"


def numbered_film(path: Path, length: float, rate: int | str, *arguments: str | Path) -> Path:
    """`numbers` with `beeps`: a keyframe every 2 s or so, B-frames."""
    ffmpeg(
        *(*_lavfi(numbers(length, rate)), *_lavfi(beeps(length))),
        *(*H264, "-preset", "veryfast", "-bf", "2", "-g", "50", "-c:a", "aac", *arguments, path),
    )
    return path


def changing(path: Path) -> Path:
    """A broadcast of 8 s: after 4 s the pictures are larger, and the sound is 5.1."""
    parts = [path.with_name(f"{number}-{path.name}") for number in range(2)]
    for part, size, layout in zip(parts, ("160x90", "320x180"), ("stereo", "5.1"), strict=True):
        sound = f"{beeps(4)},aformat=channel_layouts={layout}"
        graphs = [*_lavfi(numbers(4, size=size)), *_lavfi(sound)]
        ffmpeg(*graphs, *H264, "-g", "50", "-c:a", "ac3", part)
    listing = path.with_suffix(".txt")
    listing.write_text("".join(f"file '{part}'\n" for part in parts))
    ffmpeg("-f", "concat", "-safe", "0", "-i", listing, "-c", "copy", path)
    return path


def beeping(path: Path, length: float) -> Path:
    """`beeps` and no pictures."""
    ffmpeg(*_lavfi(beeps(length)), "-c:a", "aac", path)
    return path


def short_sound(path: Path) -> Path:
    """6 s of pictures, and a tone of 1.5 s."""
    ffmpeg(*_lavfi(numbers(6)), *_lavfi("sine=d=1.5"), *H264, "-c:a", "aac", path)
    return path


H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def video(path: Path, graph: str, *arguments: str | Path) -> Path:
    """Silent H.264 of a lavfi graph, its timestamps kept."""
    ffmpeg(*_lavfi(graph), *H264, "-fps_mode", "passthrough", *arguments, path)
    return path


def three_scenes(path: Path, *arguments: str) -> Path:
    """25 frames a second, cuts at 2 s and 4 s, 6 s long."""
    parts = [("red", 2, 25), ("blue", 2, 25), ("white", 2, 25)]
    return video(path, cuts(parts), "-r", "25", "-fps_mode", "cfr", *arguments)


def vfr(path: Path) -> Path:
    """Cuts at 2 s and 5 s where the frame rate also changes: 25, 10, then 50; 7 s long."""
    parts = [("red", 2, 25), ("blue", 3, 10), ("white", 2, 50)]
    return video(path, cuts(parts), "-enc_time_base", "1:1000")


def rotated(path: Path, degrees: int = 90) -> Path:
    """160x90 pixels, coded lying on the side: its left half is red, its right half blue.

    `degrees` counter-clockwise turn it upright; with 90 blue is on top, 90x160.
    """
    graph = f"color=red:s={SIZE}:r=25:d=2,drawbox=x=iw/2:y=0:w=iw/2:h=ih:color=blue:t=fill"
    plain = video(path.with_name(f"plain-{path.name}"), graph)
    ffmpeg("-display_rotation", str(degrees), "-i", plain, "-c", "copy", path)
    plain.unlink()
    return path


def ten_bit(path: Path) -> Path:
    return video(path, cuts([("red", 1, 25), ("blue", 1, 25)]), "-pix_fmt", "yuv420p10le")


def odd_size(path: Path) -> Path:
    graph = cuts([("red", 1, 25), ("blue", 1, 25)], size="161x91")
    return video(path, graph, "-pix_fmt", "yuv444p")


def one_frame(path: Path) -> Path:
    return video(path, f"color=green:s={SIZE}:r=25", "-frames:v", "1")


def sync(path: Path, audio: str = "aac", late: float = 0.0, early: float = 0.0) -> Path:
    """A click and a flash together, `CLICK` seconds after the *first* stream starts.

    late: seconds by which the audio starts after the video; early: the other way round.
    """
    sound = click(CLICK - late, LENGTH - late)
    pictures = flash(CLICK - early, LENGTH - early)
    ffmpeg(
        *("-itsoffset", str(early), *_lavfi(pictures), "-itsoffset", str(late), *_lavfi(sound)),
        *("-map", "0:v", "-map", "1:a", *H264, "-bf", "0", "-g", "25", "-c:a", audio, path),
    )
    return path


def audio_gap(path: Path) -> Path:
    """Audio whose timestamps jump: nothing between 1 s and 2.5 s; the click at `CLICK`."""
    ffmpeg(
        *_lavfi(flash(CLICK, LENGTH)),
        *_lavfi(click(CLICK, LENGTH) + ",aselect='lt(t,1)+gte(t,2.5)'"),
        *("-map", "0:v", "-map", "1:a", *H264, "-c:a", "pcm_s16le", path),
    )
    return path


def sound(path: Path, rate: int = 48000, layout: str = "stereo", codec: str = "pcm_s16le") -> Path:
    """Audio only, with the click at `CLICK`."""
    ffmpeg(*_lavfi(click(CLICK, LENGTH, rate, layout)), "-c:a", codec, path)
    return path


def two_languages(path: Path) -> Path:
    """A click at 1 s in the first track (eng), at 2 s in the second (deu, the default one)."""
    ffmpeg(
        *_lavfi(flash(1, 3)),
        *(*_lavfi(click(1, 3)), *_lavfi(click(2, 3)), "-map", "0:v", "-map", "1:a", "-map", "2:a"),
        *("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu"),
        *("-disposition:a:0", "0", "-disposition:a:1", "default", *H264, "-c:a", "aac", path),
    )
    return path


def cover_art(path: Path) -> Path:
    """A song with a picture attached (m4a): no film."""
    picture = path.with_name("cover.png")
    ffmpeg(*_lavfi(f"color=red:s={SIZE}"), "-frames:v", "1", picture)
    ffmpeg(
        *(*_lavfi(click(1, 2)), "-i", picture, "-map", "0", "-map", "1", "-c:a", "aac"),
        *("-c:v", "png", "-disposition:v:0", "attached_pic", path),
    )
    picture.unlink()
    return path


def cut_short(path: Path, share: float, *arguments: str) -> Path:
    """The first `share` of the bytes of a 6 s film with sound.

    With `-movflags +faststart` the header is there and the data is not; without it,
    an mp4 has no header (moov) at all.
    """
    graph = "testsrc2=s=320x180:r=25:d=6"
    ffmpeg(*_lavfi(graph), *_lavfi("sine=d=6"), *H264, "-c:a", "aac", *arguments, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def no_frames(path: Path) -> Path:
    """An mp4 whose header is right while all its pictures' bytes are zero."""
    three_scenes(path, "-movflags", "+faststart")
    content = bytearray(path.read_bytes())
    start = content.index(b"mdat") + 4
    content[start:] = struct.pack("B", 0) * (len(content) - start)
    path.write_bytes(content)
    return path


def counted(path: Path, *arguments: str) -> Path:
    """A `counter` of 8 s with B-frames and a keyframe every 2 s."""
    codec = [] if arguments else ["-preset", "veryfast", "-bf", "2"]
    return video(path, counter(8), "-g", "50", *codec, *arguments)


def numbered(path: Path, *arguments: str | Path, times: str = "", length: float = 8.0) -> Path:
    """`numbers`, 25 a second, with B-frames, and a key frame every 2 s.

    A tone begins 10 ms after frame 50, 100 and so on. times: an expression of `setpts` for
    other times, with N and TB.
    """
    graph = numbers(length, size="160x96")
    if times:
        graph += f",settb=1/90000,setpts='{times}'"
    tone = "if(gte(t,2)*between(mod(t,2),0.01,0.1),0.9*sin(2*PI*1000*t+1),0)"
    ffmpeg(
        *(*_lavfi(graph), *_lavfi(f"aevalsrc='{tone}':s=48000:d={length}")),
        *("-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "50", "-c:a", "aac"),
        *("-pix_fmt", "yuv420p", "-fps_mode", "passthrough", "-enc_time_base:v", "1:90000"),
        *(*arguments, path),
    )
    return path


FILMS: dict[str, Callable[[Path], Path]] = {
    "cfr.mp4": three_scenes,
    "vfr.mkv": vfr,
    "rotated.mp4": rotated,
    "ten bit.mp4": ten_bit,
    "odd.mkv": odd_size,
    "one frame.mp4": one_frame,
    "one frame.mkv": one_frame,
    "together.mp4": sync,
    "late.mp4": lambda path: sync(path, late=2),
    "late.mkv": lambda path: sync(path, late=2),
    "late.ts": lambda path: sync(path, late=2, audio="mp2"),
    "early.mp4": lambda path: sync(path, early=1),
    "early.mkv": lambda path: sync(path, early=1),
    "start.ts": lambda path: sync(path, audio="mp2"),
    "gap.mkv": audio_gap,
    "two.mkv": two_languages,
    "song.m4a": cover_art,
    "8k.wav": lambda path: sound(path, 8000, "mono"),
    "stereo.mka": lambda path: sound(path, 44100, "stereo", "flac"),
    "5.1.wav": lambda path: sound(path, 48000, "5.1"),
    "whole.avi": lambda path: cut_short(path, 1),
    "whole.flv": lambda path: cut_short(path, 1),
    "whole.mkv": lambda path: cut_short(path, 1),
    "fragments.mp4": lambda path: cut_short(path, 1, "-movflags", "+frag_keyframe+empty_moov"),
    "no index.mp4": lambda path: cut_short(path, 0.5),
    "cut.mp4": lambda path: cut_short(path, 0.9, "-movflags", "+faststart"),
    "cut.mkv": lambda path: cut_short(path, 0.5),
    "cut.avi": lambda path: cut_short(path, 0.5),
    "no frames.mp4": no_frames,
    "numbers.mp4": numbered,
    "numbers.mkv": numbered,
    "numbers.ts": numbered,
    "numbers.avi": lambda path: numbered(
        path, "-c:v", "mpeg4", "-q:v", "2", "-enc_time_base:v", "1:25"
    ),
    "open.mkv": lambda path: numbered(path, "-x264-params", "open-gop=1:keyint=50:bframes=3"),
    "intra.mov": lambda path: numbered(path, "-g", "1", "-bf", "0"),
    "interlaced.ts": lambda path: numbered(
        path, "-c:v", "mpeg2video", "-q:v", "2", "-flags", "+ilme+ildct", "-enc_time_base:v", "1:25"
    ),
    "vp9.webm": lambda path: numbered(
        path, "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"
    ),
    "slides.mkv": lambda path: numbered(path, times="if(lt(N,100),N*0.02,2+(N-100)*0.5)/TB"),
    "numbered.mp4": lambda path: numbered_film(path, 20, 25),
    "numbered.ts": lambda path: numbered_film(path, 20, "30000/1001"),
    "numbered.mkv": lambda path: numbered_film(path, 20, "30000/1001"),
    "numbered.avi": lambda path: numbered_film(path, 20, 25, "-c:v", "mpeg4", "-bf", "0"),
    "numbered.m4a": lambda path: beeping(path, 20),
    "short sound.mp4": short_sound,
    "changing.ts": changing,
    "count.mp4": counted,
    "count.mkv": counted,
    "count.ts": counted,
    "count.avi": lambda path: counted(path, "-c:v", "mpeg4", "-q:v", "2", "-bf", "2"),
}
