"""Recordings that lack something: sound that can be heard, a picture to the end, or a font for
their subtitles. Whether the notes say so, and whether there are clips of what is there."""

from check import run
from flashes import beeps, check_synchronous, ffmpeg

# When the picture of a recording of 100 s ends, in seconds. No flash is near.
PICTURE_END = 58
SENTENCES = [
    "The lake is frozen from the shore to the island.",
    "Nobody has walked over the ice yet.",
    "The ice of the lake is as thick as a hand.",
]
# A character for private use, which no font has.
UNKNOWN = "\U0010fff0"


def subtitles(texts):
    """A SubRip file with a text every nine seconds, each for eight."""
    return "".join(f"{i + 1}\n00:00:{9 * i + 1:02},000 --> 00:00:{9 * i + 9:02},000\n{text}\n\n" for i, text in enumerate(texts))


def render_missing_parts(directory):
    """Renders a recording with a silent sound track, one without sound, one whose picture ends
    before its sound, and one without anything in the picture."""
    x264, aac = ["-c:v", "libx264", "-preset", "ultrafast"], ["-c:a", "aac"]
    picture = ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=30"]
    ffmpeg(*picture, "-f", "lavfi", "-i", "anullsrc=cl=stereo", *x264, *aac, "-t", "30", directory / "mute.mp4")
    ffmpeg("-i", directory / "mute.mp4", "-an", "-c", "copy", directory / "soundless.mp4")
    flashes = (
        f"color=gray:s=320x180:r=25:d={PICTURE_END},drawbox=color=white:t=fill:enable='lt(mod(t,4),0.12)',"
        f"drawbox=color=blue:t=fill:enable='gte(t,{PICTURE_END - 1})'"
    )
    beep = "aevalsrc='if(lt(mod(t,4),0.12),0.6*sin(6283*t),0.06*(random(0)-0.5))':s=48000:d=100"
    ffmpeg("-f", "lavfi", "-i", flashes, "-f", "lavfi", "-i", beep, *x264, *aac, directory / "frozen.mp4")
    ffmpeg(
        "-f", "lavfi", "-i", "color=black:s=320x240:r=25:d=30", "-f", "lavfi", "-i", "sine=440:d=30", *x264, *aac,
        directory / "lake.mp4",
    )  # fmt: skip


def warnings(results, stage):
    return [note["message"] for note in results["notes"] if (note["stage"], note["level"]) == (stage, "warning")]


def check_missing_parts(lectern):
    check_silent_sound(lectern)
    check_picture_end(lectern)
    check_fonts(lectern)


def check_silent_sound(lectern):
    """Checks that a recording in which nothing can be heard has no clips, and that what the note
    recommends gives clips."""

    def check_silent(name, said, reason, **settings):
        results, error = lectern.process(name, **settings)
        assert error is None and results["clips"] == [], (error, results)
        assert [segment["text"] for segment in results["transcript"]] == said, results["transcript"]
        sound, selection = warnings(results, "silence_detection"), warnings(results, "segmentation")
        assert sound == ["there is only silence in the audio track"], results["notes"]
        assert len(selection) == 1 and reason in selection[0], results["notes"]
        return results

    hears_nothing = {"LECTERN_TRANSCRIBE_COMMAND": "true {audio}"}
    results = check_silent("mute.mp4", [], "all of the sound is silent, and there is no text", **hears_nothing)
    speech = warnings(results, "transcription")
    assert any("the speech recognizer found no speech" in text for text in speech), results["notes"]
    for name in "mute.srt", "soundless.srt":
        (lectern.directory / name).write_text(subtitles(SENTENCES))
    check_silent("mute.mp4", SENTENCES, "process the recording without its audio track")
    results = lectern.check("soundless.mp4", clips=None, said=SENTENCES)
    messages = [note["message"] for note in results["notes"] if note["stage"] == "segmentation"]
    assert any("clips follow the transcript alone" in text for text in messages), results["notes"]


def check_picture_end(lectern):
    """Checks that a clip has the sound to its end, and the last picture from where there is none."""
    options = ["--min-clips=1", "--max-clips=1", "--min-clip-seconds=80", "--max-clip-seconds=100", "--clip-share=1", "--silence-level=-70"]
    results = lectern.check("frozen.mp4", *options, said=[], LECTERN_TRANSCRIBE_COMMAND="true {audio}")
    expected = f"the picture ends at {PICTURE_END}.0 s of 100.0 s; the clips show the last picture from then on"
    assert warnings(results, "silence_detection") == [expected], results["notes"]
    clip = results["clips"][0]
    start, end, file = clip["start_time"], clip["end_time"], lectern.directory / "out" / clip["url"]
    check_synchronous(file, PICTURE_END - start)
    heard, flashes = beeps(file)
    assert max(flashes) < PICTURE_END - start < end - start - 30, (clip, flashes)
    assert len(heard) >= (end - start) // 4 - 1 and max(heard) > end - start - 5, (clip, heard)
    for time in PICTURE_END - start + 1, end - start - 1:
        red, _, blue = colour(file, time)
        assert blue > 200 > 50 > red, (time, red, blue)


def colour(clip, time):
    """The mean red, green and blue of a picture."""
    picture = ["-frames:v", "1", "-vf", "scale=1:1:flags=area", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
    return run("ffmpeg", "-v", "error", "-ss", time, "-i", clip, *picture, capture_output=True).stdout


def check_fonts(lectern):
    """Checks that a note names the characters of subtitles in the picture that no font has."""
    for sentences, options, missing in (
        (SENTENCES, [], None),
        (SENTENCES, ["--burn-subtitles"], None),
        ([*SENTENCES[:2], f"{SENTENCES[2][:-1]} {UNKNOWN}."], [], None),
        ([*SENTENCES[:2], f"{SENTENCES[2][:-1]} {UNKNOWN}."], ["--burn-subtitles"], UNKNOWN),
    ):
        (lectern.directory / "lake.srt").write_text(subtitles(sentences))
        results = lectern.check("lake.mp4", *options, said=sentences)
        fonts = [text for text in warnings(results, "compilation") if "font" in text]
        expected = f"no font of this machine has the characters {missing} of the subtitles: "
        assert len(fonts) == bool(missing), (options, results["notes"])
        assert all(text.startswith(expected) for text in fonts), fonts
        clip = results["clips"][0]
        assert sentences[2] in (lectern.directory / "out" / clip["subtitle_url"]).read_text(), clip
        first = 5 - clip["start_time"]
        is_drawn = max(brightness(lectern.directory / "out" / clip["url"], first)) > 150
        assert is_drawn == bool(options), (options, clip)


def brightness(clip, time):
    """The brightness of each point of a picture."""
    picture = ["-frames:v", "1", "-pix_fmt", "gray", "-f", "rawvideo", "-"]
    return run("ffmpeg", "-v", "error", "-ss", time, "-i", clip, *picture, capture_output=True).stdout
