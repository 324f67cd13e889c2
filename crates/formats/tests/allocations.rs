//! The bytes that reading and writing allocate, which include each copy of a text or a list,
//! grow with the file and no faster. Counted instead of timed: a machine under load gives the
//! same numbers. A loop that reads the same bytes again without copying them is not counted;
//! the fuzz targets look for those.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

use std::hint::black_box;

use allocation_counter::{AllocationInfo, measure};
use lectern_formats::{Cue, Format, InputFormat};

const CUES: usize = 4_096;

/// Counts of one file, and of one with four times as many cues.
fn counts(of: impl Fn(usize) -> AllocationInfo) -> [AllocationInfo; 2] {
    [CUES, 4 * CUES].map(of)
}

/// Each list doubles when it is full, and both sizes are powers of two, so that four times the
/// cues allocate almost exactly four times as much. If the work grew with the square, it would
/// be sixteen times.
fn assert_linear(what: &str, of: impl Fn(usize) -> AllocationInfo) {
    let [few, many] = counts(of);
    assert!(few.bytes_total > 0, "{what}: {few:?}");
    let is_linear = many.bytes_total <= 5 * few.bytes_total
        && many.count_total <= 5 * few.count_total
        && many.bytes_max <= 5 * few.bytes_max;
    assert!(is_linear, "{what}: {few:?}, {many:?}");
}

/// A file whose cues are written by `cue`, which is given their number and times.
fn file(header: &str, count: usize, cue: impl Fn(usize) -> String) -> String {
    (0..count).fold(header.to_owned(), |mut file, i| {
        file.push_str(&cue(i));
        file
    })
}

fn webvtt(count: usize) -> String {
    file("WEBVTT\n", count, |i| {
        let (minute, second) = (i / 60, i % 60);
        format!(
            "\nNOTE {i}\n\n{i}\n{minute}:{second:02}.000 --> {minute}:{second:02}.900 line:0\n\
             <v Ada>one &amp; <i>two</i></v>\n<v Bob>3 < 4\n"
        )
    })
}

fn subrip(count: usize) -> String {
    file("", count, |i| {
        let (minute, second) = (i / 60, i % 60);
        format!(
            "{i}\n{minute}:{second:02},000 --> {minute}:{second:02},900\n\
             <i>one</i>\n\ntwo {{\\an8}}\n\n"
        )
    })
}

fn json(count: usize, list: &str, item: impl Fn(usize) -> String) -> String {
    let items: Vec<_> = (0..count).map(item).collect();
    format!("{{\"{list}\": [{}]}}", items.join(", "))
}

fn segments(count: usize) -> String {
    json(count, "segments", |i| {
        format!(
            "{{\"start\": {i}, \"end\": {i}.5, \"text\": \" one\", \"avg_logprob\": NaN, \
              \"words\": [{{\"word\": \"one\", \"start\": {i}, \"end\": {i}.5, \"score\": 0.5}}]}}"
        )
    })
}

fn words(count: usize) -> String {
    json(count, "words", |i| {
        format!("{{\"start\": {i}, \"end\": {i}.4, \"word\": \"one\"}}")
    })
}

/// Cues in one line, one block or one tag, and such that nothing ends.
fn unusual(count: usize) -> Vec<(&'static str, InputFormat, String)> {
    let start = "WEBVTT\n\n00:01.000 --> 00:02.000\n";
    vec![
        (
            "open tags",
            InputFormat::Vtt,
            format!("{start}{}", "<v a ".repeat(count)),
        ),
        (
            "voices",
            InputFormat::Vtt,
            format!("{start}{}", "<v a>b".repeat(count)),
        ),
        (
            "references",
            InputFormat::Vtt,
            format!("{start}{}", "&amp".repeat(count)),
        ),
        (
            "arrows",
            InputFormat::Vtt,
            format!("{start}{}", "a --> ".repeat(count)),
        ),
        (
            "blank lines",
            InputFormat::Vtt,
            format!("{start}a{}b", "\n".repeat(count)),
        ),
        (
            "notes",
            InputFormat::Vtt,
            format!("WEBVTT\n{}", "\nNOTE\n".repeat(count)),
        ),
        (
            "one header",
            InputFormat::Vtt,
            format!("WEBVTT\n{}", "a: b\n".repeat(count)),
        ),
        (
            "braces",
            InputFormat::Srt,
            format!("1\n{}{}", &start[8..], "{\\a<i".repeat(count)),
        ),
        (
            "numbers",
            InputFormat::Srt,
            format!("1\n{}{}", &start[8..], "1\n\n".repeat(count)),
        ),
        (
            "escapes",
            InputFormat::Json,
            format!(
                "{{\"segments\": [{{\"start\": 0, \"end\": 1, \"text\": \"a{}b\"}}]}}",
                "\\n".repeat(count)
            ),
        ),
    ]
}

fn reading(format: InputFormat, file: &str) -> AllocationInfo {
    let allocated = measure(|| {
        let parsed = format.read(black_box(file.as_bytes())).unwrap();
        black_box(parsed.transcript(Some(1e6)).unwrap());
    });
    // The bound is one for large files.
    let limit = 1_024 + u64::try_from(format.memory(file.as_bytes())).unwrap();
    assert!(allocated.bytes_max <= limit, "{allocated:?}, limit {limit}");
    allocated
}

#[test]
fn reading_allocates_in_proportion_to_the_file() {
    assert_linear("WebVTT", |count| reading(InputFormat::Vtt, &webvtt(count)));
    assert_linear("SubRip", |count| reading(InputFormat::Srt, &subrip(count)));
    assert_linear("segments", |count| {
        reading(InputFormat::Json, &segments(count))
    });
    assert_linear("words", |count| reading(InputFormat::Json, &words(count)));
}

#[test]
fn reading_unusual_files_allocates_in_proportion_to_the_file() {
    for i in 0..unusual(1).len() {
        let (what, ..) = unusual(1)[i];
        assert_linear(what, |count| {
            let (_, format, file) = &unusual(count)[i];
            reading(*format, file)
        });
    }
}

#[test]
fn writing_allocates_in_proportion_to_the_cues() {
    let cues = |count| -> Vec<Cue> {
        InputFormat::Vtt
            .read(webvtt(count).as_bytes())
            .unwrap()
            .transcript(None)
            .unwrap()
            .cues
    };
    for format in [Format::Vtt, Format::Srt, Format::Text, Format::WhisperJson] {
        assert_linear(format.as_str(), |count| {
            let cues = cues(count);
            measure(|| {
                black_box(format.write(black_box(&cues)));
            })
        });
    }
}
