//! Written files are read back unchanged.

use lectern_domain::{Ratio, SpeakerId, SpokenText};
use lectern_formats::{Cue, Format, FormatError, InputFormat, MAX_MILLIS};
use lectern_formats::{json, subrip, webvtt, whisper_json};
use proptest::prelude::*;

/// Texts that mix the markup of all formats with arbitrary characters.
fn text() -> impl Strategy<Value = SpokenText> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "\n", "\r", "\r\n", " ", "\t", "<", ">", "&", "{", "}", "\\", "-", "-->", "--", "\u{2060}",
            "\u{feff}", "\u{a0}", "\u{2028}", "\u{85}", "b>", "</v>", "<i>", "<v Ada>", "<font x>",
            "{\\an8}", "&amp;", "&#10;", "&#", ";", "1", "42\n", "00:00:01.000 --> 00:00:02.000\n",
            "00:01,5", "NOTE", "NOTE x\n", "STYLE\n", "WEBVTT", "Ada: ", "ä", "漢", "👩‍🏫",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,8}",
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 1..12)
        .prop_filter_map("blank text", |pieces| SpokenText::new(pieces.concat()).ok())
}

fn cues() -> impl Strategy<Value = Vec<Cue>> {
    let time = prop_oneof![0..100_u64, 0..36_000_000_u64, 0..=MAX_MILLIS];
    let length = prop_oneof![Just(0), 0..10_000_u64];
    let name = prop::option::of("[<>&.a-z\\u{a0}é-]{1,5}( [<>&;v/a-z]{1,5}){0,2}");
    let cue = (time, length, text(), name, prop::option::of(0.0..=1.0));
    let cue = cue.prop_map(
        |(start, length, text, name, confidence): (_, _, _, _, Option<f64>)| {
            Cue::new(start, start + length, text)
                .with_speaker(name.and_then(|name| SpeakerId::new(name).ok()))
                .with_confidence(confidence.and_then(|value| Ratio::new(value).ok()))
        },
    );
    prop::collection::vec(cue, 0..6).prop_map(|mut cues| {
        cues.sort_by_key(Cue::start_ms);
        cues
    })
}

/// Changes the text of a cue, unless the result would be blank.
fn with_text(mut cue: Cue, change: impl Fn(&str) -> String) -> Cue {
    if let Ok(text) = SpokenText::new(change(&cue.text)) {
        cue.text = text;
    }
    cue
}

/// The cues with the ends at which subtitles show them: a cue of zero length is shown for up to
/// seven seconds, but not after the next start.
fn with_shown_ends(cues: Vec<Cue>, read: &[Cue]) -> Vec<Cue> {
    let next_starts: Vec<_> = cues.iter().skip(1).map(Cue::start_ms).collect();
    let next_starts = next_starts.into_iter().chain([MAX_MILLIS]);
    let shown = cues.into_iter().zip(next_starts).zip(read);
    shown
        .map(|((cue, next_start), read)| {
            let start = cue.start_ms();
            if cue.end_ms() > start {
                return cue;
            }
            let longest = next_start.min(start + 7_000);
            let shortest = next_start.min(start + 1_000);
            cue.with_times(start, read.end_ms().clamp(shortest, longest))
        })
        .collect()
}

/// The lines of a text that are not blank.
fn text_lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<_> = text
        .split('\n')
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines.join("\n")
}

/// Reads a file that this crate has written.
fn read_written(format: Format, file: &[u8]) -> Result<Vec<Cue>, FormatError> {
    let transcript = match format {
        Format::Vtt => webvtt::read(file)?,
        Format::Srt => subrip::read(file)?,
        _ => InputFormat::Json.read(file)?.transcript(None)?,
    };
    Ok(transcript.cues)
}

/// Reads and writes a file of others, then reads and writes the result. The two outputs are
/// equal if nothing is lost. Both are empty for an invalid file.
fn rewritten_twice(input: InputFormat, output: Format, bytes: &[u8]) -> (String, String) {
    let Ok(transcript) = input.read(bytes).and_then(|file| file.transcript(None)) else {
        return <_>::default();
    };
    let once = output.write(&transcript.cues);
    let twice = read_written(output, once.as_bytes()).map(|cues| output.write(&cues));
    (once, twice.unwrap_or_else(|error| error.to_string()))
}

/// The seeds of the fuzz targets, with their formats.
fn seeds() -> Vec<(InputFormat, Vec<u8>)> {
    let seeds = InputFormat::ALL.into_iter().flat_map(|format| {
        let folder = format.extensions()[0];
        let folder = format!("{}/fuzz/seeds/{folder}", env!("CARGO_MANIFEST_DIR"));
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        files.filter_map(move |file| Some((format, std::fs::read(file.path()).ok()?)))
    });
    seeds.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn webvtt_keeps_times_texts_and_speakers(cues in cues()) {
        let file = webvtt::write(&cues);
        let read = read_written(Format::Vtt, file.as_bytes()).unwrap();
        let expected: Vec<_> = with_shown_ends(cues, &read).into_iter().map(|cue| {
            let (start, end) = (cue.start_ms(), cue.end_ms());
            let cue = with_text(cue.with_times(start, end.max(start + 1)), text_lines);
            cue.with_confidence(None)
        }).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn written_webvtt_follows_the_specification(cues in cues()) {
        let file = webvtt::write(&cues);
        prop_assert!(!file.contains('\r'));
        let body = file.strip_prefix("WEBVTT\n").unwrap();
        let blocks: Vec<_> = body.split("\n\n").filter(|block| !block.is_empty()).collect();
        prop_assert!(!file.contains("&#10;"));
        prop_assert_eq!(blocks.len(), cues.len());
        let mut last = String::new();
        for block in blocks {
            let (times, text) = block.trim_start_matches('\n').split_once('\n').unwrap();
            let (start, end) = times.split_once(" --> ").unwrap();
            for time in [start, end] {
                let (hours, rest) = time.split_once(':').unwrap();
                prop_assert!(hours.len() >= 2 && rest.len() == "00:00.000".len(), "{}", time);
            }
            // Padded with zeros, so that the order of the strings is the order of the times.
            let padded = |time: &str| format!("{time:0>20}");
            prop_assert!(padded(start) < padded(end) && last <= padded(start));
            last = padded(start);
            prop_assert!(!text.trim_matches(['\n']).is_empty() && !text.contains("-->"));
            let markup = text.strip_prefix("<v ").map_or(text, |text| text.split_once('>').unwrap().1);
            prop_assert!(!markup.contains(['<', '>']), "{}", text);
        }
    }

    #[test]
    fn subrip_keeps_times_and_texts(cues in cues()) {
        let file = subrip::write(&cues);
        prop_assert_eq!(file.matches("-->").count(), cues.len());
        let read = read_written(Format::Srt, file.as_bytes()).unwrap();
        let expected: Vec<_> = with_shown_ends(cues, &read).into_iter().map(|cue| {
            with_text(cue, text_lines).with_speaker(None).with_confidence(None)
        }).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn line_ends_make_no_difference(cues in cues()) {
        for format in [Format::Vtt, Format::Srt] {
            let file = format.write(&cues);
            for end in ["\r\n", "\r"] {
                let other = file.replace('\n', end);
                prop_assert_eq!(read_written(format, other.as_bytes()), read_written(format, file.as_bytes()));
            }
            let without_last_line_end = file.strip_suffix('\n').unwrap_or_default();
            if !without_last_line_end.is_empty() {
                prop_assert_eq!(read_written(format, without_last_line_end.as_bytes()), read_written(format, file.as_bytes()));
            }
        }
    }

    #[test]
    fn whisper_json_keeps_everything_but_white_space_around_texts(cues in cues()) {
        // A colon may end the name of a speaker.
        let cues: Vec<_> = cues.into_iter()
            .map(|cue| with_text(cue, |text| text.replace([':', '：'], ";")))
            // In a file of cues without length, the ends are taken for missing.
            .map(|cue| {
                let (start, end) = (cue.start_ms(), cue.end_ms());
                cue.with_times(start, end.max(start + 1))
            })
            .collect();
        let expected: Vec<_> = cues.iter().cloned()
            .map(|cue| with_text(cue, |text| text.trim().to_owned()))
            .collect();
        let file = whisper_json::write(&cues);
        prop_assert_eq!(read_written(Format::WhisperJson, file.as_bytes()).unwrap(), expected);
        prop_assert!(json::detect(file.as_bytes()));
    }

    #[test]
    fn arbitrary_bytes_are_refused_or_keep_their_cues_when_rewritten(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for input in InputFormat::ALL {
            for output in [Format::Vtt, Format::Srt] {
                let (once, twice) = rewritten_twice(input, output, &bytes);
                prop_assert_eq!(once, twice);
            }
        }
        json::detect(&bytes);
    }

    #[test]
    fn damaged_files_are_refused_or_keep_their_cues_when_rewritten(
        seed in prop::sample::select(seeds()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0..20_usize, prop_oneof![
            prop::collection::vec(any::<u8>(), 0..4),
            text().prop_map(|text| text.into_string().into_bytes()),
        ]), 1..6),
    ) {
        let (input, mut bytes) = seed;
        for (at, removed, inserted) in damage {
            let at = at.index(bytes.len() + 1);
            let end = (at + removed).min(bytes.len());
            bytes.splice(at..end, inserted);
        }
        InputFormat::of_content(&bytes);
        json::detect(&bytes);
        for output in [Format::Vtt, Format::Srt] {
            let (once, twice) = rewritten_twice(input, output, &bytes);
            prop_assert_eq!(once, twice);
        }
    }

    #[test]
    fn almost_valid_subtitles_are_refused_or_keep_their_cues_when_rewritten(pieces in prop::collection::vec(
        prop_oneof![
            Just("0:01 --> 0:02\n".to_owned()), Just("0:03,5-->0:01 x\r".to_owned()),
            Just("\n".to_owned()), Just("7\n".to_owned()), text().prop_map(SpokenText::into_string),
        ], 0..12,
    )) {
        let body = pieces.concat();
        for (input, output, head) in [
            (InputFormat::Srt, Format::Srt, ""),
            (InputFormat::Vtt, Format::Vtt, "WEBVTT\n\n"),
        ] {
            let (once, twice) = rewritten_twice(input, output, format!("{head}{body}").as_bytes());
            prop_assert_eq!(once, twice);
        }
    }
}
