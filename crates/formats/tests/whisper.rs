//! JSON files of the programs derived from Whisper.

use lectern_domain::Ratio;
use lectern_formats::{Change, Cue, FormatError, InputFormat, json};

fn read(file: &[u8]) -> Result<Vec<Cue>, FormatError> {
    Ok(InputFormat::Json.read(file)?.transcript(None)?.cues)
}

/// Start, end and text of the cues in a file that is detected as Whisper's.
fn summary(file: &str) -> Result<Vec<(u64, u64, String)>, FormatError> {
    assert!(json::detect(file.as_bytes()), "{file}");
    let summary = |cue: Cue| (cue.start_ms(), cue.end_ms(), cue.text.into_string());
    let cues = read(file.as_bytes())?;
    Ok(cues.into_iter().map(summary).collect())
}

fn cue(start_ms: u64, end_ms: u64, text: &str) -> (u64, u64, String) {
    (start_ms, end_ms, text.to_owned())
}

#[test]
fn python_numbers_are_read_as_null() {
    let json = r#"{"text": "\"NaN\" it is", "segments": [
        {"start": 0.0, "end": 1.0, "text": "\"NaN\" \\", "avg_logprob": NaN, "compression_ratio": Infinity},
        {"start": 1.0, "end": NaN, "text": "it is", "avg_logprob": -Infinity, "speaker": NaN,
         "words": [{"word": "it", "probability": NaN}, {"word": "is", "probability": 0.5}]}]}"#;
    assert_eq!(
        summary(json).unwrap(),
        [cue(0, 1_000, r#""NaN" \"#), cue(1_000, 1_325, "it is")]
    );
    let cues = read(json.as_bytes()).unwrap();
    let confidences: Vec<_> = cues
        .iter()
        .map(|cue| cue.confidence.map(Ratio::get))
        .collect();
    assert_eq!(confidences, [None, Some(0.5)]);

    let array = r#"[{"start": 0.0, "end": 1.0, "text": "a", "avg_logprob": NaN}]"#;
    assert_eq!(summary(array).unwrap(), [cue(0, 1_000, "a")]);
    let error = read(b"[\n{\"start\": NaN, \"text\": \"a\"}]").unwrap_err();
    assert_eq!(error.line, 2);
    assert!(error.message.starts_with("no segment has a time"));
}

#[test]
fn chunks_of_transformers_are_read_as_segments() {
    let json = r#"{"text": " And so\u0000 it ends", "chunks": [
        {"timestamp": [0.0, 4.5], "text": " And so"},
        {"timestamp": [4.5, null], "text": " it ends", "language": null}]}"#;
    assert_eq!(
        summary(json).unwrap(),
        [cue(0, 4_500, "And so"), cue(4_500, 4_955, "it ends")]
    );
    let array = r#"[{"timestamp": [1, 2], "text": "a"}]"#;
    assert_eq!(summary(array).unwrap(), [cue(1_000, 2_000, "a")]);
    assert_eq!(summary(r#"{"text": "", "chunks": []}"#).unwrap(), []);
}

#[test]
fn words_are_joined_up_to_a_pause_ten_seconds_or_eighty_characters() {
    let words = |words: &[(&str, u32, u32)]| {
        let words = words.iter().map(|(word, start, end)| {
            format!(r#"{{"word": {word:?}, "start": {start}e-1, "end": {end}e-1}}"#)
        });
        words.collect::<Vec<_>>().join(", ")
    };
    let paused = words(&[
        ("And", 0, 4),
        ("so,", 14, 20),
        ("after", 31, 40),
        ("that", 40, 131),
    ]);
    let json = format!(
        r#"{{"task": "transcribe", "text": "And so, after that", "segments": null, "words": [{paused}]}}"#
    );
    let expected = [cue(0, 2_000, "And so,"), cue(3_100, 13_100, "after that")];
    assert_eq!(summary(&json).unwrap(), expected);
    // Whisper's words begin with a space.
    assert_eq!(
        summary(
            &json
                .replace(r#""so"#, r#"" so"#)
                .replace(r#""that"#, r#"" that"#)
        )
        .unwrap(),
        expected
    );
    // A tenth of a second over the limit.
    assert_eq!(summary(&json.replace("131e-1", "132e-1")).unwrap().len(), 3);

    let long = "x".repeat(40);
    let json = words(&[(&long[1..], 0, 1), (&long, 1, 2), (&long, 2, 3)]);
    let texts = [format!("{} {long}", &long[1..]), long];
    assert_eq!(
        summary(&format!(r#"{{"words": [{json}]}}"#)).unwrap(),
        [cue(0, 200, &texts[0]), cue(200, 300, &texts[1])]
    );

    let chinese = words(&[("你", 0, 1), ("好", 1, 2)]);
    assert_eq!(
        summary(&format!(r#"{{"text": "你好", "words": [{chinese}]}}"#)).unwrap(),
        [cue(0, 200, "你好")]
    );
    let unaligned = r#"{"words": [{"word": "In"}, {"word": "1999", "start": 1.0}, {"word": ","}]}"#;
    assert_eq!(summary(unaligned).unwrap(), [cue(0, 1_000, "In 1999,")]);
}

#[test]
fn segments_take_precedence_over_words() {
    let json = r#"{"segments": [{"start": 0, "end": 1, "text": "a b"}], "words": ["a", "b"]}"#;
    assert_eq!(summary(json).unwrap(), [cue(0, 1_000, "a b")]);
}

#[test]
fn a_text_without_times_is_detected_and_refused() {
    let json = br#"{"text": "a b", "usage": {"type": "duration", "seconds": 3}}"#;
    assert!(json::detect(json));
    let error = read(json).unwrap_err();
    assert!(error.message.starts_with("expected segments with times"));
    // A single segment of Lectern's JSON, without the list around it.
    assert!(!json::detect(
        br#"{"start_time": 0, "end_time": 1, "text": "a"}"#
    ));
}

#[test]
fn a_segment_in_which_nobody_speaks_is_left_out_and_noted() {
    let file = br#"{"segments": [
        {"start": 0.0, "end": 1.0, "text": "kept", "no_speech_prob": 0.9, "avg_logprob": -0.9},
        {"start": 1.0, "end": 2.0, "text": "kept", "no_speech_prob": 0.5, "avg_logprob": -1.5},
        {"start": 2.0, "end": 3.0, "text": "kept", "no_speech_prob": 0.9},
        {"start": 3.0, "end": 4.0, "text": "Thank you.", "no_speech_prob": 0.7, "avg_logprob": -1.1},
        {"start": 4.0, "end": 5.0, "text": "no no no no", "compression_ratio": 2.5}
    ]}"#;
    let transcript = InputFormat::Json
        .read(file)
        .unwrap()
        .transcript(None)
        .unwrap();
    let texts: Vec<_> = transcript
        .cues
        .iter()
        .map(|cue| cue.text.as_str())
        .collect();
    assert_eq!(texts, ["kept", "kept", "kept", "no no no no"]);
    assert_eq!(transcript.notes.lines(Change::NoSpeech), [5]);
    assert_eq!(transcript.notes.lines(Change::RepeatsItself), [6]);
    assert!(transcript.notes.has_losses());
}

#[test]
fn the_language_and_the_probabilities_of_words_are_kept() {
    for (fields, expected) in [
        (r#""language": "german""#, Some("de")),
        (r#""result": {"language": "de"}"#, Some("de")),
        (r#""language_code": "en_us""#, Some("en-US")),
        (r#""language": null"#, None),
    ] {
        let file = format!(
            r#"{{{fields}, "segments": [{{"start": 0, "end": 40, "text": "a b", "words": [
                {{"word": " a", "start": 0, "end": 1, "probability": 0.5}},
                {{"word": " b", "start": 39, "end": 40}}]}}]}}"#
        );
        let transcript = InputFormat::Json.read(file.as_bytes()).unwrap();
        let transcript = transcript.transcript(None).unwrap();
        assert_eq!(transcript.language.as_deref(), expected, "{fields}");
        let words = transcript.cues.iter().flat_map(|cue| &cue.words);
        let words: Vec<_> = words.map(|word| word.probability.map(Ratio::get)).collect();
        assert_eq!(words, [Some(0.5), None]);
    }
    let file = b"WEBVTT\nKind: captions\nLanguage: fr\n\n00:00.000 --> 00:01.000\nBonjour\n";
    let transcript = InputFormat::Vtt
        .read(file)
        .unwrap()
        .transcript(None)
        .unwrap();
    assert_eq!(transcript.language.as_deref(), Some("fr"));
}
