//! TTML, `SubStation` Alpha, SBV, LRC and text with tabs.

use lectern_formats::{Change, Cue, FormatError, InputFormat, Transcript};

/// Reads a file that is recognized by its content, in a recording of a minute.
fn read(format: InputFormat, file: &str) -> Result<Transcript, FormatError> {
    assert_eq!(InputFormat::of_content(file.as_bytes()), format, "{file}");
    format.read(file.as_bytes())?.transcript(Some(60.0))
}

/// Cues as `start end speaker text`.
fn summary(read: Result<Transcript, FormatError>) -> Vec<String> {
    let summary = |cue: &Cue| {
        let speaker = cue.speaker.as_deref().unwrap_or("-");
        let (start, end, text) = (cue.start_ms(), cue.end_ms(), cue.text.as_str());
        format!("{start} {end} {speaker} {text:?}")
    };
    match read {
        Ok(transcript) => transcript.cues.iter().map(summary).collect(),
        Err(error) => vec![error.to_string()],
    }
}

fn words(cue: &Cue) -> Vec<(u64, u64, &str)> {
    let words = cue.words.iter();
    words
        .map(|word| (word.start_ms, word.end_ms, word.text.as_str()))
        .collect()
}

#[test]
fn ttml_has_times_of_many_forms_speakers_and_line_breaks() {
    let file = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE tt [<!ENTITY big "bigger">]>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="http://www.w3.org/ns/ttml#metadata"
    xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:frameRate="25">
 <head><metadata>
  <ttm:agent xml:id="a1" type="person"><ttm:name type="full">Ida Holm</ttm:name></ttm:agent>
 </metadata><styling><style xml:id="s1"/></styling></head>
 <body><div>
  <p begin="00:00:01.000" end="00:00:02.000">one</p>
  <p begin="2s" dur="500ms" ttm:agent="a1">
     two <span style="s1">&amp; a</span><br/>
     half &big;
  </p>
  <p begin="00:00:03:05" end="100f">frames</p>
  <p begin="soon" end="5s">lost</p>
  <p>never</p>
 </div>
 <div begin="10s">
  <p begin="1s" end="2s">relative</p>
  <p><span begin="3s" end="4s">part</span> <span begin="4s" end="5s">by part</span></p>
  <p begin="6s" end="8s"><span begin="0s" end="1s">timed</span> <span begin="1s">words</span></p>
 </div></body></tt>"#;
    let transcript = read(InputFormat::Ttml, file).unwrap();
    assert_eq!(transcript.notes.lines(Change::UnreadableTimes), [15]);
    assert_eq!(transcript.notes.lines(Change::NoTimes), [16]);
    assert_eq!(
        words(&transcript.cues[6]),
        [(16_000, 17_000, "timed"), (17_000, 18_000, "words")]
    );
    assert_eq!(
        summary(Ok(transcript)),
        [
            r#"1000 2000 - "one""#,
            r#"2000 2500 Ida Holm "two & a\nhalf &big;""#,
            r#"3200 4000 - "frames""#,
            r#"11000 12000 - "relative""#,
            r#"13000 14000 - "part""#,
            r#"14000 15000 - "by part""#,
            r#"16000 18000 - "timed words""#,
        ]
    );
}

/// The language of each cue.
fn languages(transcript: &Transcript) -> Vec<Option<&str>> {
    let cues = transcript.cues.iter();
    cues.map(|cue| cue.language.as_deref()).collect()
}

#[test]
fn each_cue_of_ttml_has_the_language_of_the_nearest_element() {
    let file = r#"<tt xmlns="http://www.w3.org/ns/ttml" xml:lang="en"><body>
 <div><p begin="1s" end="2s">one</p><p begin="2s" end="3s" xml:lang="">music</p></div>
 <div xml:lang="de-AT"><p begin="1s" end="2s">eins</p>
  <p xml:lang="fra"><span begin="2s" end="3s">deux</span></p></div>
</body></tt>"#;
    let transcript = read(InputFormat::Ttml, file).unwrap();
    assert_eq!(
        languages(&transcript),
        [Some("en"), Some("de-AT"), None, Some("fr")]
    );
    assert!(transcript.has_several_languages() && transcript.language.is_none());
    let file = r#"<tt xmlns="http://www.w3.org/ns/ttml" xml:lang="nl"><body><div>
        <p begin="1s" end="2s">een</p></div></body></tt>"#;
    let transcript = read(InputFormat::Ttml, file).unwrap();
    assert_eq!(transcript.language.as_deref(), Some("nl"));
    assert!(!transcript.has_several_languages());
}

#[test]
fn lrc_and_substation_alpha_say_their_language() {
    let lrc = "[la:de]\n[00:01.00]eins\n";
    let read_lrc = read(InputFormat::Lrc, lrc).unwrap();
    assert_eq!(languages(&read_lrc), [Some("de")]);
    let ass = "[Script Info]\nLanguage: Spanish\n\n[Events]\n\
        Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,uno\n";
    let read_ass = read(InputFormat::Ass, ass).unwrap();
    assert_eq!(read_ass.language.as_deref(), Some("es"));
}

#[test]
fn ttml_in_the_charset_of_its_declaration_and_without_blanks_between_ideographs() {
    let file = "<?xml version='1.0' encoding='windows-1251'?><tt><body><div>\
        <p begin='1s' end='2s'>\u{0}</p></div></body></tt>";
    let bytes: Vec<u8> = file
        .bytes()
        .flat_map(|byte| {
            if byte == 0 {
                vec![0xca, 0xee, 0xf0]
            } else {
                vec![byte]
            }
        })
        .collect();
    let transcript = InputFormat::Ttml.read(&bytes).unwrap().transcript(None);
    assert_eq!(summary(transcript), [r#"1000 2000 - "Кор""#]);
    let chinese = "<tt><body><div><p begin='1s' end='2s'>\n  树有\n  根。\n</p></div></body></tt>";
    assert_eq!(
        summary(read(InputFormat::Ttml, chinese)),
        [r#"1000 2000 - "树有根。""#]
    );
}

#[test]
fn the_xml_of_youtube_is_read() {
    let plain = r#"<?xml version="1.0" encoding="utf-8" ?><transcript>
<text start="1.5" dur="2.25">it&amp;#39;s one</text><text start="4">two</text></transcript>"#;
    assert_eq!(
        summary(read(InputFormat::Ttml, plain)),
        [r#"1500 3750 - "it's one""#, r#"4000 60000 - "two""#]
    );
    let timed = r#"<timedtext format="3"><head/><body><w t="0" id="1"/>
<p t="100" d="900" w="1"><s>so</s><s t="400"> far</s></p></body></timedtext>"#;
    let transcript = read(InputFormat::Ttml, timed).unwrap();
    assert_eq!(
        words(&transcript.cues[0]),
        [(100, 500, "so"), (500, 1_000, "far")]
    );
    assert_eq!(summary(Ok(transcript)), [r#"100 1000 - "so far""#]);
}

#[test]
fn xml_that_is_no_ttml_is_refused_with_its_line() {
    let deep = format!("<tt>{}", "<div>".repeat(200));
    for (file, message) in [
        ("<html><p>1</p></html>", "line 1: HTML is not read"),
        (
            "<tt>\n<body><p begin='x'>a</p></body></tt>",
            "line 2: expected times",
        ),
        (
            "<tt><body>\n<p begin='1s' end='2s'>a</p>\n<p <",
            "line 3: invalid XML",
        ),
        ("<", "line 1: invalid XML"),
        (&deep, "line 1: elements are nested"),
    ] {
        let error = read(InputFormat::Ttml, file).unwrap_err();
        assert!(error.to_string().starts_with(message), "{error}");
    }
}

#[test]
fn the_dialogue_of_substation_alpha_is_read_without_tags() {
    let file = "[Script Info]\r\nScriptType: v4.00+\r\n\r\n[V4+ Styles]\r\nFormat: Name, Fontname\r\n\
        Style: Default,Arial\r\n\r\n[Events]\r\n\
        Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\r\n\
        Comment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,never shown\r\n\
        Dialogue: 0,0:00:01.00,0:00:02.50,Default,Ida,0,0,0,,{\\b1}One{\\b0}, two\\Nand\\hthree\r\n\
        Dialogue: 1,0:00:01.00,0:00:02.50,Default,Ida,0,0,0,,{\\blur2}One, two\\Nand three\r\n\
        Dialogue: 0,0:00:0x.00,0:00:03.00,Default,,0,0,0,,lost\r\n\
        Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,{\\p1}m 0 0 l 9 9{\\p0}\r\n";
    let transcript = read(InputFormat::Ass, file).unwrap();
    assert_eq!(transcript.notes.lines(Change::UnreadableTimes), [13]);
    assert_eq!(transcript.notes.lines(Change::Repeated), [12]);
    assert_eq!(
        summary(Ok(transcript)),
        [r#"1000 2500 Ida "One, two\nand three""#]
    );
    let older = "[Events]\nFormat: Marked, Start, End, Style, Name, Text\n\
        Dialogue: Marked=0,0:00:01.00,0:00:02.00,Default,,one\n";
    assert_eq!(
        summary(read(InputFormat::Ass, older)),
        [r#"1000 2000 - "one""#]
    );
    assert_eq!(
        summary(read(InputFormat::Ass, "[Script Info]\nTitle: x\n")),
        ["line 1: expected [Events] of SubStation Alpha"]
    );
}

#[test]
fn sbv_is_read() {
    let file = "0:00:01.000,0:00:02.500\none\ntwo\n\n0:00:03.0x0,0:00:04.000\nlost\n\n\
        0:00:05.000,0:00:06.000\n>> IDA: three\n";
    let transcript = read(InputFormat::Sbv, file).unwrap();
    assert_eq!(transcript.notes.lines(Change::UnreadableTimes), [5]);
    assert_eq!(
        summary(Ok(transcript)),
        [r#"1000 2500 - "one\ntwo""#, r#"5000 6000 IDA "three""#]
    );
}

#[test]
fn lines_of_lrc_last_until_the_next() {
    let file = "[ar:Ida]\n[length: 00:40]\n[00:01.00]one\n[00:02.50][00:10.00]two\n[00:04.00]\n\
        [00:06.00]<00:06.00>three <00:06.50>four\n[00:1x.00]lost\n";
    let transcript = read(InputFormat::Lrc, file).unwrap();
    assert_eq!(transcript.notes.lines(Change::NoTimes), [7]);
    assert_eq!(
        words(&transcript.cues[2]),
        [(6_000, 6_500, "three"), (6_500, 10_000, "four")]
    );
    assert_eq!(
        summary(Ok(transcript)),
        [
            r#"1000 2500 - "one""#,
            r#"2500 4000 - "two""#,
            r#"6000 10000 - "three four""#,
            r#"10000 60000 - "two""#,
        ]
    );
    let without_recording = InputFormat::Lrc.read(file.as_bytes()).unwrap();
    let last = without_recording
        .transcript(None)
        .unwrap()
        .cues
        .pop()
        .unwrap();
    assert_eq!(last.end_ms(), 40_000);
    let moved = "[offset:+500]\n[00:01.00]one\n[00:02.00]two\n";
    assert_eq!(
        summary(read(InputFormat::Lrc, moved))[0],
        r#"500 1500 - "one""#
    );
}

#[test]
fn text_with_tabs_is_read() {
    let whisper = "start\tend\ttext\n1000\t2500\tone\n2x00\t4000\tlost\n5000\t6000\t>> IDA: two\n";
    let transcript = read(InputFormat::Tsv, whisper).unwrap();
    assert_eq!(transcript.notes.lines(Change::UnreadableTimes), [3]);
    assert_eq!(
        summary(Ok(transcript)),
        [r#"1000 2500 - "one""#, r#"5000 6000 IDA "two""#]
    );
    // With a label of a point, one with a tab, and the frequencies of the last one.
    let audacity = "1.000000\t2.500000\tone\n3,25\t3,25\ttwo\tmore\n\\\t100.0\t200.0\n";
    assert_eq!(
        summary(read(InputFormat::Tsv, audacity)),
        [r#"1000 2500 - "one""#, r#"3250 3250 - "two more""#]
    );
    let reordered = "Speaker\tText\tStart (ms)\tEnd (ms)\nIda\tone\t1000\t2500\n\tlast\t3000\n";
    assert_eq!(
        summary(read(InputFormat::Tsv, reordered)),
        [r#"1000 2500 Ida "one""#, r#"3000 60000 - "last""#]
    );
    let clock = "start\tend\ttext\n00:00:01.5\t00:00:02\tone\n";
    assert_eq!(
        summary(read(InputFormat::Tsv, clock)),
        [r#"1500 2000 - "one""#]
    );
    // Whole numbers of another program, which fit the recording in milliseconds only.
    let words = "of trees and their roots in water";
    let unknown = format!("begin\tend\ttext\n10000\t12000\t{words}\n50000\t52000\t{words}\n");
    assert_eq!(
        summary(read(InputFormat::Tsv, &unknown)),
        [
            format!("10000 12000 - {words:?}"),
            format!("50000 52000 - {words:?}")
        ]
    );
    assert_eq!(
        summary(read(InputFormat::Tsv, "start\tend\ttext\nx\ty\tz\n")),
        ["line 2: expected a start, an end and a text with tabs between, or a header with these"]
    );
}
