//! Reading of typical, unusual and invalid files.

use lectern_domain::{Ratio, SpeakerId, SpokenText};
use lectern_formats::{Cue, FormatError, InputFormat, json, subrip, webvtt};

/// The cues of a file as it is read from others, in a recording of unknown length.
fn read(format: InputFormat, file: &[u8]) -> Result<Vec<Cue>, FormatError> {
    Ok(format.read(file)?.transcript(None)?.cues)
}

/// Cues as `start end speaker text`.
fn summary(cues: &[Cue]) -> Vec<String> {
    cues.iter()
        .map(|cue| {
            let speaker = cue.speaker.as_deref().unwrap_or("-");
            let text = cue.text.as_str();
            format!("{} {} {speaker} {text:?}", cue.start_ms(), cue.end_ms())
        })
        .collect()
}

#[test]
fn every_feature_of_webvtt_is_read() {
    let file = "\u{feff}WEBVTT - made by hand\r\nKind: captions\r\n\r\nSTYLE\r\n\
        ::cue(v) { color: red }\r\n\r\nREGION\r\nid:fred\r\n\r\nNOTE\r\nsecret\r\n\r\n\
        last\r\n100:00:00.000 --> 100:00:01.000 line:0 align:start\r\n\
        <v.loud Ada>Good <i>bye</i> &amp; thanks\r\n\r\nNOTE not said\r\n\r\n\
        00:01.000 --> 00:01.000\r\nfirst\r\n  second\r\n\r\n\
        NOTE\r\n00:00.500\t-->\t00:00.250\r\n{not} a comment, but ends before it starts\r\n\r\n\
        00:02.000 --> 00:03.000\r\n<b></b>&#32;\r\n\r\n\
        00:04.000 --> 00:05.000\r\n<v Ada>Yes?</v>\r\n<v Bob>No.";
    assert_eq!(
        summary(&read(InputFormat::Vtt, file.as_bytes()).unwrap()),
        [
            r#"500 500 - "{not} a comment, but ends before it starts""#,
            r#"1000 1000 - "first\n  second""#,
            r#"4000 5000 Ada "Yes?""#,
            r#"4000 5000 Bob "No.""#,
            r#"360000000 360001000 Ada "Good bye & thanks""#,
        ]
    );
}

#[test]
fn every_variant_of_subrip_is_read() {
    let file = "\u{feff}\r\n2\r\n00:00:03,000 --> 00:00:04,000 X1:40 X2:600\r\n\
        {\\an8}<i>a -> b</i> &amp; 5 < 6\r\n\r\nafter a blank line\r\n\r\n\
        x\r\n0:00:01.5 --> 0:00:02\r\n<font color=\"red\">overlaps</font>\r\n\
        1\r\n00:00:01,500 --> 100:00:00,0004\r\nmore\r\n\r\n\
        4\r\n00:00:09,000 --> 00:00:10,000\r\n\r\n\
        5\r\n00:00:08,000 --> 00:00:07,000\r\n42";
    let expected = [
        r#"1500 2000 - "overlaps""#,
        r#"1500 360000000 - "more""#,
        r#"3000 4000 - "a -> b &amp; 5 < 6\n\nafter a blank line""#,
        r#"8000 8000 - "42""#,
    ];
    assert_eq!(
        summary(&read(InputFormat::Srt, file.as_bytes()).unwrap()),
        expected
    );
    let old_mac = file.replace("\r\n", "\r");
    assert_eq!(
        summary(&read(InputFormat::Srt, old_mac.as_bytes()).unwrap()),
        expected
    );
    let utf16: Vec<u8> = file.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(summary(&read(InputFormat::Srt, &utf16).unwrap()), expected);
}

#[test]
fn subtitles_in_windows_1252_are_decoded() {
    let cue = b"00:01.000 --> 00:02.000\n\x93Caf\xe9\x94 \x96 d\xe9j\xe0 vu\n";
    let expected = [r#"1000 2000 - "“Café” – déjà vu""#];
    assert_eq!(summary(&read(InputFormat::Srt, cue).unwrap()), expected);
    let file = [b"WEBVTT\n\n", &cue[..]].concat();
    assert_eq!(summary(&read(InputFormat::Vtt, &file).unwrap()), expected);
    // JSON is Unicode by definition.
    let json = b"[{\"start\": 1, \"end\": 2, \"text\": \"Caf\xe9\"}]";
    assert_eq!(
        summary(&read(InputFormat::Json, json).unwrap()),
        ["1000 2000 - \"Caf\u{fffd}\""]
    );
}

#[test]
fn files_without_cues_give_no_cues() {
    for file in ["WEBVTT", "WEBVTT\n\nNOTE a", "WEBVTT\tx\r\n\r\n"] {
        assert_eq!(
            read(InputFormat::Vtt, file.as_bytes()),
            Ok(vec![]),
            "{file:?}"
        );
    }
    assert_eq!(read(InputFormat::Srt, b""), Ok(vec![]));
    assert_eq!(read(InputFormat::Srt, b"\xef\xbb\xbf \r\n\r\n"), Ok(vec![]));
    assert_eq!(
        read(InputFormat::Json, br#"{"text": "", "segments": []}"#),
        Ok(vec![])
    );
}

#[test]
fn an_error_names_its_line() {
    for (format, file, line, message) in [
        (InputFormat::Vtt, "", 1, "expected WEBVTT"),
        (InputFormat::Vtt, "\r\n\r\nHello", 3, "expected WEBVTT"),
        (InputFormat::Vtt, "WEBVTTX", 1, "expected WEBVTT"),
        (InputFormat::Vtt, "\n WEBVTT", 2, "expected WEBVTT"),
        (
            InputFormat::Vtt,
            "WEBVTT\n\n0:01 --> x:02\na",
            3,
            "expected times such as",
        ),
        (InputFormat::Srt, "\n\n<html>\n", 3, "HTML is not read"),
        (
            InputFormat::Srt,
            "2\n0:0:61,000 --> 0:02",
            2,
            "expected times",
        ),
        (InputFormat::Srt, "\0\x01\x02", 1, "expected SubRip"),
        (InputFormat::Json, "", 1, "EOF while parsing a value"),
        (
            InputFormat::Json,
            "{\"segments\": [\n{\"start\": 0,\n",
            3,
            "EOF while parsing",
        ),
        (
            InputFormat::Json,
            "{\n\"text\": \"a\"}",
            1,
            "expected segments with times",
        ),
        (
            InputFormat::Json,
            "{\n\"segments\": [\n{\"text\": [1]}]}",
            3,
            "no segment can be read",
        ),
        (
            InputFormat::Json,
            "[\n{\"text\": \"a\"}]",
            2,
            "no segment has a time",
        ),
    ] {
        let error = read(format, file.as_bytes()).unwrap_err();
        assert!(
            error.line == line && error.message.starts_with(message),
            "{file:?}: {error}"
        );
        assert_eq!(error.to_string(), format!("line {line}: {}", error.message));
    }
}

#[test]
fn whisper_times_are_seconds_and_whisper_cpp_times_are_milliseconds() {
    let openai = r#"{"task": "transcribe", "language": "english", "duration": 8.47, "text": "…",
        "segments": [
            {"id": 1, "seek": 0, "start": 3.319999933242798, "end": 2.0, "text": " b", "tokens": [50364, 440],
             "temperature": 0.0, "avg_logprob": -0.6931471805599453, "compression_ratio": 1.2, "no_speech_prob": 0.9},
            {"id": 0, "start": 0, "end": 3.0005, "text": " a\u0000 ", "speaker": "SPEAKER_00",
             "words": [{"word": " a", "start": 0.0, "end": 1.0, "score": 0.25}, {"word": "1", "probability": 0.75, "score": 0}, {"word": "2"}]},
            {"id": 2, "start": 4, "end": null, "text": "  "},
            {"id": 3, "start": -0.02, "end": 1e300, "text": "c", "speaker": 7, "confidence": 1.5, "avg_logprob": null}
        ]}"#;
    assert_eq!(
        summary(&read(InputFormat::Json, openai.as_bytes()).unwrap()),
        [
            "0 3001 SPEAKER_00 \"a\u{fffd}\"".to_owned(),
            format!("0 {} 7 \"c\"", lectern_formats::MAX_MILLIS),
            "3320 3320 - \"b\"".to_owned(),
        ]
    );
    let confidences = |cues: &[Cue]| -> Vec<_> {
        cues.iter()
            .map(|cue| cue.confidence.map(Ratio::get))
            .collect()
    };
    let cues = read(InputFormat::Json, openai.as_bytes()).unwrap();
    assert_eq!(confidences(&cues), [Some(0.5), Some(1.0), Some(0.5)]);

    let cpp = r#"{"systeminfo": "…", "transcription": [
        {"timestamps": {"from": "00:00:00,000", "to": "00:00:02,500"}, "offsets": {"from": 0, "to": 2500},
         "text": " hi", "tokens": [{"text": "[_BEG_]", "id": 50363, "p": 0.01, "t_dtw": -1},
                                   {"text": " hi", "id": 1, "p": 0.5}]},
        {"offsets": {"from": 2500, "to": -1}, "text": "you"}]}"#;
    let cues = read(InputFormat::Json, cpp.as_bytes()).unwrap();
    assert_eq!(summary(&cues), [r#"0 2500 - "hi""#, r#"2500 2500 - "you""#]);
    assert_eq!(confidences(&cues), [Some(0.5), None]);
}

#[test]
fn json_of_other_programs_is_distinguished_from_the_json_of_lectern() {
    for file in [
        r#"[{"start": 0, "end": 1, "text": "a"}]"#,
        r#"{"segments": [{"start": 0, "end": 1, "text": "a"}]}"#,
        r#"{"transcription": [{"offsets": {"from": 0, "to": 1}, "text": "a"}]}"#,
        // Recordings without speech.
        r#"{"text": "", "segments": [], "language": "en"}"#,
        r#"{"segments": [], "word_segments": [], "language": "en"}"#,
        r#"{"systeminfo": "", "result": {"language": "en"}, "transcription": []}"#,
        // The error of the reader names what is read.
        r#"{"sentiment": 1}"#,
        "{\"text\": \"a\", \"start\": 0}\n{\"text\": \"b\", \"start\": 1}\n",
        r#"{"text": "a", "segments": [{"start_time": 0, "end_time": 1, "text": "a"}]}"#,
    ] {
        assert!(json::detect(file.as_bytes()), "{file}");
    }
    for file in [
        r#"{"segments": [{"start_time": 0, "end_time": 1, "text": "a"}]}"#,
        r#"{"segments": []}"#,
        r#"{"segments": [["start"]], "x": "a"}"#,
        // Lectern's JSON with a misspelled field.
        r#"{"segments": [{"start": 0, "end_time": 1, "text": "a"}]}"#,
        r#"{"segments": [{"start": 0, "end": 1, "text": "a", "speaker_id": "Ada"}]}"#,
        r#"{"start_time": 0, "end_time": 1, "text": "a"}"#,
        "{}",
        "[]",
        "[{}]",
        "[[[]]]",
        // More than one body.
        "{\"segments\": [{\"start_time\": 0}]}{\"segments\": [{\"start_time\": 0}]}",
        "WEBVTT",
    ] {
        assert!(!json::detect(file.as_bytes()), "{file}");
    }
}

#[test]
fn a_name_that_ends_in_a_hyphen_writes_no_arrow() {
    let text = SpokenText::new("--> a").unwrap();
    let cue = Cue::new(0, 1_500, text).with_speaker(Some(SpeakerId::new("A & B\t--").unwrap()));
    let file = webvtt::write(&[cue]);
    assert_eq!(
        file,
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n<v A &amp; B -&#45;>--&gt; a\n"
    );
    assert_eq!(
        summary(&read(InputFormat::Vtt, file.as_bytes()).unwrap()),
        [r#"0 1500 A & B -- "--> a""#]
    );
}

#[test]
fn subrip_is_written_as_players_read_it() {
    let cues = [(359_999_999, "later"), (0, "<i> & \r\n\r\nAda: --> b")];
    let cues = cues.map(|(start, text)| Cue::new(start, start + 1, SpokenText::new(text).unwrap()));
    assert_eq!(
        subrip::write(&cues),
        "1\n00:00:00,000 --> 00:00:00,001\n<\u{2060}i> & \nAda: --\u{2060}> b\n\n\
         2\n99:59:59,999 --> 100:00:00,000\nlater\n"
    );
}

#[test]
fn every_seed_of_the_fuzz_targets_has_cues() {
    for format in InputFormat::ALL {
        let target = format.extensions()[0];
        let folder = format!("{}/fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
        for seed in std::fs::read_dir(folder).unwrap() {
            let path = seed.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(
                InputFormat::from_filename(path.to_str().unwrap()),
                Some(format)
            );
            assert_eq!(InputFormat::of_content(&bytes), format);
            let cues = read(format, &bytes).unwrap();
            assert!(!cues.is_empty(), "{}", path.display());
        }
    }
}

#[test]
fn every_cue_counts_as_memory() {
    let voices = "<v Ada>a</v>b <v>c".repeat(1_000);
    let cues = "00:01.000 --> 00:02.000\na\n\n".repeat(1_000);
    for body in [format!("00:01.000 --> 00:02.000\n{voices}"), cues] {
        let file = format!("WEBVTT\n\n{body}");
        let read = read(InputFormat::Vtt, file.as_bytes()).unwrap();
        assert!(read.len() >= 1_000);
        assert!(InputFormat::Vtt.memory(file.as_bytes()) >= read.len() * size_of::<Cue>());
        assert!(InputFormat::Vtt.memory(file.as_bytes()) >= 256 * read.len());
    }
}

#[test]
fn errors_name_the_format_of_the_file() {
    for (file, name) in [
        ("{12}{35}Hello.\n{40}{60}Bye.\n", "MicroDVD"),
        ("[12][35]Hello.\n", "MPL2"),
        (
            "<SAMI>\n<BODY><SYNC Start=12><P>Hello.</BODY></SAMI>",
            "SAMI",
        ),
        ("Scenarist_SCC V1.0\n\n00:00:01:00\t9420 9420\n", "SCC"),
        ("$FontName = Arial\n", "Spruce STL"),
        ("00:00:01:12 , 00:00:03:00 , Hello.\n", "Spruce STL"),
        ("SPEAKER talk 1 0.5 2.1 <NA> <NA> a <NA> <NA>\n", "RTTM"),
        ("\"Start\",\"End\",\"Text\"\n0.0,0.9,Hello.\n", "CSV"),
        ("Dear all,\nhello.\n", "text without times"),
        ("850STL25.01100EBU\u{1}", "EBU STL"),
    ] {
        let error = InputFormat::of_content(file.as_bytes())
            .read(file.as_bytes())
            .unwrap_err();
        assert!(error.message.starts_with(name), "{file} {error}");
        assert!(
            error.message.ends_with(
                "is not read; read are WebVTT, SubRip, JSON of speech \
            recognizers, TTML, SubStation Alpha, SBV, LRC and TSV"
            ),
            "{error}"
        );
    }
    let srt = InputFormat::Srt
        .read(b"1\n00:00:0x,000 --> 00:00:01,000\nHello.\n")
        .unwrap_err();
    assert!(srt.message.starts_with("expected times"), "{srt}");
    let json = InputFormat::Json.read(b"{\"a\": ").unwrap_err();
    assert!(!json.message.contains("not read"), "{json}");
}
