use lectern_domain::{JobFilter, JobPageRequest};
use lectern_tests::{TestDb, a_completed_job, a_job, clips, on_both_backends, store_output};

use crate::db::support::stored;

on_both_backends!(
    a_job_is_loaded_with_its_own_clips,
    a_job_without_clips_is_loaded_with_an_empty_list,
    a_list_of_jobs_is_loaded_with_the_clips_of_each,
    results_hold_all_output_of_a_job,
    a_job_without_output_has_empty_results,
    clips_of_results_are_in_clip_order,
);

fn a_job_is_loaded_with_its_own_clips(db: TestDb) {
    let (job, other) = (a_completed_job(&db), a_completed_job(&db));
    let (found, clips) = db
        .read(|conn| conn.jobs().with_clips(job.job_id))
        .unwrap()
        .unwrap();
    assert_eq!(found, job);
    assert_eq!(
        clips,
        db.read(|conn| conn.clips().for_job(job.job_id)).unwrap()
    );
    assert!(clips.iter().all(|clip| clip.job_id != other.job_id));
}

fn a_job_without_clips_is_loaded_with_an_empty_list(db: TestDb) {
    let job = a_job().create(&db);
    let found = db.read(|conn| conn.jobs().with_clips(job.job_id)).unwrap();
    assert_eq!(found, Some((job, Vec::new())));
}

fn a_list_of_jobs_is_loaded_with_the_clips_of_each(db: TestDb) {
    let bare = a_job().create(&db);
    let job = a_job().create(&db);
    let clips = store_output(&db, job.job_id);
    // The transcript has changed it.
    let job = stored(&db, job.job_id);
    let page = db.read(|conn| {
        conn.jobs()
            .list_with_clips(&JobFilter::default(), JobPageRequest::default())
    });
    assert_eq!(page.unwrap().items, [(job, clips), (bare, Vec::new())]);
}

fn results_hold_all_output_of_a_job(db: TestDb) {
    let job = a_completed_job(&db);
    let results = db
        .read(|conn| conn.jobs().results(job.job_id))
        .unwrap()
        .unwrap();
    let expected = db.read(|conn| {
        Ok::<_, lectern_db::Error>((
            conn.clips().for_job(job.job_id)?,
            conn.transcripts().for_job(job.job_id)?,
            conn.layout_analysis().find_for_job(job.job_id)?,
        ))
    });
    assert_eq!(
        (results.clips, results.transcript, results.layout),
        expected.unwrap()
    );
    assert_eq!(results.job, job);
}

fn a_job_without_output_has_empty_results(db: TestDb) {
    let job = a_job().create(&db);
    let results = db
        .read(|conn| conn.jobs().results(job.job_id))
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            results.clips.len(),
            results.transcript.len(),
            results.layout
        ),
        (0, 0, None)
    );
}

fn clips_of_results_are_in_clip_order(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let mut backwards = clips(5);
    backwards.reverse();
    db.write(|tx| tx.clips().replace_for_job(job, &backwards))
        .unwrap();
    let (_, found) = db
        .read(|conn| conn.jobs().with_clips(job))
        .unwrap()
        .unwrap();
    assert_eq!(
        found
            .iter()
            .map(|clip| clip.clip_order.get())
            .collect::<Vec<_>>(),
        [0, 1, 2, 3, 4]
    );
}
