use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::process::Command;
use std::thread;

use lectern_db::Tx;
use lectern_domain::{
    JobStatus, LanguageTag, NewSilenceRegion, NewTranscriptSegment, SilenceType, Stage, TimeRange,
    TranscriptSource,
};

use super::{RecognizerSettings, StageFixture};
use crate::testing::{POLL_INTERVAL, RECORDING_KEY};

const TONE: &str = "-f lavfi -i sine=duration=2";
/// Longer than a chunk.
const LONG_TONE: &str = "-f lavfi -i sine=duration=700:sample_rate=8000";
const SILENT_FILM: &str = "-f lavfi -i testsrc=duration=2:size=64x64 -c:v libx264";

/// A script that writes this cue, regardless of the sound.
fn script_writing(cue: &str) -> String {
    format!("printf 'WEBVTT\\n\\n{cue}\\n'  > \"$2.vtt\"\n")
}

/// Start, end and text of the stored segments.
fn transcript(fixture: &StageFixture) -> Vec<(f64, f64, String)> {
    let job_id = fixture.job.job_id;
    let stored = fixture.db.read(|conn| conn.transcripts().for_job(job_id));
    let stored = stored.unwrap().into_iter();
    stored
        .map(|segment| {
            let time = segment.time;
            (time.start(), time.end(), segment.text.to_string())
        })
        .collect()
}

const HELLO_CUE: &str = "00:00.500 --> 00:01.500\\nHello.";

fn hello_transcript() -> Vec<(f64, f64, String)> {
    vec![(0.5, 1.5, "Hello.".to_owned())]
}

#[test]
fn a_command_runs_in_the_workers_current_directory_and_its_scratch_directory_is_removed() {
    let fixture = StageFixture::new(Stage::Transcription, TONE);
    let cue = "00:00.500 --> 00:01.500\\n'\"$(pwd -P)\"'";
    // An additional file that the worker does not know about; it has to be removed as well.
    let script = script_writing(cue) + "touch \"$1.log\"\n";
    assert_eq!(
        fixture.run_stage(fixture.script_recognizer(&script)),
        JobStatus::Completed
    );
    let here = std::env::current_dir().unwrap();
    assert_eq!(transcript(&fixture)[0].2, here.to_string_lossy());
    let remaining = std::fs::read_dir(fixture.path("scratch")).unwrap();
    let remaining: Vec<_> = remaining.map(|entry| entry.unwrap().path()).collect();
    // The lock file that all workers share stays; every directory is gone.
    assert!(remaining.iter().all(|path| path.is_file()), "{remaining:?}");
}

#[test]
fn a_command_gets_only_the_allowed_environment_variables() {
    // Cargo sets this one for every test.
    let variable = "CARGO_MANIFEST_DIR";
    assert!(std::env::var_os(variable).is_some());
    let cue = "00:00.500 --> 00:01.500\\n'\"$(env | cut -d= -f1 | tr '\\n' ' ')\"'";
    let script = script_writing(cue);
    for variables in [vec![], vec![variable.to_owned()]] {
        let fixture = StageFixture::new(Stage::Transcription, TONE);
        let mut recognizers = fixture.script_recognizer(&script);
        recognizers.confinement.variables.clone_from(&variables);
        assert_eq!(fixture.run_stage(recognizers), JobStatus::Completed);
        let transcript = transcript(&fixture);
        let names: Vec<_> = transcript[0].2.split(' ').collect();
        assert!(names.contains(&"PATH"), "{names:?}");
        assert_eq!(
            names.contains(&variable),
            !variables.is_empty(),
            "{names:?}"
        );
    }
}

#[test]
fn too_much_output_of_a_command_is_not_read() {
    for redirection in ["", " > {out}", " > {out}.srt"] {
        let fixture = StageFixture::new(Stage::Transcription, TONE);
        let recognizers = RecognizerSettings {
            command: Some(format!(
                "sh -c 'yes | head -c 68000000{redirection}' {{audio}}"
            )),
            ..RecognizerSettings::default()
        };
        assert_eq!(
            fixture.run_stage(recognizers),
            JobStatus::Failed,
            "{redirection}"
        );
        let error = fixture.stage_run().error.unwrap();
        assert_eq!(error.as_str(), "the command's output is longer than 64 MiB");
    }
}

#[test]
fn a_cue_is_cut_at_the_end_of_its_chunk() {
    let fixture = StageFixture::new(Stage::Transcription, LONG_TONE);
    let script = script_writing("00:01.000 --> 99:00:00.000\\nOn and on.");
    assert_eq!(
        fixture.run_stage(fixture.script_recognizer(&script)),
        JobStatus::Completed
    );
    let transcript = transcript(&fixture);
    let [(first, cut, _), (second, end, _)] = transcript.as_slice() else {
        panic!("{transcript:?}")
    };
    assert_eq!((*first, *second), (1.0, cut + 1.0));
    assert!(*end > 699.0 && *end < 701.0, "{transcript:?}");
}

#[test]
fn an_absurd_duration_in_the_header_does_not_make_more_chunks() {
    let fixture = StageFixture::new(Stage::Transcription, TONE);
    let path = fixture.path("talk.mkv");
    let mut file = std::fs::read(&path).unwrap();
    // Matroska's element `Duration`: its id, its size of 8 bytes, milliseconds.
    let id = [0x44, 0x89, 0x88];
    let start = file.windows(3).position(|bytes| bytes == id).unwrap() + 3;
    file[start..start + 8].copy_from_slice(&9e15_f64.to_be_bytes());
    std::fs::write(&path, file).unwrap();
    fixture.put_file(RECORDING_KEY, &path);
    let script = script_writing(HELLO_CUE);
    let status = fixture.run_stage(fixture.script_recognizer(&script));
    assert_eq!(status, JobStatus::Completed);
    assert_eq!(transcript(&fixture), hello_transcript());
}

#[test]
fn the_remaining_time_is_estimated_after_the_first_chunk() {
    let fixture = StageFixture::new(Stage::Transcription, LONG_TONE);
    // At the target length of a chunk, so that the recording of 700 s gets two chunks.
    let time = TimeRange::new(300.0, 301.0).unwrap();
    let silence = NewSilenceRegion::new(SilenceType::AudioSilence, time);
    let job_id = fixture.job.job_id;
    let stored = fixture.db.write(|tx| {
        tx.silence_regions()
            .replace_for_job(job_id, std::slice::from_ref(&silence))
    });
    stored.unwrap();
    let fifo = fixture.path("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status();
    assert!(made.unwrap().success());
    // Opened for reading and writing, so that neither side blocks on opening.
    let mut writer = File::options().read(true).write(true).open(&fifo).unwrap();
    let script = format!(
        "case \"$1\" in *chunk-1.wav) read _ < '{}';; esac\n{}",
        fifo.display(),
        script_writing(HELLO_CUE)
    );
    let mut eta_seconds = None;
    let status = fixture.run_stage_while(fixture.script_recognizer(&script), || {
        while fixture.stage_run().progress.percent.get() <= 5.0
            && !fixture.job().status.is_finished()
        {
            thread::sleep(POLL_INTERVAL);
        }
        eta_seconds = fixture.stage_run().progress.eta_seconds;
        writer.write_all(b"go\n").unwrap();
    });
    assert_eq!(status, JobStatus::Completed);
    assert!(eta_seconds.is_some());
}

#[test]
fn a_transcript_that_is_stored_is_used_unless_a_worker_made_it() {
    let given = (0.25, 1.75, "Given.".to_owned());
    let segments = {
        let time = TimeRange::new(given.0, given.1).unwrap();
        [NewTranscriptSegment::new(given.2.as_str(), time).unwrap()]
    };
    for source in TranscriptSource::ALL {
        let fixture = StageFixture::new(Stage::Transcription, TONE);
        let job_id = fixture.job.job_id;
        let stored = fixture.db.write(|tx| {
            tx.transcripts().replace_for_job(job_id, &segments)?;
            tx.transcripts().set_source(job_id, *source)
        });
        stored.unwrap();
        let hello = fixture.script_recognizer(&script_writing(HELLO_CUE));
        assert_eq!(fixture.run_stage(hello), JobStatus::Completed);
        let job = fixture.db.read(|conn| conn.jobs().find(job_id)).unwrap();
        let source_after = job.unwrap().transcript_source;
        if *source == TranscriptSource::Client {
            assert_eq!(transcript(&fixture), std::slice::from_ref(&given));
            assert_eq!(source_after, Some(TranscriptSource::Client));
            assert!(
                fixture.notes().contains("stored before"),
                "{}",
                fixture.notes()
            );
        } else {
            assert_eq!(transcript(&fixture), hello_transcript(), "{source}");
            assert_eq!(source_after, Some(TranscriptSource::Command));
        }
    }
}

#[test]
fn an_empty_transcript_of_a_client_is_recognized() {
    let fixture = StageFixture::new(Stage::Transcription, TONE);
    let job_id = fixture.job.job_id;
    let emptied = |tx: &mut Tx<'_>| {
        let time = TimeRange::new(0.0, 1.0)?;
        let segment = NewTranscriptSegment::new("Soon deleted.", time)?;
        tx.transcripts().replace_for_job(job_id, &[segment])?;
        tx.transcripts().replace_for_job(job_id, &[]).map(drop)
    };
    fixture.db.write(emptied).unwrap();
    let hello = fixture.script_recognizer(&script_writing(HELLO_CUE));
    assert_eq!(fixture.run_stage(hello), JobStatus::Completed);
    assert_eq!(transcript(&fixture), hello_transcript());
}

#[test]
fn a_json_sidecar_that_is_not_a_transcript_is_skipped() {
    let fixture = StageFixture::new(Stage::Transcription, SILENT_FILM);
    fixture.put("talks/1.json", b"{\n  \"title\": \"A talk\"\n}");
    let vtt = "WEBVTT\n\n00:00.500 --> 00:01.500\nR&amp;D\n";
    let utf16 = "\u{feff}".encode_utf16().chain(vtt.encode_utf16());
    let utf16: Vec<u8> = utf16.flat_map(u16::to_le_bytes).collect();
    fixture.put("talks/1.vtt", &utf16);
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Completed);
    assert_eq!(transcript(&fixture), [(0.5, 1.5, "R&D".to_owned())]);
    let notes = fixture.notes();
    assert!(notes.starts_with("skipped 1.json: line "), "{notes}");
    assert!(notes.ends_with("; taken from 1.vtt"), "{notes}");
}

#[test]
fn a_recognizer_runs_if_a_json_sidecar_is_not_a_transcript() {
    let fixture = StageFixture::new(Stage::Transcription, TONE);
    fixture.put("talks/1.json", b"{\"title\": \"A talk\"}");
    let status = fixture.run_stage(fixture.script_recognizer(&script_writing(HELLO_CUE)));
    assert_eq!(status, JobStatus::Completed);
    assert_eq!(transcript(&fixture), hello_transcript());
    assert!(fixture.notes().starts_with("skipped 1.json: "));
}

#[test]
fn a_recognizer_does_not_replace_unreadable_subtitles() {
    let fixture = StageFixture::new(Stage::Transcription, TONE);
    fixture.put("talks/1.srt", b"Dear all,\n");
    let status = fixture.run_stage(fixture.script_recognizer(&script_writing(HELLO_CUE)));
    assert_eq!(status, JobStatus::Failed);
    let error = fixture.stage_run().error.unwrap();
    assert!(error.as_str().starts_with("1.srt: line 1"), "{error}");
}

#[test]
fn without_a_recognizer_unreadable_subtitles_are_an_error() {
    let fixture = StageFixture::new(Stage::Transcription, SILENT_FILM);
    fixture.put("talks/1.srt", b"\nDear all,\n");
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Failed);
    let error = fixture.stage_run().error.unwrap();
    assert!(error.as_str().starts_with("1.srt: line 2"), "{error}");
}

#[test]
fn what_is_left_out_of_a_sidecar_is_noted() {
    let fixture = StageFixture::new(Stage::Transcription, SILENT_FILM);
    let file = "1\n00:00:0x,000 --> 00:00:01,000\nlost\n\n2\n00:00:00,500 --> 00:00:01,500\nkept\n";
    fixture.put("talks/1.srt", file.as_bytes());
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Completed);
    assert_eq!(transcript(&fixture), [(0.5, 1.5, "kept".to_owned())]);
    assert_eq!(
        fixture.notes(),
        "taken from 1.srt; \
         1 entry was left out, because its times cannot be read (line 2)"
    );
}

const HELLO_SRT: &[u8] = b"1\n00:00:00,500 --> 00:00:01,500\nHello.\n";

#[test]
fn the_best_sidecar_with_text_is_taken_and_the_others_are_named() {
    let fixture = StageFixture::new(Stage::Transcription, SILENT_FILM);
    fixture.put("talks/1.vtt", b"WEBVTT\n");
    fixture.put("talks/1.ttml", b"\n");
    fixture.put("talks/1.MP4.srt", HELLO_SRT);
    fixture.put("talks/1.de.sbv", b"0:00:00.500,0:00:01.500\nHallo.\n");
    fixture.put("talks/1.notes.srt", HELLO_SRT);
    fixture.put("talks/10.srt", HELLO_SRT);
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Completed);
    assert_eq!(transcript(&fixture), hello_transcript());
    assert_eq!(
        fixture.notes(),
        "taken from 1.MP4.srt; not used: 1.notes.srt (it may be of another recording: after the \
         recording's name there is more than a language or a word such as captions), \
         1.vtt (empty), 1.ttml (empty), 1.de.sbv (another goes first)"
    );
}

#[test]
fn the_language_of_the_worker_selects_the_sidecar() {
    let german = || vec![(0.5, 1.5, "Hallo.".to_owned())];
    for (language, expected) in [
        ("de-AT", german()),
        ("en", hello_transcript()),
        ("fr", vec![]),
    ] {
        let mut fixture = StageFixture::new(Stage::Transcription, SILENT_FILM);
        fixture.fixture.options.language = Some(LanguageTag::new(language).unwrap());
        fixture.put("talks/1.en.srt", HELLO_SRT);
        fixture.put("talks/1.ger.sbv", b"0:00:00.500,0:00:01.500\nHallo.\n");
        assert_eq!(
            fixture.run_stage(RecognizerSettings::default()),
            JobStatus::Completed
        );
        assert_eq!(transcript(&fixture), expected, "{language}");
        let notes = fixture.notes();
        assert!(notes.contains(" (another language)"), "{notes}");
    }
}

#[test]
fn the_language_and_the_words_of_a_file_are_stored() {
    let file = br#"{"language": "german", "segments": [{"start": 0.5, "end": 1.5, "text": " Hallo",
        "words": [{"word": " Hallo", "start": 0.75, "end": 1.25, "probability": 0.5}]}]}"#;
    for (name, language) in [("talks/1.json", "de"), ("talks/1.nl.json", "nl")] {
        let fixture = StageFixture::new(Stage::Transcription, SILENT_FILM);
        fixture.put(name, file);
        let status = fixture.run_stage(RecognizerSettings::default());
        assert_eq!(status, JobStatus::Completed);
        let job_id = fixture.job.job_id;
        let stored = fixture.db.read(|conn| conn.transcripts().for_job(job_id));
        let segment = stored.unwrap().remove(0);
        assert_eq!(segment.language.as_deref(), Some(language));
        let words = segment.data.words.unwrap();
        let [word] = words.as_slice() else {
            panic!("{words:?}")
        };
        assert_eq!((word.text.as_str(), word.time.start()), ("Hallo", 0.75));
    }
}

#[test]
fn a_file_in_another_language_is_not_taken() {
    let mut fixture = StageFixture::new(Stage::Transcription, TONE);
    fixture.fixture.options.language = Some(LanguageTag::new("en").unwrap());
    let german = r#"{"language": "german", "segments": [{"start": 0, "end": 1, "text": "Hallo"}]}"#;
    fixture.put("talks/1.json", german.as_bytes());
    let hello = fixture.script_recognizer(&script_writing(HELLO_CUE));
    assert_eq!(fixture.run_stage(hello), JobStatus::Completed);
    assert_eq!(transcript(&fixture), hello_transcript());
    assert_eq!(
        fixture.notes(),
        "recognized with the worker's --transcribe-command; not used: 1.json (another language)"
    );
}

#[test]
fn files_that_look_like_a_transcript_are_named_if_the_words_are_recognized() {
    let fixture = StageFixture::new(Stage::Transcription, TONE);
    for name in [
        "talks/1.smi",
        "talks/1_part.srt",
        "talks/1.forced.vtt",
        "talks/10.tsv",
    ] {
        fixture.put(name, HELLO_SRT);
    }
    let hello = fixture.script_recognizer(&script_writing(HELLO_CUE));
    assert_eq!(fixture.run_stage(hello), JobStatus::Completed);
    let notes = fixture.notes();
    for expected in [
        "1.smi (SAMI is not read)",
        "1_part.srt (it may be of another recording",
        "1.forced.vtt (forced subtitles",
    ] {
        assert!(notes.contains(expected), "{notes}");
    }
    assert!(!notes.contains("10.tsv"), "{notes}");
}

#[test]
fn of_a_file_in_several_languages_the_cues_in_the_wanted_one_are_taken() {
    let ttml = br#"<tt xmlns="http://www.w3.org/ns/ttml"><body>
        <div xml:lang="de"><p begin="0.5s" end="1.5s">Hallo.</p></div>
        <div xml:lang="nl"><p begin="0.5s" end="1.5s">Dag.</p></div></body></tt>"#;
    let (german, dutch) = (
        (0.5, 1.5, "Hallo.".to_owned()),
        (0.5, 1.5, "Dag.".to_owned()),
    );
    for (language, expected) in [
        (Some("de"), vec![german.clone()]),
        (None, vec![german, dutch]),
        (Some("fr"), vec![]),
    ] {
        let mut fixture = StageFixture::new(Stage::Transcription, SILENT_FILM);
        fixture.fixture.options.language = language.map(|tag| LanguageTag::new(tag).unwrap());
        fixture.put("talks/1.ttml", ttml);
        let status = fixture.run_stage(RecognizerSettings::default());
        assert_eq!(status, JobStatus::Completed);
        assert_eq!(transcript(&fixture), expected, "{language:?}");
    }
}

#[test]
fn a_command_gets_the_language() {
    for (language, expected) in [(None, "auto"), (Some("pt-BR"), "pt-BR")] {
        let mut fixture = StageFixture::new(Stage::Transcription, TONE);
        if let Some(language) = language {
            fixture.fixture.options.language = Some(LanguageTag::new(language).unwrap());
        }
        let script = script_writing("00:00.500 --> 00:01.500\\n'\"$3\"'");
        let mut recognizers = fixture.script_recognizer(&script);
        recognizers.command = recognizers.command.map(|command| command + " {language}");
        assert_eq!(fixture.run_stage(recognizers), JobStatus::Completed);
        assert_eq!(transcript(&fixture)[0].2, expected);
    }
}

#[test]
fn a_sidecar_without_ends_or_a_unit_fits_the_recording() {
    for (extension, file, expected) in [
        (
            "lrc",
            "[00:00.50]one\n[00:01.00]two\n",
            [(0.5, 1.0), (1.0, 2.0)],
        ),
        (
            "json",
            "{\"text\": \"\", \"segments\": [\
             {\"start\": 500, \"end\": 1000, \"text\": \"roots grow\"}, \
             {\"start\": 1000, \"text\": \"down there\"}]}",
            [(0.5, 1.0), (1.0, 2.0)],
        ),
        (
            "ttml",
            "<tt><body><p begin='0.5s' end='1s'>a</p><p begin='1s'>b</p></body></tt>",
            [(0.5, 1.0), (1.0, 2.0)],
        ),
    ] {
        let fixture = StageFixture::new(Stage::Transcription, SILENT_FILM);
        fixture.put(&format!("talks/1.{extension}"), file.as_bytes());
        let status = fixture.run_stage(RecognizerSettings::default());
        assert_eq!(status, JobStatus::Completed, "{extension}");
        let times: Vec<_> = transcript(&fixture)
            .into_iter()
            .map(|(start, end, _)| (start, end))
            .collect();
        assert_eq!(times, expected, "{extension}");
    }
}

/// The name of a subtitle file, its text, and ffmpeg's options for its track, such as
/// `disposition`, each with a value.
type Track<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

/// Renders a recording in English with these subtitle tracks.
fn with_tracks(fixture: &StageFixture, tracks: &[Track<'_>]) {
    let (mut inputs, mut options) = (TONE.to_owned(), String::new());
    for (number, (name, text, tags)) in tracks.iter().enumerate() {
        let file = fixture.path(name);
        std::fs::write(&file, text).unwrap();
        write!(inputs, " -i {}", file.display()).unwrap();
        write!(options, " -map {} -disposition:s:{number} 0", number + 1).unwrap();
        for (option, value) in *tags {
            write!(options, " -{option}:s:{number} {value}").unwrap();
        }
    }
    fixture.render_recording(&format!(
        "-y {inputs} -map 0 -metadata:s:a:0 language=eng{options} -c:s copy"
    ));
}

const FRENCH: (&str, &str) = ("metadata:s", "language=fre");
const ENGLISH: (&str, &str) = ("metadata:s", "language=eng");
const BONJOUR_SRT: &str = "1\n00:00:00,500 --> 00:00:01,500\nBonjour.\n";

#[test]
fn a_track_of_substation_alpha_is_read_without_layers_and_drawings() {
    let fixture = StageFixture::new(Stage::Transcription, TONE);
    let line = |layer: u8, text: &str| {
        format!("Dialogue: {layer},0:00:00.50,0:00:01.50,Default,,0,0,0,,{text}\n")
    };
    let ass = [
        "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\n",
        "Format: Name, Fontname, Fontsize\nStyle: Default,Arial,20\n\n[Events]\n",
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n",
        &line(0, "{\\k50}Hel{\\k50}lo."),
        &line(1, "{\\bord3}{\\k50}Hel{\\k50}lo."),
        &line(2, "{\\p1}m 0 0 l 10 10{\\p0}"),
    ];
    with_tracks(&fixture, &[("layers.ass", &ass.concat(), &[ENGLISH])]);
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Completed);
    assert_eq!(transcript(&fixture), hello_transcript());
}

#[test]
fn the_full_track_in_the_language_of_the_sound_is_taken() {
    let fixture = StageFixture::new(Stage::Transcription, TONE);
    let hello = std::str::from_utf8(HELLO_SRT).unwrap();
    let forced = "1\n00:00:00,500 --> 00:00:01,500\nSign.\n";
    let by_title = ("metadata:s", "title=Forced");
    with_tracks(
        &fixture,
        &[
            ("fr.srt", BONJOUR_SRT, &[FRENCH]),
            ("forced.srt", forced, &[ENGLISH, ("disposition", "forced")]),
            ("title.srt", forced, &[ENGLISH, by_title]),
            ("en.srt", hello, &[ENGLISH]),
        ],
    );
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Completed);
    assert_eq!(transcript(&fixture)[0].2, "Hello.");
    assert_eq!(
        fixture.notes(),
        "taken from a track of the recording (en); \
         subtitle tracks en (forced), en (forced), fr were not used"
    );
}

#[test]
fn a_track_with_few_lines_is_not_taken_for_a_full_one() {
    let fixture = StageFixture::new(Stage::Transcription, TONE);
    let mut full = String::new();
    for i in 0..9 {
        writeln!(full, "{i}\n00:00:01,{i}00 --> 00:00:01,{i}50\nLine {i}.\n").unwrap();
    }
    let hello = std::str::from_utf8(HELLO_SRT).unwrap();
    let tracks: [(&str, &str, &[_]); 2] = [
        ("signs.srt", hello, &[ENGLISH]),
        ("full.srt", &full, &[ENGLISH]),
    ];
    with_tracks(&fixture, &tracks);
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Completed);
    assert_eq!(transcript(&fixture).len(), 9);
    let notes = fixture.notes();
    assert!(
        notes.contains("track en (few lines) was not used"),
        "{notes}"
    );
}

#[test]
fn tracks_in_another_language_than_the_wanted_one_are_named() {
    let mut fixture = StageFixture::new(Stage::Transcription, TONE);
    fixture.fixture.options.language = Some(LanguageTag::new("de").unwrap());
    let hello = std::str::from_utf8(HELLO_SRT).unwrap();
    let tracks: [(&str, &str, &[_]); 2] = [
        ("fr.srt", BONJOUR_SRT, &[FRENCH]),
        ("en.srt", hello, &[ENGLISH]),
    ];
    with_tracks(&fixture, &tracks);
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Completed);
    assert!(transcript(&fixture).is_empty());
    let notes = fixture.notes();
    let named = "subtitle tracks fr (another language), en (another language) were not used";
    assert!(notes.contains(named), "{notes}");
}

#[test]
fn hours_that_an_editing_program_adds_are_taken_off() {
    let fixture = StageFixture::new(Stage::Transcription, SILENT_FILM);
    let file = b"1\n01:00:00,500 --> 01:00:01,500\nHello.\n";
    fixture.put("talks/1.srt", file);
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Completed);
    assert_eq!(transcript(&fixture), hello_transcript());
    let notes = fixture.notes();
    assert!(notes.contains("1 hour was taken off all times"), "{notes}");
}

#[test]
fn what_is_after_the_end_of_the_recording_is_left_out() {
    let fixture = StageFixture::new(Stage::Transcription, SILENT_FILM);
    let more =
        b"\n2\n00:00:01,500 --> 00:00:03,000\nGood.\n\n3\n00:00:09,000 --> 00:00:10,000\nBye.\n";
    fixture.put("talks/1.srt", &[HELLO_SRT, more].concat());
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Completed);
    let mut expected = hello_transcript();
    expected.push((1.5, 2.0, "Good.".to_owned()));
    assert_eq!(transcript(&fixture), expected);
    let notes = fixture.notes();
    let late = "1 of 3 entries begins after the end of the recording (2 s) and was left out";
    assert!(notes.contains(late), "{notes}");
}

#[test]
fn the_transcript_of_another_recording_is_refused() {
    let fixture = StageFixture::new(Stage::Transcription, TONE);
    fixture.put("talks/1.srt", b"1\n00:10:00,500 --> 00:10:01,500\nHello.\n");
    let status = fixture.run_stage(fixture.script_recognizer(&script_writing(HELLO_CUE)));
    assert_eq!(status, JobStatus::Failed);
    let error = fixture.stage_run().error.unwrap();
    let expected = "1.srt: this is the transcript of another recording: none of 1 entry begins \
        within this one (2 s), and the times are from 00:10:00 to 00:10:01";
    assert_eq!(error.as_str(), expected);
}
