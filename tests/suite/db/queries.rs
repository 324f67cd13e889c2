//! What a call costs does not depend on how much there is.

use lectern_domain::{JobFilter, PageLimit, PageRequest};
use lectern_tests::{TestDb, a_job, clips, fill, on_both_backends, queries, segments};

fn page() -> PageRequest {
    PageRequest {
        limit: PageLimit::new(100).unwrap(),
        after: None,
    }
}

on_both_backends! {
    fn a_list_of_a_hundred_jobs_costs_what_a_list_of_one_costs(db: TestDb) {
        let list = || queries(|| db.read(|conn| conn.jobs().list(&JobFilter::default(), page())).unwrap().items.len());
        let with_clips =
            || queries(|| db.read(|conn| conn.jobs().list_with_clips(&JobFilter::default(), page())).unwrap().items.len());
        fill(&db, a_job().create(&db).job_id);
        let one = (list().1.len(), with_clips().1.len());
        for _ in 1..100 {
            let job = a_job().create(&db);
            db.write(|tx| tx.clips().replace_for_job(job.job_id, &clips(2))).unwrap();
        }
        let (jobs, statements) = list();
        assert_eq!((jobs, statements.len()), (100, one.0), "{statements:#?}");
        let (jobs, statements) = with_clips();
        assert_eq!((jobs, statements.len()), (100, one.1), "{statements:#?}");
        assert_eq!(one, (1, 2));
    }

    fn results_cost_the_same_however_long_the_lecture(db: TestDb) {
        let job = a_job().create(&db).job_id;
        let results = || queries(|| db.read(|conn| conn.jobs().results(job)).unwrap().unwrap().transcript.len());
        let (_, bare) = results();
        db.write(|tx| tx.transcripts().replace_for_job(job, &segments(1_500))).unwrap();
        db.write(|tx| tx.clips().replace_for_job(job, &clips(40))).unwrap();
        let (segments, full) = results();
        assert_eq!((segments, full.len()), (1_500, bare.len()), "{full:#?}");
        assert!(full.len() <= 4, "{full:#?}");
    }

    fn a_job_with_its_clips_costs_at_most_two_statements(db: TestDb) {
        let job = a_job().create(&db).job_id;
        fill(&db, job);
        let (_, statements) = queries(|| db.read(|conn| conn.jobs().with_clips(job)).unwrap());
        assert!(statements.len() <= 2, "{statements:#?}");
    }

    fn a_change_of_a_job_is_one_guarded_statement(db: TestDb) {
        use lectern_domain::{JobStatus, Stage};
        let job = a_job().create(&db).job_id;
        let report = lectern_tests::a_report(Stage::Transcription, 1.0);
        let changes = [
            queries(|| db.write(|tx| tx.jobs().report_progress(job, &report)).unwrap()).1,
            queries(|| db.write(|tx| tx.jobs().transition(job, JobStatus::Completed)).unwrap()).1,
        ];
        for statements in changes {
            assert_eq!(statements.len(), 1, "{statements:#?}");
            assert!(statements[0].starts_with("UPDATE"), "{statements:#?}");
        }
    }

    fn metrics_are_one_query(db: TestDb) {
        let (_, statements) = queries(|| db.read(|conn| conn.jobs().metrics()).unwrap());
        assert_eq!(statements.len(), 1, "{statements:#?}");
    }
}
