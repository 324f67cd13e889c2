use std::fs::File;
use std::io::Write as _;
use std::process::Command;
use std::thread;

use lectern_domain::{JobStatus, NewSilenceRegion, SilenceType, Stage, TimeRange};

use super::{Bench, LOOK, RecognizerSettings};

const TONE: &str = "-f lavfi -i sine=duration=2";
/// Longer than what is heard at once.
const LONG: &str = "-f lavfi -i sine=duration=700:sample_rate=8000";
const FILM: &str = "-f lavfi -i testsrc=duration=2:size=64x64 -c:v libx264";

/// A script that hears this in whatever it is given.
fn hears(cue: &str) -> String {
    format!("printf 'WEBVTT\\n\\n{cue}\\n'  > \"$2.vtt\"\n")
}

/// What was stored: from when to when, and what is said.
fn said(bench: &Bench) -> Vec<(f64, f64, String)> {
    let job_id = bench.job.job_id;
    let stored = bench.db.read(|conn| conn.transcripts().for_job(job_id));
    let stored = stored.unwrap().into_iter();
    stored
        .map(|of| (of.time.start(), of.time.end(), of.text.to_string()))
        .collect()
}

fn hello() -> Vec<(f64, f64, String)> {
    vec![(0.5, 1.5, "Hello.".to_owned())]
}

const HELLO: &str = "00:00.500 --> 00:01.500\\nHello.";

#[test]
fn a_command_runs_where_the_worker_does_and_leaves_nothing() {
    let bench = Bench::new(Stage::Transcription, TONE);
    // Also what it writes beside what it is given is gone in the end.
    let script = hears("00:00.500 --> 00:01.500\\n'\"$(pwd -P)\"'") + "touch \"$1.log\"\n";
    assert_eq!(bench.work(bench.script(&script)), JobStatus::Completed);
    let here = std::env::current_dir().unwrap();
    assert_eq!(said(&bench)[0].2, here.to_string_lossy());
    let left = std::fs::read_dir(bench.path("scratch")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().path()).collect();
    assert!(left.iter().all(|path| path.is_file()), "{left:?}");
}

#[test]
fn what_a_command_writes_without_end_is_not_read_to_its_end() {
    for to in ["", " > {out}", " > {out}.srt"] {
        let bench = Bench::new(Stage::Transcription, TONE);
        let recognizers = RecognizerSettings {
            command: Some(format!("sh -c 'yes | head -c 68000000{to}' {{audio}}")),
            ..RecognizerSettings::default()
        };
        assert_eq!(bench.work(recognizers), JobStatus::Failed, "{to}");
        let error = bench.run().error.unwrap();
        assert_eq!(
            error.as_str(),
            "what the command wrote is longer than 64 MiB"
        );
    }
}

#[test]
fn what_is_heard_in_a_piece_ends_with_it() {
    let bench = Bench::new(Stage::Transcription, LONG);
    let script = hears("00:01.000 --> 99:00:00.000\\nOn and on.");
    assert_eq!(bench.work(bench.script(&script)), JobStatus::Completed);
    let said = said(&bench);
    let [(one, cut, _), (two, end, _)] = said.as_slice() else {
        panic!("{said:?}")
    };
    assert_eq!((*one, *two), (1.0, cut + 1.0));
    assert!(*end > 699.0 && *end < 701.0, "{said:?}");
}

#[test]
fn how_long_it_takes_is_told_once_a_piece_was_heard() {
    let bench = Bench::new(Stage::Transcription, LONG);
    let silence = NewSilenceRegion {
        time: TimeRange::new(300.0, 301.0).unwrap(),
        silence_type: SilenceType::AudioSilence,
        amplitude_threshold: None,
    };
    let job_id = bench.job.job_id;
    let stored = bench
        .db
        .write(|tx| tx.silence_regions().replace_for_job(job_id, &[silence]));
    stored.unwrap();
    let gate = bench.path("gate");
    assert!(
        Command::new("mkfifo")
            .arg(&gate)
            .status()
            .unwrap()
            .success()
    );
    // Open for both, so that nobody waits for somebody at the other end.
    let open = File::options().read(true).write(true).open(&gate).unwrap();
    let script = format!(
        "case \"$1\" in *piece-1.wav) read _ < '{}';; esac\n{}",
        gate.display(),
        hears(HELLO)
    );
    let mut told = None;
    let status = bench.work_while(bench.script(&script), || {
        while bench.run().progress.percent.get() <= 5.0 && !bench.job().status.is_finished() {
            thread::sleep(LOOK);
        }
        told = bench.run().progress.eta_seconds;
        (&open).write_all(b"go\n").unwrap();
    });
    assert_eq!(status, JobStatus::Completed);
    assert!(told.is_some());
}

#[test]
fn what_is_beside_a_recording_and_no_transcript_is_passed_over() {
    let bench = Bench::new(Stage::Transcription, FILM);
    bench.put("talks/1.json", b"{\n  \"title\": \"A talk\"\n}");
    let vtt = "WEBVTT\n\n00:00.500 --> 00:01.500\nR&amp;D\n";
    let utf16 = "\u{feff}".encode_utf16().chain(vtt.encode_utf16());
    let utf16: Vec<u8> = utf16.flat_map(u16::to_le_bytes).collect();
    bench.put("talks/1.vtt", &utf16);
    assert_eq!(
        bench.work(RecognizerSettings::default()),
        JobStatus::Completed
    );
    assert_eq!(said(&bench), [(0.5, 1.5, "R&D".to_owned())]);
    let note = bench.note();
    assert!(
        note.starts_with("passed over talks/1.json: line "),
        "{note}"
    );
    assert!(note.ends_with("; taken from talks/1.vtt"), "{note}");
}

#[test]
fn whoever_listens_is_asked_when_what_is_beside_the_recording_is_no_transcript() {
    let bench = Bench::new(Stage::Transcription, TONE);
    bench.put("talks/1.json", b"{\"title\": \"A talk\"}");
    assert_eq!(
        bench.work(bench.script(&hears(HELLO))),
        JobStatus::Completed
    );
    assert_eq!(said(&bench), hello());
    assert!(bench.note().starts_with("passed over talks/1.json: "));
}

#[test]
fn nobody_listens_in_the_stead_of_subtitles_that_cannot_be_read() {
    let bench = Bench::new(Stage::Transcription, TONE);
    bench.put("talks/1.srt", b"Dear all,\n");
    assert_eq!(bench.work(bench.script(&hears(HELLO))), JobStatus::Failed);
    let error = bench.run().error.unwrap();
    assert!(error.as_str().starts_with("talks/1.srt: line 1"), "{error}");
}

#[test]
fn when_there_is_nothing_else_it_is_told_why_it_cannot_be_read() {
    let bench = Bench::new(Stage::Transcription, FILM);
    bench.put("talks/1.srt", b"\nDear all,\n");
    assert_eq!(bench.work(RecognizerSettings::default()), JobStatus::Failed);
    let error = bench.run().error.unwrap();
    assert!(error.as_str().starts_with("talks/1.srt: line 2"), "{error}");
}
