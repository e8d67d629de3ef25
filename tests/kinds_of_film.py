"""Films of every codec and container that the wheel's ffmpeg can write, and of the kinds that
containers and cameras get wrong. Each function writes one file.

Frame n of them shows n in bars (`make_media.numbers`); a tone sounds at every whole second.
"""

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import make_media

LENGTH = 3.0
SIZE = "176x144"  # which H.263 has

Make = Callable[[Path], object]


def plain(*codec: str, length: float = LENGTH, rate: int = 25, size: str = SIZE) -> Make:
    """25 frames a second, with sound unless `-an` is among the options."""

    def make(path: Path) -> None:
        sound = f"{make_media.beeps(length)},aformat=channel_layouts=stereo"
        make_media.ffmpeg(
            *("-f", "lavfi", "-i", make_media.numbers(length, rate, size)),
            *("-f", "lavfi", "-i", sound, *codec, path),
        )

    return make


def then(first: Make, suffix: str, *options: str) -> Make:
    """What `first` makes of a file with this suffix, copied into another container."""

    def make(path: Path) -> None:
        plain = path.with_name(f"plain-{path.stem}{suffix}")
        first(plain)
        make_media.ffmpeg("-i", plain, "-map", "0", "-c", "copy", *options, path)
        plain.unlink()

    return make


def joined(make_part: Make, *late: str) -> Make:
    """`cat a b`; late: options for another clock of b."""

    def make(path: Path) -> None:
        part, other = (path.with_name(f"{name}{path.suffix}") for name in ("first", "second"))
        make_part(part)
        other.write_bytes(part.read_bytes())
        if late:
            make_media.ffmpeg("-i", part, "-map", "0", "-c", "copy", *late, other)
        path.write_bytes(part.read_bytes() + other.read_bytes())
        part.unlink()
        other.unlink()

    return make


def subtitled(until: str) -> Make:
    """With a subtitle that ends long after the film."""

    def make(path: Path) -> None:
        text = path.with_suffix(".srt")
        text.write_text(f"1\n00:00:01,000 --> {until}\nfansub\n")
        inner = path.with_name(f"inner-{path.name}")
        plain(*X264, *AAC)(inner)
        codec = "mov_text" if path.suffix == ".mp4" else "srt"
        make_media.ffmpeg(
            *("-i", inner, "-i", text, "-map", "0", "-map", "1"),
            *("-c", "copy", "-c:s", codec, path),
        )
        inner.unlink()

    return make


def fragments_at(seconds: int) -> Make:
    """Fragmented MP4 whose first fragment says that it is decoded at so many seconds."""

    def make(path: Path) -> None:
        flags = "+frag_keyframe+empty_moov+default_base_moof"
        plain(*X264, *AAC, "-movflags", flags)(path)
        content = bytearray(path.read_bytes())
        scales = [int.from_bytes(content[at + 16 : at + 20]) for at in _places(content, b"mdhd")]
        for at in _places(content, b"tfhd"):
            track = int.from_bytes(content[at + 8 : at + 12])
            time = content.index(b"tfdt", at)
            size = 8 if content[time + 4] else 4
            place = slice(time + 8, time + 8 + size)
            ticks = int.from_bytes(content[place]) + seconds * scales[track - 1]
            content[place] = ticks.to_bytes(size)
        path.write_bytes(content)

    return make


def trimmed(path: Path) -> None:
    """A film that was trimmed on a phone: its edit list begins between two keyframes, and the
    frames before have no place in it; but ffmpeg shows them, at times below zero."""
    source = path.with_name(f"whole-{path.name}")
    plain(*X264, "-bf", "0", "-g", "25", *AAC, length=4)(source)
    make_media.ffmpeg("-ss", "0.6", "-i", source, "-c", "copy", path)
    source.unlink()


def without_start(path: Path) -> None:
    """A transport stream that begins in the middle of a group of pictures."""
    plain(*MPEG2, "-g", "25", "-c:a", "mp2")(path)
    content = path.read_bytes()
    path.write_bytes(content[len(content) // 10 // 188 * 188 :])


def all_keyframes(path: Path) -> None:
    """An AVI whose index calls every frame a keyframe."""
    plain("-c:v", "mpeg4", "-q:v", "2", "-g", "50", "-c:a", "mp3")(path)
    content = bytearray(path.read_bytes())
    index = content.rindex(b"idx1") + 8
    for at in range(index, len(content) - 15, 16):
        if content[at : at + 4] == b"00dc":
            content[at + 4] |= 0x10
    path.write_bytes(content)


def false_sync_sample(path: Path) -> None:
    """An MP4 whose table of sync samples has one that is none: the 40th."""
    plain(*MPEG4, "-sc_threshold", "1000000000", *AAC)(path)
    content = bytearray(path.read_bytes())
    table = content.index(b"stss") + 8
    assert int.from_bytes(content[table : table + 4]) == 3  # 1, 26, 51
    content[table + 8 : table + 12] = (40).to_bytes(4)
    path.write_bytes(content)


def no_times(path: Path) -> None:
    """MPEG-PS with several small frames a packet, of which only the first has a time."""
    plain("-c:v", "mpeg2video", "-b:v", "60k", "-bf", "2", "-g", "12", "-c:a", "mp2")(path)


def uneven(path: Path) -> None:
    """Silent pictures at uneven times, of which the last stays for a second."""
    graph = make_media.numbers(2, 10, SIZE)
    times = "if(lt(N,15),N*0.04,0.6+(N-14)*0.5)/TB"
    make_media.ffmpeg(
        *("-f", "lavfi", "-i", f"{graph},settb=1/1000,setpts='{times}'", *X264, "-bf", "2"),
        *("-fps_mode", "passthrough", "-enc_time_base:v", "1:1000", path),
    )


def short_pictures(path: Path) -> None:
    """Pictures that end a second before the sound."""
    make_media.ffmpeg(
        *("-f", "lavfi", "-i", make_media.numbers(2, size=SIZE)),
        *("-f", "lavfi", "-i", make_media.beeps(3), *X264, *AAC, path),
    )


def with_matrix(source: Path, target: Path, matrix: tuple[int, ...]) -> Path:
    content = bytearray(source.read_bytes())
    at = content.index(b"tkhd") + 4 + 40
    a, b, c, d = (each << 16 for each in matrix)
    last = (1 << 30) * any(matrix)
    content[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, last)
    target.write_bytes(content)
    return target


def inside(content: bytes, path: list[bytes], box: bytes) -> bytes:
    """An MP4 file with a box at the end of another."""
    made, place, end = bytearray(content), 0, len(content)
    for name in path:
        while content[place + 4 : place + 8] != name:
            place += int.from_bytes(content[place : place + 4])
        size = int.from_bytes(content[place : place + 4])
        made[place : place + 4] = (size + len(box)).to_bytes(4)
        end = place + size
        place += {b"stsd": 16, b"avc1": 86}.get(name, 8)
    return bytes(made[:end]) + box + bytes(made[end:])


def cropped(source: Path, target: Path) -> Path:
    """The film with a clean aperture: 128 x 64 pixels, whose middle is 8 above the picture's."""
    box = struct.pack(">I4sIIIIiIiI", 40, b"clap", 128, 1, 64, 1, 0, 1, -8, 1)
    path = [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"]
    target.with_suffix(".mp4").write_bytes(inside(source.read_bytes(), path, box))
    if target.suffix == ".mkv":  # PixelCropTop and so on
        make_media.ffmpeg("-i", target.with_suffix(".mp4"), "-c", "copy", target)
    return target


def turned(*matrix: int) -> Make:
    """A film that is shown by this matrix: a, b, c, d of x' = a x + c y, y' = b x + d y."""

    def make(path: Path) -> None:
        inner = path.with_name(f"inner-{path.name}")
        plain(*X264, *AAC)(inner)
        with_matrix(inner, path, matrix)
        inner.unlink()

    return make


def smaller(path: Path) -> None:
    """A film whose container cuts off its edges."""
    inner = path.with_name(f"inner-{path.stem}.mp4")
    plain(*X264, *AAC, size="160x96")(inner)
    cropped(inner, path)
    inner.unlink()


def _places(content: bytes | bytearray, name: bytes) -> list[int]:
    found = []
    at = content.find(name)
    while at >= 0:
        found.append(at)
        at = content.find(name, at + 4)
    return found


def has_encoder(name: str) -> bool:
    """Whether this ffmpeg has it: not every build has each."""
    command = [make_media.binary(), "-hide_banner", "-h", f"encoder={name}"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return said.startswith("Encoder")


X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-bf", "2", "-pix_fmt", "yuv420p")
X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:keyint=25")
MPEG2 = ("-c:v", "mpeg2video", "-q:v", "2", "-bf", "2", "-g", "15")
MPEG4 = ("-c:v", "mpeg4", "-q:v", "2", "-g", "25")
AAC = ("-c:a", "aac")
PCM = ("-c:a", "pcm_s16le")

CODECS: dict[str, Make] = {
    "h264.mp4": plain(*X264, *AAC),
    "h264.mkv": plain(*X264, "-c:a", "ac3"),
    "h264.mov": plain(*X264, "-c:a", "alac"),
    "h264.ts": plain(*X264, "-c:a", "mp2"),
    "h264.m2ts": plain(*X264, "-c:a", "ac3"),
    "h264.flv": plain(*X264, *AAC),
    "h264.3gp": plain(*X264, *AAC),
    "h264-444.mkv": plain(*X264[:-1], "yuv444p", "-c:a", "flac"),
    "h264-10.mkv": plain(*X264[:-1], "yuv420p10le", "-c:a", "libopus"),
    "hevc.mp4": plain(*X265, "-tag:v", "hvc1", *AAC),
    "hevc.mkv": plain(*X265, "-c:a", "eac3"),
    "hevc.ts": plain(*X265, *AAC),
    "vvc.mp4": plain("-c:v", "libvvenc", "-preset", "faster", "-qp", "20", *AAC),
    "av1.mp4": plain("-c:v", "libsvtav1", "-preset", "12", "-svtav1-params", "keyint=25", *AAC),
    "av1.webm": plain("-c:v", "libaom-av1", "-cpu-used", "8", "-usage", "realtime", "-g", "25"),
    "vp8.webm": plain("-c:v", "libvpx", "-deadline", "realtime", "-g", "25", "-c:a", "libvorbis"),
    "vp9.webm": plain("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "25"),
    "mpeg2.ts": plain(*MPEG2, "-c:a", "mp2"),
    "mpeg2.mpg": plain(*MPEG2, "-c:a", "mp2"),
    "mpeg2.vob": plain(*MPEG2, "-c:a", "ac3"),
    "mpeg2.mkv": plain(*MPEG2, "-c:a", "dca", "-strict", "-2"),
    "mpeg2.mxf": plain(*MPEG2, "-c:a", "pcm_s16le", "-ar", "48000"),
    "mpeg1.mpg": plain("-c:v", "mpeg1video", "-q:v", "2", "-bf", "2", "-g", "15", "-c:a", "mp2"),
    "mpeg4.mp4": plain(*MPEG4, "-bf", "2", *AAC),
    "mpeg4.avi": plain(*MPEG4, "-c:a", "mp3"),
    "xvid.avi": plain("-c:v", "libxvid", "-q:v", "2", "-g", "25", "-c:a", "mp3"),
    "msmpeg4v2.avi": plain("-c:v", "msmpeg4v2", "-q:v", "2", "-g", "25", "-c:a", "mp3"),
    "msmpeg4v3.asf": plain("-c:v", "msmpeg4", "-q:v", "2", "-g", "25", "-c:a", "wmav2"),
    "wmv1.wmv": plain("-c:v", "wmv1", "-q:v", "2", "-g", "25", "-c:a", "wmav1"),
    "wmv2.wmv": plain("-c:v", "wmv2", "-q:v", "2", "-g", "25", "-c:a", "wmav2"),
    "flv1.flv": plain("-c:v", "flv", "-q:v", "2", "-g", "25", "-c:a", "mp3", "-ar", "44100"),
    "h263.3gp": plain("-c:v", "h263", "-q:v", "2", "-g", "25", *AAC),
    "theora.ogv": plain("-c:v", "libtheora", "-q:v", "9", "-g", "25", "-c:a", "libvorbis"),
    "prores.mov": plain("-c:v", "prores_ks", *PCM),
    "mjpeg.avi": plain("-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj420p", *PCM),
    "mjpeg.mov": plain("-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj422p", *PCM),
    "jpeg2000.mkv": plain("-c:v", "jpeg2000", *PCM),
    "ffv1.mkv": plain("-c:v", "ffv1", "-c:a", "flac"),
    "huffyuv.avi": plain("-c:v", "huffyuv", "-pix_fmt", "yuv422p", *PCM),
    "utvideo.mkv": plain("-c:v", "utvideo", "-c:a", "tta"),
    "raw.avi": plain("-c:v", "rawvideo", "-pix_fmt", "yuv420p", *PCM),
    "raw.nut": plain("-c:v", "rawvideo", "-pix_fmt", "yuv420p", *PCM),
    "png.mov": plain("-c:v", "png", *PCM),
    "qtrle.mov": plain("-c:v", "qtrle", *PCM),
    "dv.avi": plain("-c:v", "dvvideo", "-pix_fmt", "yuv420p", *PCM, size="720x576"),
    "dv.dv": plain("-c:v", "dvvideo", "-pix_fmt", "yuv420p", *PCM, size="720x576"),
    "dnxhr.mov": plain(
        "-c:v", "dnxhd", "-profile:v", "dnxhr_lb", "-pix_fmt", "yuv422p", *PCM, size="640x360"
    ),
    "snow.avi": plain("-c:v", "snow", "-q:v", "2", "-g", "25", "-strict", "-2", *PCM),
    "gif.gif": plain("-c:v", "gif", "-an"),
}

KINDS: dict[str, Make] = {
    "joined.ts": joined(plain(*X264, "-c:a", "mp2")),
    "joined later.ts": joined(plain(*X264, "-c:a", "mp2"), "-output_ts_offset", "300"),
    "joined.m2ts": joined(plain(*X264, "-c:a", "ac3")),
    "joined.mpg": joined(plain(*MPEG2, "-c:a", "mp2")),
    "joined.vob": joined(plain(*MPEG2, "-c:a", "ac3")),
    "subtitle.mkv": subtitled("10:00:00,000"),
    "subtitle.mp4": subtitled("00:10:00,000"),
    "late.flv": then(
        plain(*X264, *AAC),
        ".mp4",
        *("-output_ts_offset", "30", "-flvflags", "no_duration_filesize"),
    ),
    "fragments.mp4": fragments_at(0),
    "fragments at 600.mp4": fragments_at(600),
    "fragments at an epoch.mp4": fragments_at(1_700_000_000),
    "raw mpeg2.mpg": plain(*MPEG2, "-an", "-f", "mpeg2video"),
    "raw mpeg1.mpg": plain(
        "-c:v", "mpeg1video", "-q:v", "2", "-bf", "2", "-an", "-f", "mpeg1video"
    ),
    "raw.h264": plain(*X264, "-an"),
    "live.mkv": then(plain(*X264, *AAC), ".mp4", "-live", "1"),
    "slow.mp4": plain(*X264, "-an", length=8, rate=1),
    "slow.mkv": plain(*X264, "-an", length=8, rate=1),
    "trimmed.mp4": trimmed,
    "without start.ts": without_start,
    "all keyframes.avi": all_keyframes,
    "false keyframe.mp4": false_sync_sample,
    "no times.mpg": no_times,
    "uneven.mkv": uneven,
    "short pictures.mp4": short_pictures,
    "mirrored.mp4": turned(-1, 0, 0, 1),
    "turned.mp4": turned(0, 1, -1, 0),
    "transposed.mp4": turned(0, 1, 1, 0),
    "no matrix.mp4": turned(0, 0, 0, 0),
    "cropped.mp4": smaller,
    "cropped.mkv": smaller,
    "open.mkv": plain(*X264, "-x264-params", "open-gop=1:keyint=25:bframes=3", *AAC),
    "refresh.mp4": plain(*X264, "-x264-params", "intra-refresh=1:keyint=25", *AAC),
}

ENCODERS = {
    "vvc.mp4": "libvvenc",
    "xvid.avi": "libxvid",
    "av1.mp4": "libsvtav1",
    "av1.webm": "libaom-av1",
}
"""Of the codecs above, those that an ffmpeg may be built without."""
