//! WebVTT and `SubRip` as people, translators and programs make them.

use lectern_formats::{Change, InputFormat, Transcript, subrip, webvtt};

fn transcript(format: InputFormat, file: &str) -> Transcript {
    let read = format.read(file.as_bytes());
    read.and_then(|file| file.transcript(None))
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Cues as `start end speaker text`.
fn cues(format: InputFormat, file: &str) -> Vec<String> {
    summary(&transcript(format, file))
}

fn summary(transcript: &Transcript) -> Vec<String> {
    let summary = |cue: &lectern_formats::Cue| {
        let speaker = cue.speaker.as_deref().unwrap_or("-");
        let (start, end, text) = (cue.start_ms(), cue.end_ms(), cue.text.as_str());
        format!("{start} {end} {speaker} {text:?}")
    };
    transcript.cues.iter().map(summary).collect()
}

#[test]
fn automatic_captions_that_roll_are_read_once() {
    let file = "WEBVTT\nKind: captions\n\n\
        00:00:00.100 --> 00:00:02.000 align:start position:0%\n \n\
        the<00:00:00.500><c> roots</c><00:00:01.200><c> drink</c>\n\n\
        00:00:02.000 --> 00:00:02.010 align:start position:0%\nthe roots drink\n \n\n\
        00:00:02.010 --> 00:00:04.000 align:start position:0%\nthe roots drink\n\
        and<00:00:02.600><c> grow</c>\n\n\
        00:00:04.000 --> 00:00:04.010 align:start position:0%\nand grow\n \n\n\
        00:00:04.010 --> 00:00:06.000 align:start position:0%\nand grow\n\
        down<00:00:05.000><c> there</c>\n";
    let read = transcript(InputFormat::Vtt, file);
    let expected = [
        r#"100 2000 - "the roots drink""#,
        r#"2010 4000 - "and grow""#,
        r#"4010 6000 - "down there""#,
    ];
    assert_eq!(
        summary(&read).join("\n").replace(r#"" \n"#, "\""),
        expected.join("\n")
    );
    assert_eq!(read.notes.count(Change::Repeated), 2);
    assert_eq!(read.notes.lines(Change::Repeated), [8, 16]);
    let words: Vec<_> = read.cues[1]
        .words
        .iter()
        .map(|word| (word.start_ms, word.end_ms, word.text.as_str()))
        .collect();
    assert_eq!(words, [(2_010, 2_600, "and"), (2_600, 4_000, "grow")]);

    // The same captions as SubRip.
    let subrip = "1\n00:00:00,100 --> 00:00:02,000\n \nthe roots drink\n\n\
        2\n00:00:02,000 --> 00:00:02,010\nthe roots drink\n \n\n\
        3\n00:00:02,010 --> 00:00:04,000\nthe roots drink\nand grow\n\n\
        4\n00:00:04,000 --> 00:00:04,010\nand grow\n \n\n\
        5\n00:00:04,010 --> 00:00:06,000\nand grow\ndown there\n";
    assert_eq!(cues(InputFormat::Srt, subrip), expected);
}

#[test]
fn live_captions_that_grow_within_a_line_are_read_once() {
    let vtt = "WEBVTT\n\n\
        00:00.000 --> 00:00.600\nthe\n\n\
        00:00.600 --> 00:01.200\nthe roots\n\n\
        00:01.200 --> 00:02.000\nthe roots grow down\n\n\
        00:02.000 --> 00:02.500\nThe roots grow down,\n\n\
        00:02.500 --> 00:03.000\nand\n\n\
        00:03.000 --> 00:03.600\nand the leaves\n\n\
        00:03.600 --> 00:04.000\nand the leaves up.\n";
    assert_eq!(
        cues(InputFormat::Vtt, vtt),
        [
            r#"0 2500 - "The roots grow down,""#,
            r#"2500 4000 - "and the leaves up.""#,
        ]
    );
}

#[test]
fn speakers_are_taken_from_texts_and_identifiers() {
    let meeting = "WEBVTT\n\n1\n00:01.000 --> 00:02.000\nIda Holm: Shall we?\n\n\
        2\n00:02.000 --> 00:03.000\nRaj K.: Yes.\n\n\
        3\n00:03.000 --> 00:04.000\nA last point: keep it short.\n";
    assert_eq!(
        cues(InputFormat::Vtt, meeting),
        [
            r#"1000 2000 Ida Holm "Shall we?""#,
            r#"2000 3000 Raj K. "Yes.""#,
            r#"3000 4000 - "A last point: keep it short.""#,
        ]
    );
    let marked = "1\n0:01 --> 0:02\n[SPEAKER_01]: Hi.\n\n2\n0:02 --> 0:03\nIDA: Hello.\n\n\
        3\n0:03 --> 0:04\n>> RAJ: So?\n";
    assert_eq!(
        cues(InputFormat::Srt, marked),
        [
            r#"1000 2000 SPEAKER_01 "Hi.""#,
            r#"2000 3000 IDA "Hello.""#,
            r#"3000 4000 RAJ "So?""#,
        ]
    );
    let identifiers = "WEBVTT\n\nSpeaker 1\n00:01.000 --> 00:02.000\nHi.\n\n\
        Speaker 2\n00:02.000 --> 00:03.000\nHello.\n";
    assert_eq!(
        cues(InputFormat::Vtt, identifiers),
        [
            r#"1000 2000 Speaker 1 "Hi.""#,
            r#"2000 3000 Speaker 2 "Hello.""#
        ]
    );
    let recurring = "WEBVTT\n\nIda\n00:01.000 --> 00:02.000\na\n\nRaj\n00:02.000 --> 00:03.000\nb\n\n\
        Ida\n00:03.000 --> 00:04.000\nc\n\nRaj\n00:04.000 --> 00:05.000\nd\n";
    assert_eq!(cues(InputFormat::Vtt, recurring)[3], r#"4000 5000 Raj "d""#);
    let chapters =
        "WEBVTT\n\nRoots\n00:01.000 --> 00:02.000\na\n\nLeaves\n00:02.000 --> 00:03.000\nb\n";
    assert_eq!(cues(InputFormat::Vtt, chapters)[0], r#"1000 2000 - "a""#);
    let webex = "WEBVTT\n\n1 \"Ida Holm\" (7712)\n00:01.000 --> 00:02.000\na\n";
    assert_eq!(cues(InputFormat::Vtt, webex), [r#"1000 2000 Ida Holm "a""#]);
}

#[test]
fn every_character_reference_of_html_is_read() {
    let file = "WEBVTT\n\n00:01.000 --> 00:02.000\n\
        5&deg; &ndash; na&iuml;ve &hellip; &#x2713; &lt;x&gt; AT&T &euro;\n";
    assert_eq!(
        cues(InputFormat::Vtt, file),
        [r#"1000 2000 - "5° – naïve … ✓ <x> AT&T €""#]
    );
}

#[test]
fn joined_segments_are_one_file() {
    let segment = |ticks: u32, cue: &str| {
        format!("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:{ticks},LOCAL:00:00:00.000\n\n{cue}\n")
    };
    let continuous = [
        segment(900_000, "00:01.000 --> 00:02.000\none\n"),
        segment(1_350_000, "00:06.000 --> 00:07.000\ntwo\n"),
        segment(1_800_000, "00:11.000 --> 00:12.000\nthree"),
    ];
    let expected = [
        r#"1000 2000 - "one""#,
        r#"6000 7000 - "two""#,
        r#"11000 12000 - "three""#,
    ];
    assert_eq!(cues(InputFormat::Vtt, &continuous.concat()), expected);
    let with_marks = continuous.join("\u{feff}");
    assert_eq!(cues(InputFormat::Vtt, &with_marks), expected);
    // Times that begin again in every segment, and no empty line between.
    let restarted = [
        segment(900_000, "00:01.000 --> 00:02.000\none"),
        segment(1_350_000, "00:01.000 --> 00:02.000\ntwo"),
        segment(1_800_000, "00:01.000 --> 00:02.000\nthree"),
    ];
    assert_eq!(cues(InputFormat::Vtt, &restarted.concat()), expected);
    // A cue on the edge of two segments is in both.
    let twice = [
        segment(0, "00:01.000 --> 00:06.000\nedge\n"),
        segment(
            0,
            "00:01.000 --> 00:06.000\nedge\n\n00:07.000 --> 00:08.000\nend",
        ),
    ];
    let read = transcript(InputFormat::Vtt, &twice.concat());
    assert_eq!(
        summary(&read),
        [r#"1000 6000 - "edge""#, r#"7000 8000 - "end""#]
    );
    assert_eq!(read.notes.count(Change::Repeated), 1);
}

#[test]
fn an_empty_line_ends_a_cue_of_webvtt_and_other_blocks_are_left_out() {
    let file = "WEBVTT\n\n00:01.000 --> 00:02.000\nspoken\n\nPart two\nnot spoken\n\n\
        00:03.000 --> 00:04.000\nspoken too\n\nNOTE: checked\n\nNOTE a comment\n";
    let read = transcript(InputFormat::Vtt, file);
    assert_eq!(
        summary(&read),
        [r#"1000 2000 - "spoken""#, r#"3000 4000 - "spoken too""#]
    );
    assert_eq!(read.notes.lines(Change::NoTimes), [6, 12]);
}

#[test]
fn a_long_name_is_cut() {
    let name = "Wilhelmina-Konstantina Featherstone Abercrombie of the North";
    let file = format!("WEBVTT\n\n00:01.000 --> 00:02.000\n<v {name}>Hi.\n");
    let read = transcript(InputFormat::Vtt, &file);
    assert_eq!(
        read.cues[0].speaker.as_deref(),
        Some("Wilhelmina-Konstantina Featherstone Abercrombie of")
    );
    assert_eq!(read.notes.lines(Change::LongSpeaker), [3]);
}

#[test]
fn times_before_the_recording_are_cut() {
    let file = "WEBVTT\n\n-00:02.000 --> -00:01.000\ngone\n\n-00:01.000 --> 00:01.000\ncut\n\n\
        00:02.000 --> 00:03.000\nwhole\n";
    let read = transcript(InputFormat::Vtt, file);
    assert_eq!(
        summary(&read),
        [r#"0 1000 - "cut""#, r#"2000 3000 - "whole""#]
    );
    assert_eq!(read.notes.lines(Change::BeforeZero), [3]);
    assert_eq!(read.notes.lines(Change::NegativeStart), [6]);
    let subrip = "1\n-00:00:01,000 --> 00:00:01,000\ncut\n";
    assert_eq!(cues(InputFormat::Srt, subrip), [r#"0 1000 - "cut""#]);
}

#[test]
fn sixty_seconds_are_a_minute() {
    let file = "1\n00:00:59,000 --> 00:00:60,000\na\n\n2\n00:59:60,000 --> 00:60:01,000\nb\n";
    assert_eq!(
        cues(InputFormat::Srt, file),
        [r#"59000 60000 - "a""#, r#"3600000 3601000 - "b""#]
    );
}

#[test]
fn no_blank_line_is_written_inside_a_cue() {
    let file = "1\n00:00:01,000 --> 00:00:02,000\none\n\ntwo\n \nthree\n\n\
        2\n00:00:03,000 --> 00:00:04,000\nfour\n \n3\n00:00:05,000 --> 00:00:06,000\nfive\n";
    let cues = transcript(InputFormat::Srt, file).cues;
    assert_eq!(cues.len(), 3);
    assert_eq!(
        webvtt::write(&cues),
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\none\ntwo\nthree\n\n\
         00:00:03.000 --> 00:00:04.000\nfour\n\n00:00:05.000 --> 00:00:06.000\nfive\n"
    );
    assert!(
        subrip::write(&cues)
            .starts_with("1\n00:00:01,000 --> 00:00:02,000\none\ntwo\nthree\n\n2\n")
    );
}

#[test]
fn times_that_translators_changed_are_read() {
    let cue = |counter: &str, times: &str| format!("{counter}\n{times}\ntext {counter}\n\n");
    let file = [
        cue("1", "00:00:01,000 --> 00:00:01,500"),
        cue("2", "00: 00: 02,000 --> 00: 00: 02,500"),
        cue("3", "00:00:03,000 -> 00:00:03,500"),
        cue("4", "00:00:04,000 -- > 00:00:04,500"),
        cue("5", "00:00:05,000 --&gt; 00:00:05,500"),
        cue("6", "00：00：06,000 --> 00：00：06,500"),
        cue("7個", "00:00:07,000 --> 00:00:07,500"),
        cue("八", "00:00:08,000 --> 00:00:08,500"),
        cue("9", "00:00:09, 000 --> 00:00:09, 500"),
        cue("10", "00:00:10,000 → 00:00:10,500"),
    ];
    let read = transcript(InputFormat::Srt, &file.concat());
    let counters = ["1", "2", "3", "4", "5", "6", "7個", "八", "9", "10"];
    let expected: Vec<_> = counters
        .iter()
        .zip(1..)
        .map(|(counter, second)| format!("{second}000 {second}500 - \"text {counter}\""))
        .collect();
    assert_eq!(summary(&read), expected);
    assert!(read.notes.is_empty());
}

#[test]
fn an_unreadable_timing_line_is_counted_and_its_text_goes_to_no_other_cue() {
    let bodies = [
        "00:00:01,000 --> 00:00:02,000\na\n\n2\n00:00:0x,000 --> 00:00:04,000\nlost\n\n\
         3\n00:00:05,000 --> 00:00:06,000\nb\n",
        "00:00:01,000 --> 00:00:02,000\na\n\n2\nno times at all\nlost\n\n\
         3\n00:00:05,000 --> 00:00:06,000\nb\n",
    ];
    for (body, change, line) in [
        (bodies[0], Change::UnreadableTimes, 6),
        (bodies[1], Change::NoTimes, 5),
    ] {
        let read = transcript(InputFormat::Srt, &format!("1\n{body}"));
        assert_eq!(summary(&read), [r#"1000 2000 - "a""#, r#"5000 6000 - "b""#]);
        assert_eq!(read.notes.lines(change), [line]);
    }
    let vtt = format!("WEBVTT\n\n{}", bodies[0].replace(',', "."));
    let read = transcript(InputFormat::Vtt, &vtt);
    assert_eq!(summary(&read), [r#"1000 2000 - "a""#, r#"5000 6000 - "b""#]);
    assert_eq!(read.notes.lines(Change::UnreadableTimes), [7]);
}

#[test]
fn tags_of_substation_alpha_in_subrip_are_line_breaks_and_spaces() {
    let file = "1\n00:00:01,000 --> 00:00:02,000\n{\\an8}Up\\Ndown{\\i1}\\hhere\n\n\
        2\n00:00:03,000 --> 00:00:04,000\nD:\\Notes\\hashes stay\n";
    assert_eq!(
        cues(InputFormat::Srt, file),
        [
            r#"1000 2000 - "Up\ndown here""#,
            r#"3000 4000 - "D:\\Notes\\hashes stay""#
        ]
    );
}

#[test]
fn a_charset_is_declared_detected_or_refused() {
    let head = b"1\n00:00:01,000 --> 00:00:02,000\n";
    // In windows-1251: "Корни и листья, друзья".
    let text = b"\xca\xee\xf0\xed\xe8 \xe8 \xeb\xe8\xf1\xf2\xfc\xff, \xe4\xf0\xf3\xe7\xfc\xff\n";
    let file = [&head[..], text].concat();
    let expected = [r#"1000 2000 - "Корни и листья, друзья""#];
    let windows_1251 = lectern_formats::Charset::from_label("windows-1251").unwrap();
    let declared = InputFormat::Srt.read_in(windows_1251, &file).unwrap();
    assert_eq!(summary(&declared.transcript(None).unwrap()), expected);
    let detected = InputFormat::Srt.read(&file).unwrap();
    assert_eq!(summary(&detected.transcript(None).unwrap()), expected);
    let uncertain = [&head[..], b"\xca\xee\n"].concat();
    let error = InputFormat::Srt.read(&uncertain).unwrap_err();
    assert_eq!(error.line, 3);
    assert!(error.message.contains("charset"), "{error}");
}

#[test]
fn an_end_that_equals_the_start_is_missing_if_most_are_like_this() {
    let file = |ends: [&str; 4]| {
        let cue = |(i, end): (usize, &str)| {
            format!("{i}\n00:00:0{i},000 --> 00:00:0{end},000\ntext {i}\n\n")
        };
        ends.into_iter().enumerate().map(cue).collect::<String>()
    };
    let times = |file: &str| {
        let file = InputFormat::Srt.read(file.as_bytes()).unwrap();
        let transcript = file.transcript(Some(10.0)).unwrap();
        let cues = transcript.cues.iter();
        let times: Vec<_> = cues.map(|cue| (cue.start_ms(), cue.end_ms())).collect();
        (times, transcript.notes.count(Change::NoEnd))
    };
    assert_eq!(
        times(&file(["0", "1", "2", "3"])),
        (
            vec![(0, 1_000), (1_000, 2_000), (2_000, 3_000), (3_000, 10_000)],
            4
        )
    );
    assert_eq!(
        times(&file(["1", "1", "3", "4"])),
        (
            vec![(0, 1_000), (1_000, 1_000), (2_000, 3_000), (3_000, 4_000)],
            0
        )
    );
}
