//! JSON of speech recognizers and of programs for captions.

use lectern_formats::{Change, FormatError, InputFormat, Transcript, json};
use serde_json::{Value, json};

fn read(file: &str, seconds: Option<f64>) -> Result<Transcript, FormatError> {
    assert!(json::detect(file.as_bytes()), "{file}");
    InputFormat::Json.read(file.as_bytes())?.transcript(seconds)
}

fn transcript(file: &Value) -> Transcript {
    read(&file.to_string(), None).unwrap_or_else(|error| panic!("{error}: {file}"))
}

/// Cues as `start end speaker text`.
fn cues(file: &Value) -> Vec<String> {
    summary(&transcript(file))
}

fn summary(transcript: &Transcript) -> Vec<String> {
    let summary = |cue: &lectern_formats::Cue| {
        let speaker = cue.speaker.as_deref().unwrap_or("-");
        let (start, end, text) = (cue.start_ms(), cue.end_ms(), cue.text.as_str());
        format!("{start} {end} {speaker} {text:?}")
    };
    transcript.cues.iter().map(summary).collect()
}

const HI: &str = r#"100 900 - "Hi all.""#;

#[test]
fn chunks_that_are_words_become_segments() {
    let file = json!({ "text": " roots grow down", "chunks": [
        { "text": " roots", "timestamp": [0.0, 0.3] },
        { "text": " grow", "timestamp": [0.3, 0.6] },
        { "text": " down", "timestamp": [0.6, 1.0] },
    ] });
    assert_eq!(cues(&file), [r#"0 1000 - "roots grow down""#]);
    assert_eq!(transcript(&file).cues[0].words.len(), 3);
    // whisper.cpp with -ml 1 divides words.
    let token = |from: u32, to: u32, text: &str| json!({ "offsets": { "from": from, "to": to }, "text": text });
    let cpp = json!({ "transcription": [
        token(0, 0, ""), token(0, 300, " root"), token(300, 400, "lets"), token(400, 600, " grow"),
        token(600, 700, "."),
    ] });
    assert_eq!(cues(&cpp), [r#"0 700 - "rootlets grow.""#]);
    let words: Vec<_> = transcript(&cpp).cues[0]
        .words
        .iter()
        .map(|word| word.text.clone())
        .collect();
    assert_eq!(words, ["rootlets", "grow."]);
}

#[test]
fn words_are_joined_as_their_script_is_written() {
    let word = |word: &str, start: f64| json!({ "word": word, "start": start, "end": start + 0.2 });
    let chinese = json!({ "text": "今天 我们", "words": [word("今天", 0.0), word("我们", 0.3)] });
    assert_eq!(cues(&chinese), [r#"0 500 - "今天我们""#]);
    let single = json!({ "result": [word("one", 0.0)], "text": "one" });
    let lines = format!(
        "{single}\n{}\n",
        json!({ "result": [word("two", 0.3)], "text": "two" })
    );
    let joined = read(&lines, None).unwrap();
    assert_eq!(summary(&joined), [r#"0 500 - "one two""#]);
}

#[test]
fn an_end_is_a_duration_or_the_next_start() {
    let durations = json!([
        { "text": "one", "start": 3.5, "duration": 1.25 },
        { "text": "two", "start": 4.75, "duration": 2.0 },
    ]);
    assert_eq!(
        cues(&durations),
        [r#"3500 4750 - "one""#, r#"4750 6750 - "two""#]
    );
    let starts = json!({ "text": "", "segments": [
        { "start": 0.0, "text": "one" }, { "start": 4.0, "text": "two" },
    ] });
    let read = read(&starts.to_string(), Some(9.0)).unwrap();
    assert_eq!(
        summary(&read),
        [r#"0 4000 - "one""#, r#"4000 9000 - "two""#]
    );
    assert_eq!(read.notes.count(Change::NoEnd), 2);
}

#[test]
fn aws_transcribe_is_read() {
    let item = |number: u32, start: &str, end: &str, word: &str| {
        json!({
            "id": number, "type": "pronunciation", "start_time": start, "end_time": end,
            "alternatives": [{ "confidence": "0.9", "content": word }],
        })
    };
    let stop =
        json!({ "type": "punctuation", "alternatives": [{ "confidence": "0.0", "content": "." }] });
    let items = json!([
        item(0, "0.1", "0.4", "Hi"),
        item(1, "0.4", "0.9", "all"),
        stop
    ]);
    let words = json!({ "status": "COMPLETED", "results": { "transcripts": [], "items": items } });
    assert_eq!(cues(&words), [HI]);
    let mut speakers = words.clone();
    speakers["results"]["speaker_labels"] = json!({ "segments": [{
        "start_time": "0.1", "speaker_label": "spk_1",
        "items": [
            { "start_time": "0.1", "speaker_label": "spk_1" },
            { "start_time": "0.4", "speaker_label": "spk_1" },
        ],
    }] });
    assert_eq!(cues(&speakers), [HI.replace('-', "spk_1")]);
    let mut segments = words;
    segments["results"]["audio_segments"] = json!([{
        "id": 0, "transcript": "Hi all.", "start_time": "0.1", "end_time": "0.9",
        "speaker_label": "spk_0", "items": [0, 1, 2],
    }]);
    let read = transcript(&segments);
    assert_eq!(summary(&read), [HI.replace('-', "spk_0")]);
    assert_eq!(read.cues[0].words.len(), 2);
}

#[test]
fn deepgram_is_read() {
    let words = json!([
        { "word": "hi", "start": 0.1, "end": 0.4, "speaker": 1, "punctuated_word": "Hi" },
        { "word": "all", "start": 0.4, "end": 0.9, "speaker": 1, "punctuated_word": "all." },
    ]);
    let channel = json!({ "alternatives": [{ "transcript": "Hi all.", "words": words }] });
    let mut file = json!({ "metadata": { "duration": 2.0 }, "results": { "channels": [channel] } });
    assert_eq!(cues(&file), [HI.replace('-', "1")]);
    file["results"]["utterances"] = json!([
        { "start": 0.1, "end": 0.9, "channel": 0, "transcript": "Hi all.", "speaker": 1 },
    ]);
    let read = transcript(&file);
    assert_eq!(summary(&read), [HI.replace('-', "1")]);
    assert_eq!(read.cues[0].words.len(), 2);
}

#[test]
fn assembly_ai_has_milliseconds() {
    let words = json!([
        { "text": "Hi", "start": 100, "end": 400, "speaker": "B" },
        { "text": "all.", "start": 400, "end": 900, "speaker": "B" },
    ]);
    let file = json!({
        "id": "x", "status": "completed", "text": "Hi all.", "audio_duration": 2, "words": words,
        "utterances": [{ "start": 100, "end": 900, "text": "Hi all.", "speaker": "B", "words": [] }],
    });
    assert_eq!(cues(&file), [HI.replace('-', "B")]);
    let mut without = file;
    without["utterances"] = json!(null);
    assert_eq!(cues(&without), [HI.replace('-', "B")]);
}

#[test]
fn google_is_read() {
    let words = json!([
        { "startTime": "0.100s", "endTime": "0.400s", "word": "Hi", "speakerTag": 2 },
        { "startTime": "0.400s", "endTime": "0.900s", "word": "all.", "speakerTag": 2 },
    ]);
    let result = |words: &Value| json!({ "alternatives": [{ "transcript": "Hi all.", "confidence": 0.9, "words": words }] });
    assert_eq!(
        cues(&json!({ "results": [result(&words)] })),
        [HI.replace('-', "2")]
    );
    // With speakers, all words are repeated at the end.
    let mut untagged = words.clone();
    for word in untagged.as_array_mut().unwrap() {
        word.as_object_mut().unwrap().remove("speakerTag");
    }
    let repeated = json!({ "response": { "results": [result(&untagged), result(&words)] } });
    assert_eq!(cues(&repeated), [HI.replace('-', "2")]);
    let snake_case = json!({ "results": [{ "alternatives": [{ "transcript": "Hi all.", "words": [
        { "start_time": { "nanos": 100_000_000 }, "end_time": { "nanos": 400_000_000 }, "word": "Hi" },
        { "start_time": { "nanos": 400_000_000 }, "end_time": { "nanos": 900_000_000 }, "word": "all." },
    ] }] }] });
    assert_eq!(cues(&snake_case), [HI]);
    let without_words = json!({ "results": [
        { "alternatives": [{ "transcript": "one" }], "resultEndTime": "2s" },
        { "alternatives": [{ "transcript": "two" }], "resultEndTime": "5.500s" },
    ] });
    assert_eq!(
        cues(&without_words),
        [r#"0 2000 - "one""#, r#"2000 5500 - "two""#]
    );
}

#[test]
fn vosk_is_read_as_one_result_or_several() {
    let result = |at: f64, words: [&str; 2]| {
        json!({ "result": [
            { "conf": 0.9, "start": at + 0.1, "end": at + 0.4, "word": words[0] },
            { "conf": 0.9, "start": at + 0.4, "end": at + 0.9, "word": words[1] },
        ], "text": words.join(" ") })
    };
    let first = result(0.0, ["Hi", "all."]);
    let second = result(5.0, ["so", "long"]);
    assert_eq!(cues(&first), [HI]);
    let both = [HI, r#"5100 5900 - "so long""#];
    assert_eq!(cues(&json!([first, second, { "text": "" }])), both);
    for lines in [
        format!("{first}\n{second}\n"),
        format!("{first:#}\n{second:#}\n{{\"text\": \"\"}}"),
    ] {
        assert_eq!(summary(&read(&lines, None).unwrap()), both);
    }
    let alternatives = json!({ "alternatives": [first] });
    assert_eq!(cues(&alternatives), [HI]);
}

#[test]
fn words_with_other_names_for_times_are_read() {
    let file = json!({ "text": "Hi all.", "words": [
        { "word": "Hi", "start_time": 0.1, "end_time": 0.4 },
        { "word": "all.", "start_time": 0.4, "end_time": 0.9 },
    ] });
    assert_eq!(cues(&file), [HI]);
    let unknown = json!({ "text": "Hi", "words": [{ "word": "Hi", "when": 0.1 }] });
    let error = read(&unknown.to_string(), None).unwrap_err();
    assert!(error.message.starts_with("no word has a time"), "{error}");
}

#[test]
fn words_beside_empty_segments_are_used() {
    for segments in [
        json!([]),
        json!(null),
        json!([{ "start": 0, "end": 1, "text": "" }]),
    ] {
        let file = json!({ "text": "Hi all.", "duration": 1.0, "segments": segments, "words": [
            { "word": "Hi", "start": 0.1, "end": 0.4 }, { "word": "all.", "start": 0.4, "end": 0.9 },
        ] });
        assert_eq!(cues(&file), [HI], "{file}");
    }
}

#[test]
fn a_segment_without_text_or_times_is_left_out_and_counted() {
    let file = "{\"language\": \"en\", \"segments\": [\n{\"start\": 0, \"end\": 1, \"text\": null},\n\
        {\"start\": null, \"end\": null, \"text\": \"b\"},\n{\"start\": 2, \"end\": 3, \"text\": \" c\"},\n7]}";
    let read = read(file, None).unwrap();
    assert_eq!(summary(&read), [r#"2000 3000 - "c""#]);
    assert_eq!(read.notes.lines(Change::NoText), [2]);
    assert_eq!(read.notes.lines(Change::NoTimes), [3]);
    assert_eq!(read.notes.lines(Change::Unreadable), [5]);
}

#[test]
fn another_speaker_begins_another_segment() {
    let word = |word: &str, start: f64, speaker: &str| json!({ "word": word, "start": start, "end": start + 0.2, "speaker": speaker });
    let words = json!([
        word("So?", 0.0, "A"),
        word("Yes", 0.3, "B"),
        word("I", 0.5, "B"),
        word("do.", 0.7, "B"),
    ]);
    let expected = [r#"0 200 A "So?""#, r#"300 900 B "Yes I do.""#];
    let list = json!({ "text": "So? Yes I do.", "words": words });
    assert_eq!(cues(&list), expected);
    let segment = json!({ "language": "en", "segments": [
        { "start": 0.0, "end": 0.9, "text": "So? Yes I do.", "words": words },
    ] });
    assert_eq!(cues(&segment), expected);
}

#[test]
fn repetitions_are_kept_and_counted() {
    let segments: Vec<_> = (0..6)
        .map(|i| json!({ "start": 30 * i, "end": 30 * i + 30, "text": " Thank you." }))
        .collect();
    let read = transcript(&json!({ "text": "", "segments": segments }));
    assert_eq!(read.cues.len(), 6);
    assert_eq!(read.notes.count(Change::SameText), 5);
}

#[test]
fn units_are_recognized_or_refused() {
    let file = |unit: u64| {
        let segments: Vec<_> = (0..8)
            .map(|i| {
                let start = 3 * i * unit;
                json!({ "start": start, "end": start + 2 * unit, "text": "the roots of a tree grow" })
            })
            .collect();
        json!({ "language": "en", "segments": segments }).to_string()
    };
    for seconds in [None, Some(25.0)] {
        for unit in [1, 100, 1_000] {
            let read = read(&file(unit), seconds).unwrap();
            assert_eq!(read.cues[7].end_ms(), 23_000, "{unit} {seconds:?}");
            let is_noted = read.notes.to_string().contains("the times were read as");
            assert_eq!(is_noted, unit > 1, "{}", read.notes);
        }
    }
    let error = read(&file(1_000_000), Some(25.0)).unwrap_err();
    assert!(
        error.message.contains("does not fit a recording of 25 s"),
        "{error}"
    );
    let declared = json!([{ "t0": 10, "t1": 90, "text": "Hi all." }]);
    assert_eq!(cues(&declared), [HI]);
}

#[test]
fn azure_is_read() {
    let best = json!([{ "confidence": 0.8, "lexical": "hi all", "display": "Hi all." }]);
    let batch = json!({ "durationInTicks": 20_000_000, "recognizedPhrases": [{
        "speaker": 1, "offset": "PT0.1S", "duration": "PT0.8S", "nBest": best,
    }] });
    assert_eq!(cues(&batch), [HI.replace('-', "1")]);
    let fast = json!({ "durationMilliseconds": 2_000, "combinedPhrases": [{ "text": "Hi all." }], "phrases": [{
        "speaker": 1, "offsetMilliseconds": 100, "durationMilliseconds": 800, "text": "Hi all.",
    }] });
    assert_eq!(cues(&fast), [HI.replace('-', "1")]);
    let phrase = json!({
        "RecognitionStatus": "Success", "Offset": 1_000_000, "Duration": 8_000_000,
        "NBest": [{ "Confidence": 0.8, "Display": "Hi all.", "Words": [
            { "Word": "hi", "Offset": 1_000_000, "Duration": 3_000_000 },
        ] }],
    });
    assert_eq!(cues(&phrase), [HI]);
    assert_eq!(cues(&json!([phrase])), [HI]);
    let video_indexer = json!({ "videos": [{ "insights": { "transcript": [{
        "text": "Hi all.", "speakerId": 4, "instances": [{ "start": "0:00:00.1", "end": "0:00:00.9" }],
    }] } }] });
    assert_eq!(cues(&video_indexer), [HI.replace('-', "4")]);
}

#[test]
fn eleven_labs_lists_spaces() {
    let file = json!({ "language_code": "en", "text": "Hi all.", "words": [
        { "text": "Hi", "start": 0.1, "end": 0.4, "type": "word", "speaker_id": "speaker_0" },
        { "text": " ", "start": 0.4, "end": 0.4, "type": "spacing", "speaker_id": "speaker_0" },
        { "text": "all.", "start": 0.4, "end": 0.9, "type": "word", "speaker_id": "speaker_0" },
    ] });
    assert_eq!(cues(&file), [HI.replace('-', "speaker_0")]);
}

#[test]
fn speechmatics_is_read() {
    let file = json!({ "format": "2.9", "metadata": {}, "results": [
        { "type": "word", "start_time": 0.1, "end_time": 0.4,
          "alternatives": [{ "content": "Hi", "confidence": 1.0, "speaker": "S1" }] },
        { "type": "word", "start_time": 0.4, "end_time": 0.9,
          "alternatives": [{ "content": "all", "confidence": 1.0, "speaker": "S1" }] },
        { "type": "punctuation", "start_time": 0.9, "end_time": 0.9, "attaches_to": "previous",
          "alternatives": [{ "content": ".", "confidence": 1.0, "speaker": "S1" }] },
    ] });
    assert_eq!(cues(&file), [HI.replace('-', "S1")]);
}

#[test]
fn podcasting_and_other_lists_of_segments_are_read() {
    let podcast = json!({ "version": "1.0.0", "segments": [
        { "speaker": "Ida", "startTime": 0.1, "endTime": 0.3, "body": "Hi" },
        { "speaker": "Ida", "startTime": 0.3, "endTime": 0.5, "body": "all," },
        { "speaker": "Raj", "startTime": 0.5, "endTime": 0.9, "body": "hello" },
    ] });
    assert_eq!(
        cues(&podcast),
        [r#"100 500 Ida "Hi all,""#, r#"500 900 Raj "hello""#]
    );
    let sentences = json!({ "version": "1.0.0", "segments": [
        { "speaker": "Ida", "startTime": 0.1, "endTime": 0.9, "body": "Hi all." },
    ] });
    assert_eq!(cues(&sentences), [HI.replace('-', "Ida")]);
    let gladia = json!({ "result": { "transcription": { "utterances": [
        { "start": 0.1, "end": 0.9, "speaker": 0, "text": "Hi all." },
    ] } } });
    assert_eq!(cues(&gladia), [HI.replace('-', "0")]);
    let rev = json!({ "monologues": [{ "speaker": 0, "elements": [
        { "type": "text", "value": "Hi", "ts": 0.1, "end_ts": 0.4 },
        { "type": "punct", "value": " " },
        { "type": "text", "value": "all", "ts": 0.4, "end_ts": 0.9 },
        { "type": "punct", "value": "." },
    ] }] });
    assert_eq!(cues(&rev), [HI.replace('-', "0")]);
    // Spaces are listed between some words only.
    let word = |text: &str, at: f64| json!({ "type": "text", "value": text, "ts": at, "end_ts": at + 0.1 });
    let rev = json!({ "monologues": [{ "speaker": 0, "elements": [
        word("so", 0.1), { "type": "punct", "value": " " }, word("we", 0.3), word("go", 0.5),
        word("on", 0.7), { "type": "punct", "value": "." },
    ] }] });
    assert_eq!(cues(&rev), [r#"100 800 0 "so we go on.""#]);
    let stream = json!({ "entries": [{ "text": "Hi all.", "startOffset": "00:00:00.1000000",
        "endOffset": "00:00:00.9000000", "speakerDisplayName": "Ida Noor" }] });
    assert_eq!(cues(&stream), [HI.replace('-', "Ida Noor")]);
    let watson = json!({
        "results": [{ "final": true, "alternatives": [{ "transcript": "Hi all. ",
            "timestamps": [["Hi", 0.1, 0.4], ["all.", 0.4, 0.9]] }] }],
        "speaker_labels": [{ "from": 0.1, "to": 0.4, "speaker": 2 }, { "from": 0.4, "to": 0.9, "speaker": 2 }],
    });
    assert_eq!(cues(&watson), [HI.replace('-', "2")]);
    let line = json!({ "start": 0.1, "end": 0.9, "text": "Hi all." });
    assert_eq!(cues(&line), [HI]);
    let lines = "{\"start\": 0.1, \"end\": 0.9, \"text\": \"Hi all.\"}\n{\"start\": 1, \"end\": 2, \"text\": \"b\"}\n{oops\n";
    let read = read(lines, None).unwrap();
    assert_eq!(summary(&read), [HI, r#"1000 2000 - "b""#]);
    assert_eq!(read.notes.lines(Change::Unreadable), [3]);
}

#[test]
fn youtube_is_read() {
    let file = json!({ "wireMagic": "pb3", "events": [
        { "tStartMs": 0, "dDurationMs": 9_000, "id": 1, "wpWinPosId": 1 },
        { "tStartMs": 100, "dDurationMs": 3_000, "segs": [
            { "utf8": "hi" }, { "utf8": " all", "tOffsetMs": 400 },
        ] },
        { "tStartMs": 1_500, "dDurationMs": 1_600, "aAppend": 1, "segs": [{ "utf8": "\n" }] },
        { "tStartMs": 1_600, "dDurationMs": 2_000, "segs": [
            { "utf8": "so" }, { "utf8": " long", "tOffsetMs": 700 },
        ] },
    ] });
    let read = transcript(&file);
    assert_eq!(
        summary(&read),
        [r#"100 1600 - "hi all""#, r#"1600 3600 - "so long""#]
    );
    let words = &read.cues[1].words;
    assert_eq!((words[1].start_ms, words[1].end_ms), (2_300, 3_600));
}

#[test]
fn an_error_names_what_is_read() {
    for file in [
        json!({ "sentiment": [{ "score": 1 }] }),
        json!({ "text": "words without times" }),
        json!({ "results": { "a": 1 } }),
    ] {
        let error = read(&file.to_string(), None).unwrap_err();
        for name in ["Whisper", "AWS Transcribe", "Vosk", "json3"] {
            assert!(error.message.contains(name), "{error}");
        }
    }
}

#[test]
fn segments_without_a_text_are_their_words() {
    let premiere = r#"{"language": "en-us", "segments": [
        {"duration": 1.6, "language": "en-us", "speaker": "5f3c-1", "start": 0.5, "words": [
            {"confidence": 1, "duration": 0.4, "eos": false, "start": 0.5, "tags": [], "text": "Roots", "type": "word"},
            {"confidence": 1, "duration": 0.6, "eos": true, "start": 1.5, "tags": [], "text": "drink.", "type": "word"}]},
        {"duration": 1, "language": "en-us", "speaker": "5f3c-2", "start": 3, "words": [
            {"confidence": 1, "duration": 1, "eos": true, "start": 3, "tags": [], "text": "Yes.", "type": "word"}]}],
        "speakers": [{"id": "5f3c-1", "name": "Ida Holm"}, {"id": "5f3c-2", "name": "Jan"}]}"#;
    let amberscript = r#"{"segments": [
        {"speaker": "1", "words": [{"text": "Roots", "start": 0.5, "end": 0.9}, {"text": "drink.", "start": 1.5, "end": 2.1}]},
        {"speaker": "2", "words": [{"text": "Yes.", "start": 3, "end": 4}]}],
        "speakers": [{"spkid": "1", "name": "Ida Holm"}, {"spkid": "2", "name": "Jan"}]}"#;
    for file in [premiere, amberscript] {
        let transcript = InputFormat::Json.read(file.as_bytes()).unwrap();
        let cues = transcript.transcript(Some(60.0)).unwrap().cues;
        let read: Vec<_> = cues
            .iter()
            .map(|cue| {
                let speaker = cue.speaker.as_deref().unwrap_or("-");
                (
                    cue.start_ms(),
                    cue.end_ms(),
                    speaker,
                    cue.text.as_str(),
                    cue.words.len(),
                )
            })
            .collect();
        assert_eq!(
            read,
            [
                (500, 2_100, "Ida Holm", "Roots drink.", 2),
                (3_000, 4_000, "Jan", "Yes.", 1),
            ]
        );
    }
}

#[test]
fn captions_of_video_platforms_are_read() {
    for (name, file) in [
        (
            "Panopto",
            r#"[{"Caption": "Roots drink.", "Time": 0.5, "CaptionDuration": 1.5}, {"Caption": "Yes.", "Time": 2, "CaptionDuration": 1}]"#,
        ),
        (
            "Echo360",
            r#"{"data": {"contentJSON": {"cues": [{"startMs": 500, "endMs": 2000, "content": "Roots drink."}, {"startMs": 2000, "endMs": 3000, "content": "Yes."}]}}}"#,
        ),
        (
            "Kaltura",
            r#"{"objects": [{"startTime": 500, "endTime": 2000, "content": [{"text": "Roots "}, {"text": "drink."}]}, {"startTime": 2000, "endTime": 3000, "content": [{"text": "Yes."}]}]}"#,
        ),
        (
            "TED",
            r#"{"paragraphs": [{"cues": [{"time": 500, "text": "Roots drink."}]}, {"cues": [{"time": 2000, "text": "Yes."}]}]}"#,
        ),
    ] {
        let transcript = InputFormat::Json
            .read(file.as_bytes())
            .unwrap_or_else(|error| panic!("{name} {error}"));
        let cues = transcript.transcript(Some(3.0)).unwrap().cues;
        let read: Vec<_> = cues
            .iter()
            .map(|cue| (cue.start_ms(), cue.end_ms(), cue.text.as_str()))
            .collect();
        assert_eq!(
            read,
            [(500, 2_000, "Roots drink."), (2_000, 3_000, "Yes.")],
            "{name}"
        );
    }
}

#[test]
fn the_name_of_a_speaker_is_taken_before_the_identifier() {
    let fireflies = r#"[{"speaker_id": 0, "speaker_name": "Ida Holm", "sentence": "Roots drink water.", "startTime": "00:00.5", "endTime": "00:02"}]"#;
    let file = InputFormat::Json.read(fireflies.as_bytes()).unwrap();
    let cues = file.transcript(None).unwrap().cues;
    assert_eq!(cues[0].speaker.as_deref(), Some("Ida Holm"));
}

#[test]
fn segments_and_words_have_languages_of_their_own() {
    let segments = json!({ "language": "english", "segments": [
        { "start": 0, "end": 1, "text": "Hello." },
        { "start": 1, "end": 2, "text": "Hallo.", "language": "de" },
    ] });
    let azure = json!({ "recognizedPhrases": [
        { "offset": "PT0S", "duration": "PT1S", "locale": "en-US", "nBest": [{ "display": "Hello." }] },
        { "offset": "PT1S", "duration": "PT1S", "locale": "de-DE", "nBest": [{ "display": "Hallo." }] },
    ] });
    let google = json!({ "results": [
        { "languageCode": "en-us", "alternatives": [{ "words": [
            { "startTime": "0s", "endTime": "1s", "word": "Hello." },
        ] }] },
        { "languageCode": "de-de", "alternatives": [{ "words": [
            { "startTime": "3s", "endTime": "4s", "word": "Hallo." },
        ] }] },
    ] });
    let aws = json!({ "results": { "items": [
        { "type": "pronunciation", "start_time": "0.0", "end_time": "0.5", "language_code": "en-US",
          "alternatives": [{ "content": "Hello" }] },
        { "type": "pronunciation", "start_time": "3.0", "end_time": "3.5", "language_code": "de-DE",
          "alternatives": [{ "content": "Hallo" }] },
    ] } });
    // A foreign word within a sentence.
    let deepgram = json!({ "results": { "channels": [{ "alternatives": [{ "words": [
        { "start": 0, "end": 0.2, "word": "tres", "language": "es" },
        { "start": 0.2, "end": 0.4, "word": "hello", "language": "en" },
        { "start": 0.4, "end": 0.6, "word": "you", "language": "en" },
        { "start": 3, "end": 3.6, "word": "hallo", "language": "de" },
    ] }] }] } });
    for (file, first, second) in [
        (segments, "en", "de"),
        (azure, "en-US", "de-DE"),
        (google, "en-US", "de-DE"),
        (aws, "en-US", "de-DE"),
        (deepgram, "en", "de"),
    ] {
        let transcript = transcript(&file);
        let languages: Vec<_> = transcript
            .cues
            .iter()
            .map(|cue| cue.language.as_deref())
            .collect();
        assert_eq!(languages, [Some(first), Some(second)], "{file}");
    }
}
