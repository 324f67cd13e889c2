use chrono::TimeDelta;
use lectern_db::Database;
use lectern_domain::{JobId, Seconds, SilenceRegion, SilenceRegionFilter, SilenceType};
use lectern_tests::{TestDb, a_job, a_silence, on_both_backends, silence_regions};

use crate::db::support::window;

on_both_backends!(
    stored_regions_are_read_back_unchanged,
    the_database_computes_the_duration,
    storing_the_same_set_again_keeps_the_rows,
    regions_are_filtered_by_type_duration_and_window,
    concurrent_replacements_leave_one_whole_set,
);

fn starts(regions: &[SilenceRegion]) -> Vec<f64> {
    regions.iter().map(|region| region.time.start()).collect()
}

/// A job with regions at 0–1 s, 10–12 s, 20–24 s and 30–30 s.
fn job_with_four_regions(db: &Database) -> JobId {
    let job = a_job().create(db).job_id;
    let regions = [
        a_silence(20.0, 24.0, SilenceType::Both),
        a_silence(0.0, 1.0, SilenceType::AudioSilence),
        a_silence(10.0, 12.0, SilenceType::BlankScreen),
        a_silence(30.0, 30.0, SilenceType::AudioSilence),
    ];
    db.write(|tx| tx.silence_regions().replace_for_job(job, &regions))
        .unwrap();
    job
}

fn stored_regions_are_read_back_unchanged(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let new = silence_regions(40);
    let returned = db.write(|tx| tx.silence_regions().replace_for_job(job, &new));
    let stored = db.read(|conn| conn.silence_regions().for_job(job)).unwrap();
    assert_eq!(returned.unwrap(), stored);
    assert_eq!(stored.len(), 40);
    for (stored, new) in stored.iter().zip(&new) {
        assert_eq!(
            (stored.job_id, stored.time, stored.created_at),
            (job, new.time, db.now())
        );
        assert_eq!(
            (stored.silence_type, stored.amplitude_threshold),
            (new.silence_type, new.amplitude_threshold)
        );
    }
}

fn the_database_computes_the_duration(db: TestDb) {
    job_with_four_regions(&db);
    let durations = db.sql().rows(
        "SELECT CAST(duration AS DOUBLE PRECISION) FROM silence_regions WHERE duration <> end_time - start_time",
    );
    assert_eq!(durations, Vec::<Vec<_>>::new());
    assert!(
        db.sql()
            .execute("UPDATE silence_regions SET duration = 1")
            .is_err()
    );
}

fn storing_the_same_set_again_keeps_the_rows(db: TestDb) {
    let job = job_with_four_regions(&db);
    let all = || db.read(|conn| conn.silence_regions().for_job(job)).unwrap();
    let replace = |set: &[_]| {
        db.write(|tx| tx.silence_regions().replace_for_job(job, set))
            .unwrap()
    };
    let set = silence_regions(5);
    let before = replace(&set);
    assert_eq!(before, all());
    db.clock().advance(TimeDelta::seconds(1));
    assert_eq!(replace(&set), before);
    assert_eq!(all(), before);
    assert_eq!(replace(&[]), []);
    assert_eq!(all(), []);
}

fn regions_are_filtered_by_type_duration_and_window(db: TestDb) {
    let job = job_with_four_regions(&db);
    let find = |filter: SilenceRegionFilter| {
        starts(
            &db.read(|conn| conn.silence_regions().list(job, &filter))
                .unwrap(),
        )
    };
    let any = SilenceRegionFilter::default();
    assert_eq!(find(any), [0.0, 10.0, 20.0, 30.0]);

    let of_type = |silence_type| {
        starts(
            &db.read(|conn| conn.silence_regions().by_type(job, silence_type))
                .unwrap(),
        )
    };
    assert_eq!(of_type(SilenceType::AudioSilence), [0.0, 30.0]);
    assert_eq!(of_type(SilenceType::Both), [20.0]);

    let longer = |seconds| {
        let seconds = Seconds::new(seconds).unwrap();
        starts(
            &db.read(|conn| conn.silence_regions().longer_than(job, seconds))
                .unwrap(),
        )
    };
    assert_eq!(longer(2.0), [10.0, 20.0], "the minimum is included");
    assert_eq!(longer(0.0), [0.0, 10.0, 20.0, 30.0]);
    assert_eq!(longer(4.1), [0.0; 0]);

    let within = |from, to| {
        starts(
            &db.read(|conn| conn.silence_regions().in_range(job, window(from, to)))
                .unwrap(),
        )
    };
    assert_eq!(within(11.0, 30.0), [10.0, 20.0]);
    assert_eq!(within(1.0, 10.0), [0.0; 0]);
    assert_eq!(within(30.0, 31.0), [30.0]);

    let min_duration = Some(Seconds::new(1.5).unwrap());
    let all_three = SilenceRegionFilter {
        silence_type: Some(SilenceType::Both),
        min_duration,
        window: window(0.0, 21.0),
    };
    assert_eq!(find(all_three), [20.0]);
    assert_eq!(
        find(SilenceRegionFilter {
            window: window(0.0, 20.0),
            ..all_three
        }),
        [0.0; 0]
    );
}

fn concurrent_replacements_leave_one_whole_set(db: TestDb) {
    let job = a_job().create(&db).job_id;
    std::thread::scope(|scope| {
        for n in 1..=6 {
            let db = &db;
            scope.spawn(move || {
                db.write(|tx| {
                    tx.silence_regions()
                        .replace_for_job(job, &silence_regions(n))
                })
                .unwrap()
            });
        }
    });
    let stored = db.read(|conn| conn.silence_regions().for_job(job)).unwrap();
    assert_eq!(starts(&stored), starts_of_first(stored.len()));
}

fn starts_of_first(n: usize) -> Vec<f64> {
    silence_regions(n)
        .iter()
        .map(|region| region.time.start())
        .collect()
}
