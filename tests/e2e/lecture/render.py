"""Renders a lecture: slides, a moving inset, and speech with pauses.

    python3 tests/e2e/lecture/render.py DIR

Writes lecture.mp4 and truth.json to DIR. The latter holds the silences, the
layout, the spoken text with its times, and the times of topic changes. Needs ffmpeg and
flite.
"""

import json
import random
import subprocess
import sys
import wave
from pathlib import Path

RATE = 16000
WIDTH, HEIGHT, FRAME_RATE = 640, 360, 25
# The camera: x, y, width, height in pixels.
INSET = (464, 248, 160, 96)

TOPICS = [
    (
        "Gardens",
        [
            "A garden begins with the soil, and good soil is full of life.",
            "Plant the seeds in rows and water the garden every morning.",
            "The roots of the plants drink the water from the soil.",
            "Worms make the soil loose, so that roots grow deep.",
            "In spring the gardener plants beans, peas and carrots.",
            "Weeds take water and light from the plants in the garden.",
            "Pull the weeds with their roots, or they grow again.",
            "A garden with healthy soil needs less water in summer.",
            "Compost from old leaves gives the soil what plants need.",
            "When the beans are ripe, the gardener picks them by hand.",
        ],
    ),
    (
        "Music",
        [
            "Music is made of melody, harmony and rhythm.",
            "The rhythm tells the listener when each note is played.",
            "A melody is a line of notes that the listener can sing.",
            "Three notes played together make a chord in harmony.",
            "The violin and the piano play the same melody in turn.",
            "An orchestra follows the rhythm of the conductor.",
            "In a concert the orchestra plays loud and soft music.",
            "The composer writes each note of the melody on paper.",
            "A singer learns the melody before the words of the song.",
            "Harmony changes the feeling of the same melody.",
        ],
    ),
    (
        "Ships",
        [
            "A ship floats because it pushes the water aside.",
            "The captain steers the ship with a wheel and a rudder.",
            "Sailors raise the sails when the wind is fair.",
            "The wind fills the sails and moves the ship across the sea.",
            "A storm at sea can break the mast of a ship.",
            "The harbor protects ships from wind and high waves.",
            "Engines replaced the sails of most ships long ago.",
            "Sailors read the stars to find their way across the sea.",
            "The captain writes the log of the ship every evening.",
            "An anchor holds the ship in the harbor at night.",
        ],
    ),
]


def run(*command):
    subprocess.run([str(part) for part in command], check=True, stdin=subprocess.DEVNULL)


def speak(text, path):
    """Writes speech to a file; returns its samples without the silence around them."""
    run("flite", "-voice", "slt", "--setf", "duration_stretch=1.2", "-t", text, "-o", path)
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        samples = memoryview(file.readframes(file.getnframes())).cast("h")
    loud = [i for i, sample in enumerate(samples) if abs(sample) > 600]
    return samples[loud[0] : loud[-1] + 1]


def main(directory, topics_of_speech=TOPICS):
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    pauses = random.Random(7)
    spoken, silences, topics, slides = [], [], [], []
    at = 0  # in samples
    with wave.open(str(directory / "speech.wav"), "wb") as out:
        out.setframerate(RATE)
        out.setnchannels(1)
        out.setsampwidth(2)

        def pause(seconds):
            nonlocal at
            count = round(seconds * RATE)
            out.writeframes(bytes(2 * count))
            silences.append([at / RATE, (at + count) / RATE])
            at += count

        pause(1.5)
        for topic, sentences in topics_of_speech:
            begins = at / RATE
            for i, sentence in enumerate(sentences):
                if i % 4 == 0:
                    slides.append((at / RATE, topic, sentence))
                samples = speak(sentence, directory / "sentence.wav")
                spoken.append({"start": at / RATE, "end": (at + len(samples)) / RATE, "text": sentence})
                out.writeframes(samples.tobytes())
                at += len(samples)
                pause(pauses.uniform(1.9, 3.5))
            topics.append({"topic": topic, "start": begins, "end": at / RATE})
            pause(2.0)
    # A pause after a pause is one silence.
    joined = []
    for start, end in silences:
        if joined and abs(joined[-1][1] - start) < 1e-6:
            joined[-1][1] = end
        else:
            joined.append([start, end])
    duration = at / RATE

    # Still slides, and a camera that always moves.
    draw = []
    for i, (start, topic, line) in enumerate(slides):
        end = slides[i + 1][0] if i + 1 < len(slides) else duration
        if i == 0:
            start = 0
        shown = f"enable='between(t,{start:.3f},{end:.3f})'"
        text = line.replace("'", "").replace(",", "\\,").replace(":", "")
        shade = ("0x14304f", "0x4f2a14", "0x1f4f2a", "0x47144f")[i % 4]
        draw += [
            f"drawbox=x=0:y=0:w=iw:h=48:color={shade}:t=fill:{shown}",
            f"drawtext=text='{topic} {i}':x=16:y=12:fontsize=26:fontcolor=white:{shown}",
            f"drawtext=text='{text[:40]}':x=24:y=90:fontsize=22:fontcolor=black:{shown}",
            f"drawbox=x={40 + 30 * (i % 5)}:y=150:w=240:h=90:color={shade}:t=4:{shown}",
        ]
    x, y, width, height = INSET
    graph = (
        f"color=c=0xf4f2ea:s={WIDTH}x{HEIGHT}:r={FRAME_RATE},{','.join(draw)}[slides];"
        f"testsrc2=s={2 * width}x{2 * height}:r={FRAME_RATE},rotate=0.7*t:ow={width}:oh={height}[camera];"
        f"[slides][camera]overlay={x}:{y}:shortest=0,noise=alls=6:allf=t,format=yuv420p[v]"
    )
    script = directory / "graph.txt"
    script.write_text(graph)
    run(
        "ffmpeg", "-v", "error", "-y", "-filter_complex_script", script, "-i", directory / "speech.wav",
        "-map", "[v]", "-map", "0:a", "-t", f"{duration:.3f}", "-c:v", "libx264", "-preset", "veryfast",
        "-crf", "26", "-g", "250", "-c:a", "aac", "-b:a", "96k", directory / "lecture.mp4",
    )  # fmt: skip
    truth = {
        "duration": duration,
        "silences": joined,
        "layout": {"type": "picture_in_picture", "camera": INSET, "size": [WIDTH, HEIGHT]},
        "topics": topics,
        "spoken": spoken,
    }
    (directory / "truth.json").write_text(json.dumps(truth, indent=1))
    print(f"{directory / 'lecture.mp4'}: {duration:.1f} s")


if __name__ == "__main__":
    main(sys.argv[1])
