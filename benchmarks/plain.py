"""What one would write without reelmake: the same engines, one video after the other.

    python benchmarks/plain.py FOLDER OUT

Engines with their own defaults for threads; nothing is remembered, nothing is resumed.
"""

import base64
import json
import subprocess
import sys
import wave
from pathlib import Path

import av
import cv2
import imageio_ffmpeg
import numpy as np
from faster_whisper import WhisperModel
from llama_cpp import Llama
from llama_cpp.llama_chat_format import MTMDChatHandler
from scenedetect import AdaptiveDetector, SceneManager, open_video

MODELS = Path(__file__).resolve().parents[1] / "demo" / "models"
PROMPT = (
    "Describe this frame of a film. Answer in JSON with visual_content (what is seen), mood, "
    "action and setting."
)
FIELDS = ("visual_content", "mood", "action", "setting")
SCHEMA = {
    "type": "object",
    "properties": {field: {"type": "string"} for field in FIELDS},
    "required": list(FIELDS),
}


def main(folder: Path, out: Path) -> None:
    """Process every video of the folder."""
    whisper = WhisperModel(str(MODELS / "speech"), device="cpu", compute_type="float32")
    handler = MTMDChatHandler(str(MODELS / "vision" / "mmproj.gguf"), verbose=False)
    vision = Llama(
        str(MODELS / "vision" / "text.gguf"), chat_handler=handler, n_ctx=2048, verbose=False
    )
    for film in sorted(folder.glob("*.mp4")):
        to = out / film.stem
        to.mkdir(parents=True, exist_ok=True)
        with av.open(str(film)) as container:
            facts = {"duration": container.duration / 1e6, "streams": len(container.streams)}
        (to / "media.json").write_text(json.dumps(facts))
        (to / "transcript.json").write_text(json.dumps(transcribe(whisper, film, to)))
        scenes = detect(film)
        (to / "scenes.json").write_text(json.dumps(scenes))
        described = [describe(vision, picture) for picture in keyframes(film, scenes, to)]
        (to / "descriptions.json").write_text(json.dumps(described))


def transcribe(model: WhisperModel, film: Path, to: Path) -> list[dict]:
    """Segments with words."""
    sound = to / "audio.wav"
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    command = [ffmpeg, "-v", "error", "-y", "-i", film, "-ac", "1", "-ar", "16000", sound]
    subprocess.run(command, check=True)
    with wave.open(str(sound)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16) / np.float32(32768)
    segments, _ = model.transcribe(
        samples, language="en", temperature=0, vad_filter=True, word_timestamps=True,
        condition_on_previous_text=False,
    )  # fmt: skip
    found = [
        {"start": s.start, "end": s.end, "text": s.text, "words": [w.word for w in s.words]}
        for s in segments
    ]
    sound.unlink()
    return found


def detect(film: Path) -> list[tuple[float, float]]:
    """Start and end of each scene, in seconds."""
    video, manager = open_video(str(film)), SceneManager()
    manager.add_detector(AdaptiveDetector(3.5, min_scene_len=15, window_width=3))
    manager.detect_scenes(video)
    scenes = manager.get_scene_list(start_in_scene=True)
    return [(start.get_seconds(), end.get_seconds()) for start, end in scenes]


def keyframes(film: Path, scenes: list[tuple[float, float]], to: Path) -> list[bytes]:
    """The sharpest of some frames around the middle of each scene, as JPEG."""
    pictures = []
    capture = cv2.VideoCapture(str(film))
    for number, (start, end) in enumerate(scenes):
        best, sharpest = None, -1.0
        for share in (0.35, 0.45, 0.5, 0.55, 0.65):
            capture.set(cv2.CAP_PROP_POS_MSEC, 1000 * (start + share * (end - start)))
            ok, frame = capture.read()
            if ok:
                gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
                sharpness = cv2.Laplacian(gray, cv2.CV_64F).var()
                if sharpness > sharpest:
                    best, sharpest = frame, sharpness
        assert best is not None
        height, width = best.shape[:2]
        scale = min(1.0, 768 / max(width, height))
        small = cv2.resize(best, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        _, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 90])
        (to / f"{number}.jpg").write_bytes(jpeg.tobytes())
        pictures.append(jpeg.tobytes())
    return pictures


def describe(model: Llama, picture: bytes) -> dict:
    """The model's answer about one picture."""
    url = "data:image/jpeg;base64," + base64.b64encode(picture).decode()
    content = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": PROMPT}]
    answer = model.create_chat_completion(
        messages=[{"role": "user", "content": content}],
        response_format={"type": "json_object", "schema": SCHEMA},
        temperature=0.0,
        max_tokens=160,
    )
    return json.loads(answer["choices"][0]["message"]["content"])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
