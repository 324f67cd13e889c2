//! JSON of clients: what is stored, compared and returned is the same on both databases.
//! The expected texts come from the domain, not from a database.

use lectern_domain::{
    JobId, JobUpdate, JsonObject, LogStatus, NewClip, NewLogEntry, ProcessingConfig, Stage,
};
use lectern_tests::{TestDb, a_job, a_log_entry, clips, on_both_backends};
use serde_json::{Map, Value, json};

use crate::pseudo_random::PseudoRandom;

on_both_backends!(
    any_json_is_read_back_as_it_was_checked,
    clips_with_any_json_keep_their_ids,
    numbers_of_other_programs_are_normalized_when_they_are_read,
);

/// Numbers at the limits of integers and floats, and numbers with several spellings.
const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "-0.0",
    "1",
    "1.0",
    "1.50",
    "1e2",
    "1E16",
    "-1e16",
    "9007199254740993",
    "9007199254740993.0",
    "12345678901234567.5",
    "1e18",
    "9.223372036854775807e18",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "1e19",
    "-1e19",
    "1e22",
    "1e300",
    "1.7976931348623157e308",
    "5e-324",
    "2.2250738585072014e-308",
    "1e-7",
    "0.1",
    "0.30000000000000004",
    "1e-400",
];

fn any_number(random: &mut PseudoRandom) -> String {
    match random.below(4) {
        0 | 1 => NUMBERS[random.below(NUMBERS.len())].to_owned(),
        2 => {
            let (digits, exponent) = (random.below(usize::MAX), random.below(60));
            format!("{digits}e{exponent}")
        }
        _ => {
            let bits = random.below(usize::MAX) as u64;
            let float = Some(f64::from_bits(bits)).filter(|float| float.is_finite());
            format!("{:e}", float.unwrap_or(0.5))
        }
    }
}

fn any_value(random: &mut PseudoRandom, depth: usize) -> String {
    let kinds = if depth == 0 { 4 } else { 7 };
    match random.below(kinds) {
        0 => json!(["", "ä€😀", "1e16", "\"\\\n\u{7f}", "null"][random.below(5)]).to_string(),
        1 => ["true", "false", "null"][random.below(3)].to_owned(),
        2 | 3 => any_number(random),
        4 => {
            let items: Vec<_> = (0..random.below(4))
                .map(|_| any_value(random, depth - 1))
                .collect();
            format!("[{}]", items.join(","))
        }
        _ => any_object(random, depth - 1),
    }
}

/// The text of an object, as a client might send it: numbers in any spelling, and keys in
/// any order, perhaps repeated.
fn any_object(random: &mut PseudoRandom, depth: usize) -> String {
    let entries: Vec<_> = (0..random.below(5))
        .map(|_| {
            let key = ["", "a", "A", "ä", "zz", "b c", "1"][random.below(7)];
            format!("{}:{}", json!(key), any_value(random, depth))
        })
        .collect();
    format!("{{{}}}", entries.join(","))
}

fn parsed(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn text(object: &JsonObject) -> String {
    Value::Object(object.get().clone()).to_string()
}

fn any_json_is_read_back_as_it_was_checked(db: TestDb) {
    let mut random = PseudoRandom::new(13);
    for _ in 0..150 {
        let sent = any_object(&mut random, 3);
        let checked = JsonObject::new(parsed(&sent)).unwrap();
        let new = a_job()
            .extra_metadata(Value::Object(parsed(&sent)))
            .processing_config(Value::Object(parsed(&sent)));
        let created = new.create(&db);
        let update = JobUpdate {
            video_metadata: Some(checked.clone().into()),
            extra_metadata: Some(checked.clone().into()),
            ..JobUpdate::default()
        };
        let entry = NewLogEntry {
            error_details: Some(checked.clone()),
            ..a_log_entry(Stage::Transcription, LogStatus::Failed)
        };
        let (updated, logged) = db
            .write(|tx| {
                let updated = tx.jobs().update(created.job_id, &update, None)?;
                let logged = tx.processing_logs().append(created.job_id, &entry)?;
                Ok::<_, lectern_db::Error>((updated, logged))
            })
            .unwrap();
        let (found, entries) = db
            .read(|conn| {
                let found = conn.jobs().find(created.job_id)?.unwrap();
                Ok::<_, lectern_db::Error>((found, conn.processing_logs().for_job(created.job_id)?))
            })
            .unwrap();
        for job in [&created, &updated, &found] {
            assert_eq!(text(&job.extra_metadata), text(&checked), "{sent}");
            let settings = job.processing_config.as_ref().unwrap().settings();
            assert_eq!(text(settings), text(&checked), "{sent}");
        }
        for job in [&updated, &found] {
            assert_eq!(text(&job.video_metadata), text(&checked), "{sent}");
        }
        for entry in [&logged, entries.last().unwrap()] {
            let details = entry.data.error_details.as_ref().unwrap();
            assert_eq!(text(details), text(&checked), "{sent}");
        }
        assert_eq!(
            found.processing_config,
            Some(ProcessingConfig::new(parsed(&sent)).unwrap())
        );
    }
}

fn clips_of(texts: &[String]) -> Vec<NewClip> {
    let mut new = clips(texts.len());
    for (clip, sent) in new.iter_mut().zip(texts) {
        clip.extra_metadata = JsonObject::new(parsed(sent)).unwrap();
    }
    new
}

fn clips_with_any_json_keep_their_ids(db: TestDb) {
    let job: JobId = a_job().create(&db).job_id;
    let mut random = PseudoRandom::new(7);
    for _ in 0..40 {
        let sent: Vec<_> = (0..5).map(|_| any_object(&mut random, 3)).collect();
        let new = clips_of(&sent);
        let put = || {
            db.write(|tx| tx.clips().replace_for_job(job, &new))
                .unwrap()
        };
        let first = put();
        for (clip, new) in first.iter().zip(&new) {
            assert_eq!(text(&clip.extra_metadata), text(&new.extra_metadata));
        }
        assert_eq!(put(), first, "{sent:?}");
        // What was returned is a spelling, too.
        let returned: Vec<_> = first
            .iter()
            .map(|clip| text(&clip.extra_metadata))
            .collect();
        let again = db.write(|tx| tx.clips().replace_for_job(job, &clips_of(&returned)));
        assert_eq!(again.unwrap(), first, "{sent:?}");
    }
}

fn numbers_of_other_programs_are_normalized_when_they_are_read(db: TestDb) {
    let job: JobId = a_job().create(&db).job_id;
    let put = || {
        let new = clips_of(&[r#"{"n": [1e16, -0.0, 1.5e17]}"#.to_owned()]);
        db.write(|tx| tx.clips().replace_for_job(job, &new))
            .unwrap()
    };
    let first = put();
    db.sql()
        .batch(r#"UPDATE clips SET extra_metadata = '{"n": [1e16, -0.0, 1.5e17]}'"#)
        .unwrap();
    assert_eq!(put(), first);
    assert_eq!(
        text(&put()[0].extra_metadata),
        r#"{"n":[10000000000000000,0.0,150000000000000000]}"#
    );
}
