"""A recording whose layout changes, and whether the picture of a clip follows it."""

from check import run
from flashes import check_synchronous, ffmpeg

# When the picture of the recording with several layouts changes, in seconds.
LAYOUT_CHANGES = 42.3, 70.7, 90.2


def render_layouts(directory):
    """Renders slides with a camera beside them, then in their corner, then the camera alone, and
    the slides with it in their corner again. The camera is red, and there are flashes and beeps."""
    # Of the slides, every picture is computed point by point, and they change after whole seconds.
    slides = (
        "color=gray:s=640x360:r=1:d=120,geq=cb=128:cr=128:"
        "lum='if(lt(mod(Y,30),9)*lt(X,180+mod(floor(T/17)*77+floor(Y/30)*53,260)),30,140)',fps=25"
    )
    beside, corner, alone = (
        f"testsrc2=s={size}:r=25:d=120,noise=alls=6:allf=t,lutyuv=y=val*0.6:u=100:v=190"
        for size in ("160x360", "160x96", "640x360")
    )
    beep = "aevalsrc='if(lt(mod(t,4),0.12),0.6*sin(6283*t),0.02*(random(0)-0.5))':s=48000:d=120"
    first, second, third = LAYOUT_CHANGES
    graph = (
        f"[0][1]overlay=x=480:enable='lt(t,{first})'[a];"
        f"[a][2]overlay=x=20:y=244:enable='gte(t,{first})'[b];"
        f"[b][3]overlay=enable='between(t,{second},{third})'[c];"
        "[c]drawbox=color=white:t=fill:enable='lt(mod(t,4),0.12)'[v]"
    )
    inputs = [argument for source in (slides, beside, corner, alone, beep) for argument in ("-f", "lavfi", "-i", source)]
    ffmpeg(
        *inputs, "-filter_complex", graph, "-map", "[v]", "-map", "4", "-c:v", "libx264", "-preset", "ultrafast",
        "-pix_fmt", "yuv420p", "-c:a", "aac", directory / "layouts.mp4",
    )  # fmt: skip


def colours(clip, time, points):
    """The size of a clip, and what it shows at a time: "screen", "camera" or nothing at each of
    the points, which are fractions of its width and height."""
    entries = ["-select_streams", "v", "-show_entries", "stream=width,height", "-of", "csv=p=0"]
    width, height = map(int, run("ffprobe", "-v", "error", *entries, clip, capture_output=True).stdout.split(b","))
    shown = run(
        "ffmpeg", "-v", "error", "-ss", time, "-i", clip, "-frames:v", "1", "-pix_fmt", "rgb24", "-f", "rawvideo", "-",
        capture_output=True,
    ).stdout  # fmt: skip
    found = []
    for x, y in points:
        start = 3 * (int(y * height) * width + int(x * width))
        red, green, blue = shown[start : start + 3]
        found.append("camera" if red > green + 40 else "screen" if green > 15 else None)
    return (width, height), found


def check_layouts(lectern):
    """Checks that the picture of a clip follows the layout of the recording."""
    options = ["--min-clips=1", "--max-clips=1", "--min-clip-seconds=100", "--max-clip-seconds=120", "--clip-share=1", "--silence-level=-70"]
    left, right, top, middle, bottom = (0.02, 0.5), (0.98, 0.5), (0.5, 0.03), (0.5, 0.42), (0.5, 0.7)
    inside = [(0.25, 0.5), (0.75, 0.5)]
    # For each layout the size, the points, and what they show in the four parts of the clip.
    nothing, screen, camera = None, "screen", "camera"
    for layout, size, points, expected in (
        ("keep", (640, 360), [left, right, top], [[screen, camera, screen], [screen] * 3, [camera] * 3, [screen] * 3]),
        ("screen", (640, 360), [left, right, *inside], [[nothing] * 2 + [screen] * 2, [screen] * 4, [camera] * 4, [screen] * 4]),
        ("camera", (560, 360), [(0.05, 0.5), (0.5, 0.5)], [[nothing, camera], [camera] * 2, [camera] * 2, [camera] * 2]),
        ("stack", (360, 640), [top, middle, bottom], [[screen, screen, camera], [nothing, screen, camera], [nothing, camera, nothing], [nothing, screen, camera]]),
    ):  # fmt: skip
        results = lectern.check("layouts.mp4", f"--layout={layout}", *options, fresh=layout == "keep", LECTERN_TRANSCRIBE_COMMAND="true {audio}")
        (clip,) = results["clips"]
        first, second, third = (change - clip["start_time"] for change in LAYOUT_CHANGES)
        assert first > 3 and third < clip["duration"] - 3, clip
        file = lectern.directory / "out" / clip["url"]
        check_synchronous(file, clip["duration"])
        # Near the changes, but not in a flash.
        times = [first - 0.2], [first + 0.2, second - 0.2], [second + 0.2, third - 0.4], [third + 0.2]
        for part, (at, colours_then) in enumerate(zip(times, expected)):
            for time in at:
                (width, height), found = colours(file, time, points)
                # The regions are found with a tolerance.
                assert abs(width - size[0]) <= 50 and height == size[1], (layout, width, height)
                assert found == colours_then, (layout, part, time + clip["start_time"], found, colours_then)
        texts = [note["message"] for note in results["notes"] if note["stage"] == "compilation"]
        missing = any("no screen is known for parts of 1 clips" in text for text in texts)
        assert missing == (layout in ("screen", "stack")), (layout, texts)
