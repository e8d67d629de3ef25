"""Draw demo/demo.png, the README's picture, from what `make demo` made.

python demo/make_picture.py
"""

import json
import sys
import textwrap
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from reelmake.library import scene_descriptions

DEMO = Path(__file__).resolve().parent
RESULTS = DEMO / "results" / "demo"
COLUMNS, WIDTH, HEIGHT, GAP = 5, 224, 126, 16
INK, PALE, MARKED = (32, 36, 44), (110, 116, 128), (255, 226, 122)


def clock(seconds: float) -> str:
    """Seconds as m:ss."""
    return f"{int(seconds // 60)}:{int(seconds % 60):02}"


def main() -> None:
    """Write the picture."""
    document = scene_descriptions.read(RESULTS / "demo.scenedesc.msgpack")
    assert document, "run `make demo` first"
    segments = json.loads((RESULTS / "transcript.json").read_bytes())["segments"]
    clips = json.loads((RESULTS / "clips.json").read_bytes())["clips"]
    beats = json.loads((RESULTS / "narrative.json").read_bytes())["beats"]
    small, plain = ImageFont.load_default(14), ImageFont.load_default(16)
    rows = -(-len(document["results"]) // COLUMNS)
    block = HEIGHT + 62
    across = COLUMNS * (WIDTH + GAP) + GAP
    lines = -(-len(segments) // 2)
    down = GAP + rows * block + GAP + lines * 24 + GAP + 24 + GAP
    sheet = Image.new("RGB", (across, down), (250, 250, 252))
    draw = ImageDraw.Draw(sheet)
    for number, result in enumerate(document["results"]):
        left = GAP + number % COLUMNS * (WIDTH + GAP)
        top = GAP + number // COLUMNS * block
        record = result["record"]
        frame = Image.open(RESULTS / "keyframes" / record["file"]).resize((WIDTH, HEIGHT))
        sheet.paste(frame, (left, top))
        draw.rectangle((left, top, left + WIDTH - 1, top + HEIGHT - 1), outline=(205, 208, 216))
        seen = (result["description"] or {"visual_content": "null"})["visual_content"]
        told = textwrap.fill(f"{clock(record['timestamp'])}  {seen}", 32)
        draw.text((left, top + HEIGHT + 6), told, INK, small)
    for number, segment in enumerate(segments):
        left = GAP + number // lines * (across // 2)
        top = 2 * GAP + rows * block + number % lines * 24
        for clip in clips:
            if clip["start"] <= segment["start"] < clip["end"]:
                draw.rectangle((left - 4, top - 2, left + across // 2 - 60, top + 21), MARKED)
                if segment["end"] + 1 > clip["end"]:  # its last line
                    told = f"{clip['file']}: {clip['score']} of 10"
                    draw.text((left + 380, top), told, INK, plain)
        draw.text((left, top), clock(segment["start"]), PALE, plain)
        draw.text((left + 48, top), segment["text"], INK, plain)
    told = "   ".join(f"{clock(beat['start'])} {beat['beat']}: {beat['title']}" for beat in beats)
    draw.text((GAP, down - GAP - 22), f"trailer.mp4   {told}", INK, plain)
    sheet.save(DEMO / "demo.png", optimize=True)


if __name__ == "__main__":
    main()
