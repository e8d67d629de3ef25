"""Frames with text whose every letter is known: rendered with real fonts, and compressed as films
are."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from measure import ROOT
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(ROOT / "scripts"))

from reelmake.media import ffmpeg

SIZE = (1280, 720)
DEJAVU = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
CJK = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
ARABIC = "/usr/share/fonts/truetype/noto/NotoNaskhArabic-Regular.ttf"
PACKAGES = (
    "apt install fonts-dejavu-core fonts-noto-core fonts-noto-cjk tesseract-ocr tesseract-ocr-all"
)

TEXTS = {
    "English": (
        DEJAVU,
        "eng",
        ["Quarterly results: up 14%", "Platform 9, doors close at 21:45", "She never said that."],
    ),
    "German": (
        DEJAVU,
        "deu",
        ["Größere Straßen führen übers Land", "Öffnungszeiten: 8–18 Uhr", "Ärger im Büro?"],
    ),
    "French": (
        DEJAVU,
        "fra",
        ["Où est passé le garçon ?", "L'été à la forêt, déjà", "Prix réduit : 3,50 €"],
    ),
    "Czech": (
        DEJAVU,
        "ces",
        ["Příliš žluťoučký kůň", "Úřední hodiny ve středu", "Děkuji, nashledanou"],
    ),
    "Polish": (
        DEJAVU,
        "pol",
        ["Zażółć gęślą jaźń", "Święto w Łodzi", "Ćwiczenia są ważne"],
    ),
    "Turkish": (
        DEJAVU,
        "tur",
        ["Günaydın, nasılsınız?", "İstanbul'da yağmur var", "Çıkış şu tarafta"],
    ),
    "Vietnamese": (
        DEJAVU,
        "vie",
        ["Chào mừng quý khách", "Đường này rất đẹp", "Hôm nay trời nắng"],
    ),
    "Chinese": (CJK, "chi_sim", ["今天下午三点开会", "出口在左边", "第二季度业绩增长"]),
    "Japanese": (CJK, "jpn", ["東京駅はどこですか", "本日は晴天なり", "カメラを止めるな"]),
    "Korean": (CJK, "kor", ["오늘은 날씨가 좋다", "출구는 왼쪽입니다", "회의는 세 시입니다"]),
    "Russian": (
        DEJAVU,
        "rus",
        ["Съешь ещё этих булок", "Выход налево", "Расписание поездов"],
    ),
    "Greek": (DEJAVU, "ell", ["Καλημέρα σας", "Έξοδος αριστερά", "Ώρες λειτουργίας"]),
    "Arabic": (ARABIC, "ara", ["مرحبا بكم في المدينة", "المخرج على اليسار", "ساعات العمل"]),
}
"""Language -> font, what tesseract calls it, lines."""

SIZES = (12, 18, 26, 40)
"""Pixels of a font."""


@dataclass
class Case:
    """A frame. lines: each text with its top and bottom, as shares of the height."""

    language: str
    style: str
    picture: np.ndarray
    lines: list[tuple[str, float, float]]
    tesseract: str


def cases(languages: list[str], size: int = 26) -> Iterator[Case]:
    """A frame for each language in each style, its text of so many pixels."""
    for language in languages:
        for style in ("slide", "caption on a busy picture", "moving", "compressed hard"):
            yield case(language, style, size)


def case(language: str, style: str, size: int) -> Case:
    """One frame."""
    font, tesseract, texts = TEXTS[language]
    dice = np.random.default_rng(len(language) + size)
    if style == "slide":
        image, color, edge = Image.new("RGB", SIZE, (245, 245, 240)), (30, 30, 60), None
    else:
        image, color, edge = busy(dice), (255, 240, 120), (0, 0, 0)
    drawn = ImageDraw.Draw(image)
    used = ImageFont.truetype(font, size)
    lines = []
    for number, text in enumerate(texts):
        at = (120, 120 + number * 170)
        stroke = 0 if edge is None else max(1, size // 14)
        drawn.text(at, text, font=used, fill=color, stroke_width=stroke, stroke_fill=edge)
        left, top, right, bottom = drawn.textbbox(at, text, font=used)
        if style == "moving":  # the shutter is open while it moves a quarter of its size
            box = (int(left) - 20, int(top) - 4, int(right) + 20, int(bottom) + 4)
            image.paste(blurred(image.crop(box), size // 4), box[:2])
        lines.append((text, top / SIZE[1], bottom / SIZE[1]))
    quality = 38 if style == "compressed hard" else 23
    return Case(language, style, compressed(np.asarray(image), quality), lines, tesseract)


def busy(dice: np.random.Generator) -> Image.Image:
    """A picture of blots and noise."""
    small = dice.integers(0, 200, (9, 16, 3), np.uint8)
    image = Image.fromarray(small).resize(SIZE, Image.Resampling.BICUBIC)
    noise = dice.integers(-12, 13, (SIZE[1], SIZE[0], 3))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))


def blurred(image: Image.Image, pixels: int) -> Image.Image:
    """An image that moved to the side by so many pixels."""
    values = np.asarray(image, np.float32)
    moved = [np.roll(values, step, axis=1) for step in range(max(1, pixels))]
    return Image.fromarray(np.mean(moved, axis=0).astype(np.uint8))


def compressed(picture: np.ndarray, quality: int) -> np.ndarray:
    """An RGB picture after H.264 of that CRF, as BGR."""
    binary, size = ffmpeg.binary(None), f"{SIZE[0]}x{SIZE[1]}"
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size]
    x264 = ["-c:v", "libx264", "-crf", str(quality), "-pix_fmt", "yuv420p", "-f", "nut", "-"]
    quiet = [binary, "-v", "error"]
    coded = subprocess.run(
        [*quiet, *raw, "-i", "-", *x264], input=picture.tobytes(), capture_output=True, check=True
    ).stdout
    back = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-"]
    found = subprocess.run(
        [*quiet, "-f", "nut", "-i", "-", *back], input=coded, capture_output=True, check=True
    ).stdout
    return np.frombuffer(found, np.uint8).reshape(SIZE[1], SIZE[0], 3)


def require() -> None:
    """Exit where a font is missing."""
    missing = [path for path in (DEJAVU, CJK, ARABIC) if not Path(path).exists()]
    if missing:
        raise SystemExit(f"{missing[0]} is missing: {PACKAGES}")
