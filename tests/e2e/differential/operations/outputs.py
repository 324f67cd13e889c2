"""What stages store: transcripts, silence regions, layouts, content segments, clips, subtitles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from request import Request
from sequence import API, Sequence, operation

from .lists import parameters, part_of


def times(seq: Sequence) -> dict[str, Any]:
    if seq.values.chance(0.85):
        start = seq.rng.randint(0, 240) / 4
        return {"start_time": start, "end_time": start + seq.rng.choice([0, 0.25, 1, 7, 0.1, 1 / 3])}
    return {"start_time": seq.values.seconds(), "end_time": seq.values.seconds()}


def some(seq: Sequence, write: Callable[[Sequence], dict[str, Any]]) -> list[dict[str, Any]]:
    count = seq.rng.choice([0, 1, 1, 2, 3, 5, 13 if seq.values.chance(0.1) else 4])
    items = [write(seq) for _ in range(count)]
    if items and seq.values.chance(0.2):
        # The same item twice.
        items.append(dict(items[0]))
    return items


def text(seq: Sequence, limit: int) -> str:
    """A text that is searched for later."""
    text = seq.values.text(limit)
    if len(text) < 100:
        seq.known.texts.append(text)
    return text


def transcript_segment(seq: Sequence) -> dict[str, Any]:
    values = seq.values
    segment = {**times(seq), "text": text(seq, 500)}
    if values.chance(0.5):
        segment["confidence"] = values.ratio()
    if values.chance(0.3):
        segment["speaker_id"] = values.text(50, 0)
    if values.chance(0.3):
        segment["language"] = seq.rng.choice(["en", "EN_gb", "ger", "x", "en-"])
    if values.chance(0.2):
        start = seq.rng.choice([0, 0.5, 1e300])
        word = {"start": start, "end": start, "text": values.text(200)}
        if values.chance(0.5):
            word["probability"] = values.ratio()
        segment["words"] = [word] * seq.rng.choice([0, 1, 3])
    return segment


def silence_region(seq: Sequence) -> dict[str, Any]:
    region = {**times(seq), "silence_type": seq.rng.choice(["audio_silence", "blank_screen", "both"])}
    if seq.values.chance(0.4):
        region["amplitude_threshold"] = seq.values.float(-1e308, 1e308)
    return region


def content_segment(seq: Sequence) -> dict[str, Any]:
    values = seq.values
    segment = {**times(seq), "topic": values.text(200), "importance_score": values.ratio()}
    if values.chance(0.4):
        segment["description"] = values.text(2000, 0)
    for name in ("keywords", "concepts"):
        if values.chance(0.6):
            segment[name] = [text(seq, 200) for _ in range(seq.rng.randint(0, 3))]
    if values.chance(0.3):
        segment["segment_order"] = values.integer(0, 2147483647)
    return segment


def clip(seq: Sequence) -> dict[str, Any]:
    values, known = seq.values, seq.known
    clip = {**times(seq), "title": values.text(200)}
    if values.chance(0.3):
        clip["topic"] = values.text(200, 0)
    if values.chance(0.5):
        clip["importance_score"] = seq.rng.choice([0.5, 0.5, 0, 1, None, values.ratio()])
    if values.chance(0.3):
        clip["clip_order"] = values.integer(0, 2147483647)
    if values.chance(0.3):
        clip["extra_metadata"] = values.object()
    for key in ("s3_key", "thumbnail_s3_key", "subtitle_s3_key"):
        if values.chance(0.15):
            clip[key] = seq.rng.choice([f"clips/{seq.step}.mp4", values.text(500)])
    if known.content_segments and values.chance(0.2):
        clip["content_segment_id"] = seq.one_of(known.content_segments)
    return clip


def clip_with_id(seq: Sequence) -> dict[str, Any]:
    new = clip(seq)
    if seq.known.clips and seq.values.chance(0.3):
        new["clip_id"] = seq.one_of(seq.known.clips)
    return new


CUES = [
    "WEBVTT\n\n00:00.000 --> 00:01.500\nHello\n\n00:01.500 --> 00:03.000\n<v Ada>Γειά σου</v>\n",
    "WEBVTT\n\nNOTE x\n\n1\n00:00:01.000 --> 00:00:00.500\nbackwards\n",
    "1\n00:00:00,000 --> 00:00:01,000\nΣίσυφος\n\n2\n00:00:00,000 --> 00:00:01,000\nthe same time\n",
    '{"segments": [{"start": 0.0, "end": 2.5, "text": " one"}, {"start": 2.5, "end": 2.5, "text": "𝔘"}]}',
    "",
    "not subtitles",
]


def subtitles(seq: Sequence, operation: str, method: str, path: str) -> Request:
    """A file, or JSON."""
    rng = seq.rng
    if seq.values.chance(0.3):
        kind = rng.choice(["text/vtt", "application/x-subrip", "application/json", "text/vtt; charset=utf-8"])
        return Request(operation, method, path, {"Content-Type": kind}, rng.choice(CUES))
    return seq.write(operation, method, path, {"segments": some(seq, transcript_segment)})


def of_job(seq: Sequence, write: Callable[[str], Request], has_key: bool = False) -> Request:
    job = seq.job()
    if seq.known.leases and seq.values.chance(0.5):
        job = seq.rng.choice(seq.known.leases).job
    request = seq.with_lease(write(job), job)
    return seq.with_key(request) if has_key else request


@operation("putTranscript", 3)
def put_transcript(seq: Sequence) -> Request:
    return of_job(seq, lambda job: subtitles(seq, "putTranscript", "PUT", f"{API}/jobs/{job}/transcripts"))


@operation("appendTranscript", 2)
def append_transcript(seq: Sequence) -> Request:
    def write(job: str) -> Request:
        return subtitles(seq, "appendTranscript", "POST", f"{API}/jobs/{job}/transcripts")

    return of_job(seq, write, has_key=True)


FORMATS = {
    "format": ["json", "vtt", "srt", "text", "x"],
}
RANGE = {
    "from": ["0", "1", "2.5", "-1", "1e308", "1e309", "5e-324", "x", "59.75"],
    "to": ["0", "1", "10", "1e308", "-0.0", "0.1"],
}
ACCEPT = [
    "text/vtt",
    "application/x-subrip",
    "text/plain",
    "text/*",
    "*/*",
    "text/vtt;q=0.5, text/plain",
    "image/png",
]


@operation("getTranscript", 3)
def get_transcript(seq: Sequence) -> Request:
    options = {**FORMATS, **RANGE, "q": [part_of(seq, seq.known.texts)]}
    options["language"] = ["en", "EN_gb", "de", "x"]
    options["words"] = ["true", "false", "1"]
    request = Request(
        "getTranscript", "GET", f"{API}/jobs/{seq.job()}/transcripts{parameters(seq, options, 0.25)}"
    )
    if seq.values.chance(0.3):
        request.headers["Accept"] = seq.rng.choice(ACCEPT)
    return request


@operation("putSilenceRegions", 2)
def put_silence_regions(seq: Sequence) -> Request:
    def write(job: str) -> Request:
        value = {"regions": some(seq, silence_region)}
        return seq.write("putSilenceRegions", "PUT", f"{API}/jobs/{job}/silence-regions", value)

    return of_job(seq, write)


@operation("getSilenceRegions", 1.5)
def get_silence_regions(seq: Sequence) -> Request:
    kinds = {
        "silence_type": ["audio_silence", "both", "x"],
        "min_duration": ["0", "0.1", "0.25", "1", "-1", "1e400", "x"],
    }
    path = f"{API}/jobs/{seq.job()}/silence-regions{parameters(seq, {**RANGE, **kinds}, 0.3)}"
    return Request("getSilenceRegions", "GET", path)


@operation("putLayoutAnalysis", 1.5)
def put_layout_analysis(seq: Sequence) -> Request:
    values, rng = seq.values, seq.rng

    def region() -> Any:
        sides = {side: values.integer(0, 2147483647) for side in ("x", "y", "width", "height")}
        return rng.choice([sides, sides, sides, None, {}])

    kinds = ["side_by_side", "picture_in_picture", "screen_only", "camera_only", "unknown"]
    layout = {"layout_type": rng.choice(kinds), "confidence_score": values.ratio()}
    for name, write in [("screen_region", region), ("camera_region", region), ("split_ratio", values.ratio),
                        ("sample_frame_time", values.seconds)]:  # fmt: skip
        if values.chance(0.4):
            layout[name] = write()
    if values.chance(0.3):
        times = sorted(rng.randint(0, 400) / 4 for _ in range(4))
        layout["stretches"] = [
            {"start_time": start, "end_time": end, "layout_type": rng.choice(kinds), "confidence_score": values.ratio()}
            for start, end in (times[:2], times[2:])
        ]
    path = "layout-analysis"
    return of_job(seq, lambda job: seq.write("putLayoutAnalysis", "PUT", f"{API}/jobs/{job}/{path}", layout))


# Only workers store the files: here they are missing, of jobs that exist and of others.
FILES = {"getWaveform": "waveform", "getThumbnails": "thumbnails", "getThumbnailPicture": "thumbnails.jpg"}


@operation("getWaveform", 0.2)
@operation("getThumbnails", 0.2)
@operation("getThumbnailPicture", 0.2)
def get_file(seq: Sequence) -> Request:
    name = seq.rng.choice(list(FILES))
    return Request(name, "GET", f"{API}/jobs/{seq.job()}/{FILES[name]}")


@operation("getLayoutAnalysis", 1)
def get_layout_analysis(seq: Sequence) -> Request:
    return Request("getLayoutAnalysis", "GET", f"{API}/jobs/{seq.job()}/layout-analysis")


@operation("putContentSegments", 2.5)
def put_content_segments(seq: Sequence) -> Request:
    def write(job: str) -> Request:
        value = {"segments": some(seq, content_segment)}
        return seq.write("putContentSegments", "PUT", f"{API}/jobs/{job}/content-segments", value)

    return of_job(seq, write)


@operation("getContentSegments", 2)
def get_content_segments(seq: Sequence) -> Request:
    known = seq.known.texts[-20:] or [""]
    word = seq.rng.choice(known)
    words = [word, word.upper(), word.lower(), seq.values.word(), ""]
    options = {"keyword": words, "top": ["1", "2", "100", "0", "x", "2147483648"]}
    return Request(
        "getContentSegments", "GET", f"{API}/jobs/{seq.job()}/content-segments{parameters(seq, options)}"
    )


@operation("putClips", 2.5)
def put_clips(seq: Sequence) -> Request:
    value = {"clips": some(seq, clip_with_id)}
    return of_job(seq, lambda job: seq.write("putClips", "PUT", f"{API}/jobs/{job}/clips", value))


@operation("addClip", 2)
def add_clip(seq: Sequence) -> Request:
    value = clip(seq)
    return of_job(
        seq, lambda job: seq.write("addClip", "POST", f"{API}/jobs/{job}/clips", value), has_key=True
    )


@operation("getClips", 2)
def get_clips(seq: Sequence) -> Request:
    path = f"{API}/jobs/{seq.job()}/clips{parameters(seq, {'top': ['1', '2', '50', '0', '-1', 'x']})}"
    return Request("getClips", "GET", path)


@operation("getClipsArchive", 0.5)
def get_clips_archive(seq: Sequence) -> Request:
    return Request("getClipsArchive", "GET", f"{API}/jobs/{seq.job()}/clips/archive")


@operation("putSubtitles", 1)
def put_subtitles(seq: Sequence) -> Request:
    path = f"{API}/clips/{seq.one_of(seq.known.clips)}/subtitles"
    return seq.with_lease(subtitles(seq, "putSubtitles", "PUT", path), "")


@operation("getSubtitles", 1)
def get_subtitles(seq: Sequence) -> Request:
    path = f"{API}/clips/{seq.one_of(seq.known.clips)}/subtitles{parameters(seq, FORMATS)}"
    return Request("getSubtitles", "GET", path, {"Accept": seq.rng.choice(ACCEPT)})


def _rows(noun: str, ids: str, write: Callable[[Sequence], dict[str, Any]], path: str) -> None:
    """Registers the operations on single rows of a set."""

    def own(seq: Sequence) -> str:
        return f"{API}/{path}/{seq.one_of(getattr(seq.known, ids))}"

    @operation(f"get{noun}", 1)
    def get(seq: Sequence) -> Request:
        path = own(seq)
        return seq.with_none_match(Request(f"get{noun}", "GET", path), path)

    @operation(f"update{noun}", 2)
    def update(seq: Sequence) -> Request:
        path, values = own(seq), seq.values
        fields = [(name, value) for name, value in write(seq).items() if values.chance(0.4)]
        changes = {name: None if values.chance(0.15) else value for name, value in fields}
        request = seq.write(f"update{noun}", "PATCH", path, changes)
        if values.chance(0.4):
            request.headers["Content-Type"] = "application/merge-patch+json"
        return seq.with_lease(seq.with_match(request, path), "")

    @operation(f"delete{noun}", 0.5)
    def delete(seq: Sequence) -> Request:
        path = own(seq)
        return seq.with_lease(seq.with_match(Request(f"delete{noun}", "DELETE", path), path), "")


_rows("Clip", "clips", clip, "clips")
_rows("ContentSegment", "content_segments", content_segment, "content-segments")
_rows("TranscriptSegment", "transcript_segments", transcript_segment, "transcripts")
