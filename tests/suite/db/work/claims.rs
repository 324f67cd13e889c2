//! Claims and their order.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};

use chrono::TimeDelta;
use lectern_db::Database;
use lectern_domain::Stage::{
    Compilation, ContentAnalysis, LayoutAnalysis, Segmentation, SilenceDetection, Transcription,
};
use lectern_domain::StageRunStatus::{Ready, Running};
use lectern_domain::{Claim, JobId, JobStatus, JobUpdate, Percent, Stage, WorkerName};
use lectern_tests::{TestDb, a_job, a_report, on_both_backends};

use crate::db::support::stored;
use crate::db::support::worker::{
    LEASE, a_request, claim, claim_one, complete, complete_stages, fail, run, runs, statuses,
};

on_both_backends!(
    a_claim_holds_a_job_a_stage_run_and_a_lease,
    lease_ids_are_random_and_unique,
    claims_are_ordered_by_priority_then_age,
    claims_of_one_stage_keep_the_order_for_every_batch_size,
    a_later_stage_keeps_the_queue_position_of_its_job,
    a_claim_returns_at_most_the_requested_number,
    a_claim_returns_only_requested_stages,
    a_stage_is_claimable_after_its_dependencies_complete,
    stages_of_inactive_jobs_are_not_claimable,
    a_claim_of_several_stages_increments_the_version_once,
    an_empty_claim_writes_nothing,
    claimable_lists_the_stages_with_work,
    a_changed_priority_reorders_the_queue,
    claims_of_one_batch_return_each_run_once,
    a_claim_whose_caller_gave_up_leaves_the_run_ready,
);

/// Job and stage of each claim.
fn jobs_and_stages(claims: &[Claim]) -> Vec<(JobId, Stage)> {
    let job_and_stage = |claim: &Claim| (claim.job.job_id, claim.run.stage);
    claims.iter().map(job_and_stage).collect()
}

fn claimable(db: &Database, stages: &[Stage]) -> Vec<Stage> {
    let mut found = db.read(|conn| conn.stage_runs().claimable(stages)).unwrap();
    found.sort();
    found
}

/// Four jobs in the order of the queue: by priority, then by age.
fn a_queue(db: &TestDb) -> [JobId; 4] {
    let jobs = [-1, 0, 0, 7].map(|priority| {
        db.clock().advance(TimeDelta::seconds(1));
        a_job().priority(priority).create(db).job_id
    });
    [jobs[3], jobs[1], jobs[2], jobs[0]]
}

fn a_claim_holds_a_job_a_stage_run_and_a_lease(db: TestDb) {
    let job = a_job().create(&db);
    let before = run(&db, job.job_id, Transcription);
    db.clock().advance(TimeDelta::seconds(3));
    let claim = claim_one(&db, Transcription);
    let lease = claim.run.lease.unwrap();
    assert_eq!(
        (lease.lease_id, lease.expires_at),
        (claim.lease_id, claim.lease_expires_at)
    );
    assert_eq!(lease.expires_at, db.now() + TimeDelta::seconds(LEASE));
    assert_eq!(i64::from(lease.duration.seconds()), LEASE);
    let mut expected = before;
    expected.status = Running;
    expected.attempt = 1;
    expected.worker = Some(WorkerName::new("worker-1").unwrap());
    expected.lease = Some(lease);
    expected.started_at = Some(db.now());
    assert_eq!(claim.run, expected);
    assert_eq!(run(&db, job.job_id, Transcription), claim.run);

    assert_eq!(
        (claim.job.status, claim.job.version),
        (JobStatus::Running, job.version + 1)
    );
    assert_eq!(claim.job.updated_at, db.now());
    let progress = claim.job.progress.clone().unwrap();
    assert_eq!(
        (progress.stage, progress.percent),
        (Transcription, Percent::ZERO)
    );
    assert_eq!(stored(&db, job.job_id), claim.job);
}

fn lease_ids_are_random_and_unique(db: TestDb) {
    a_queue(&db);
    let claims = claim(&db, Stage::WORK, 100);
    assert_eq!(claims.len(), 12);
    let leases: HashSet<_> = claims.iter().map(|claim| claim.lease_id).collect();
    assert_eq!(leases.len(), claims.len());
    for claim in claims {
        let lease = claim.lease_id.as_uuid();
        assert_eq!(
            (lease.get_version_num(), lease.get_variant()),
            (4, uuid::Variant::RFC4122),
            "{lease}"
        );
    }
}

fn claims_are_ordered_by_priority_then_age(db: TestDb) {
    let expected: Vec<_> = a_queue(&db)
        .into_iter()
        .flat_map(|job| [SilenceDetection, Transcription, LayoutAnalysis].map(|stage| (job, stage)))
        .collect();
    assert_eq!(jobs_and_stages(&claim(&db, Stage::WORK, 100)), expected);
}

fn claims_of_one_stage_keep_the_order_for_every_batch_size(db: TestDb) {
    let queue = a_queue(&db);
    let one_by_one: Vec<_> = queue
        .iter()
        .map(|_| claim_one(&db, Transcription).job.job_id)
        .collect();
    assert_eq!(one_by_one, queue);
    let in_twos: Vec<_> = (0..2)
        .flat_map(|_| claim(&db, &[LayoutAnalysis], 2))
        .map(|claim| claim.job.job_id)
        .collect();
    assert_eq!(in_twos, queue);
}

fn a_later_stage_keeps_the_queue_position_of_its_job(db: TestDb) {
    let first = a_job().create(&db).job_id;
    db.clock().advance(TimeDelta::seconds(1));
    let second = a_job().create(&db).job_id;
    complete_stages(&db, &[SilenceDetection, Transcription, LayoutAnalysis]);
    assert_eq!(
        jobs_and_stages(&claim(&db, Stage::WORK, 10)),
        [
            (first, ContentAnalysis),
            (second, SilenceDetection),
            (second, Transcription),
            (second, LayoutAnalysis)
        ]
    );
}

fn a_claim_returns_at_most_the_requested_number(db: TestDb) {
    a_queue(&db);
    assert_eq!(claim(&db, Stage::WORK, 5).len(), 5);
    assert_eq!(claim(&db, Stage::WORK, 100).len(), 7);
    assert_eq!(claim(&db, Stage::WORK, 100), []);
}

fn a_claim_returns_only_requested_stages(db: TestDb) {
    let job = a_job().create(&db).job_id;
    assert_eq!(
        claim(&db, &[ContentAnalysis, Segmentation, Compilation], 10),
        []
    );
    assert_eq!(
        jobs_and_stages(&claim(&db, &[LayoutAnalysis, Compilation], 10)),
        [(job, LayoutAnalysis)]
    );
    assert_eq!(
        jobs_and_stages(&claim(&db, &[LayoutAnalysis, SilenceDetection], 10)),
        [(job, SilenceDetection)]
    );
}

fn a_stage_is_claimable_after_its_dependencies_complete(db: TestDb) {
    let job = a_job().create(&db).job_id;
    for stage in [SilenceDetection, LayoutAnalysis] {
        complete_stages(&db, &[stage]);
        assert_eq!(claim(&db, &[ContentAnalysis], 1), []);
    }
    let last = claim_one(&db, Transcription).lease_id;
    assert_eq!(
        claim(&db, &[ContentAnalysis], 1),
        [],
        "a running dependency is not completed"
    );
    complete(&db, last).unwrap();
    for stage in [ContentAnalysis, Segmentation, Compilation] {
        let next = claim(&db, Stage::WORK, 10);
        assert_eq!(jobs_and_stages(&next), [(job, stage)]);
        complete(&db, next[0].lease_id).unwrap();
    }
    assert_eq!(stored(&db, job).status, JobStatus::Completed);
}

fn stages_of_inactive_jobs_are_not_claimable(db: TestDb) {
    for status in JobStatus::ALL {
        let job = a_job().status(*status).create(&db);
        let claims = claim(&db, Stage::WORK, 10).len();
        assert_eq!(
            claims,
            if status.accepts_progress() { 3 } else { 0 },
            "{status}"
        );
        db.write(|tx| tx.jobs().delete(job.job_id)).unwrap();
    }
}

fn a_claim_of_several_stages_increments_the_version_once(db: TestDb) {
    let job = a_job().create(&db);
    let claims = claim(&db, Stage::WORK, 3);
    let after = stored(&db, job.job_id);
    assert_eq!(after.version, job.version + 1);
    assert!(claims.iter().all(|claim| claim.job == after));
}

fn an_empty_claim_writes_nothing(db: TestDb) {
    a_job().status(JobStatus::Pending).create(&db);
    let busy = a_job().create(&db).job_id;
    for stage in [SilenceDetection, Transcription, LayoutAnalysis] {
        let report = a_report(stage, 1.0);
        db.write(|tx| tx.jobs().report_progress(busy, &report))
            .unwrap();
    }
    let before = db.sql().dump();
    assert_eq!(claim(&db, Stage::WORK, 10), []);
    assert_eq!(db.sql().dump(), before);
}

fn claimable_lists_the_stages_with_work(db: TestDb) {
    assert_eq!(claimable(&db, Stage::WORK), []);
    let job = a_job().create(&db).job_id;
    assert_eq!(
        claimable(&db, Stage::WORK),
        [SilenceDetection, Transcription, LayoutAnalysis]
    );
    assert_eq!(
        claimable(&db, &[Transcription, ContentAnalysis]),
        [Transcription]
    );
    assert_eq!(claimable(&db, &[Compilation]), []);
    assert_eq!(claimable(&db, &[]), []);
    claim(&db, &[SilenceDetection, LayoutAnalysis], 2);
    let lease = claim_one(&db, Transcription).lease_id;
    assert_eq!(claimable(&db, Stage::WORK), []);

    fail(&db, lease).unwrap();
    assert_eq!(claimable(&db, Stage::WORK), [], "before the delay ends");
    let available_at = run(&db, job, Transcription).available_at.unwrap();
    db.clock().advance(available_at - db.now());
    assert_eq!(claimable(&db, Stage::WORK), [Transcription]);
    claim_one(&db, Transcription);
    db.clock().advance(
        TimeDelta::seconds(LEASE) - (available_at - runs(&db, job)[0].started_at.unwrap()),
    );
    assert_eq!(
        claimable(&db, Stage::WORK),
        [SilenceDetection, LayoutAnalysis],
        "their leases have expired"
    );
    assert_eq!(statuses(&db, job)[..3], [Running; 3]);
    db.write(|tx| tx.jobs().cancel(job)).unwrap();
    assert_eq!(claimable(&db, Stage::WORK), []);
}

fn a_changed_priority_reorders_the_queue(db: TestDb) {
    let queue = a_queue(&db);
    let last = queue[3];
    let update = JobUpdate {
        priority: Some(i32::MAX),
        ..JobUpdate::default()
    };
    db.write(|tx| tx.jobs().update(last, &update, None))
        .unwrap();
    assert_eq!(claim_one(&db, Transcription).job.job_id, last);
    // Stages that are not ready yet have the new priority, too.
    let update = JobUpdate {
        priority: Some(i32::MIN),
        ..JobUpdate::default()
    };
    db.write(|tx| tx.jobs().update(last, &update, None))
        .unwrap();
    assert_eq!(statuses(&db, last)[0], Ready);
    let order: Vec<_> = claim(&db, &[SilenceDetection], 10)
        .iter()
        .map(|claim| claim.job.job_id)
        .collect();
    assert_eq!(order, queue);
}

/// Submits claims that are executed in one batch, because the thread that executes them
/// waits until all are submitted. Returns their results in the same order.
fn claim_in_one_batch(db: &Database, stages: &[&[Stage]]) -> Vec<Receiver<Vec<Claim>>> {
    let (started_sender, started) = channel();
    let (release, released) = channel();
    let released = Mutex::new(released);
    let occupy = move || {
        started_sender.send(()).unwrap();
        released.lock().unwrap().recv().unwrap();
        false
    };
    let (reply, occupied) = channel();
    db.claim_then(a_request(&[Transcription], 1), occupy, move |claims| {
        reply.send(claims.unwrap()).unwrap();
    });
    started.recv().unwrap();
    let submit = |stages: &&[Stage]| {
        let (reply, claims) = channel();
        db.claim_then(
            a_request(stages, 1),
            || true,
            move |claimed| {
                reply.send(claimed.unwrap()).unwrap();
            },
        );
        claims
    };
    let results = stages.iter().map(submit).collect();
    release.send(()).unwrap();
    assert_eq!(occupied.recv().unwrap(), []);
    results
}

fn claims_of_one_batch_return_each_run_once(db: TestDb) {
    let jobs: HashSet<_> = (0..3).map(|_| a_job().create(&db).job_id).collect();
    let both = &[Transcription, SilenceDetection][..];
    let transcription = &[Transcription][..];
    let stages = [
        transcription,
        both,
        transcription,
        transcription,
        &[Compilation],
    ];
    let results = claim_in_one_batch(&db, &stages);
    let claims: Vec<_> = results
        .into_iter()
        .map(|result| result.recv().unwrap())
        .collect();
    // Three runs of each stage are ready; nothing is ready for compilation.
    assert_eq!(
        claims.iter().map(Vec::len).collect::<Vec<_>>(),
        [1, 1, 1, 1, 0]
    );
    let claimed: Vec<_> = claims
        .iter()
        .flat_map(|claims| jobs_and_stages(claims))
        .collect();
    let distinct: HashSet<_> = claimed.iter().copied().collect();
    assert_eq!(distinct.len(), claimed.len());
    for (job_id, stage) in claimed {
        assert!(jobs.contains(&job_id));
        assert_eq!(run(&db, job_id, stage).attempt, 1);
    }
}

fn a_claim_whose_caller_gave_up_leaves_the_run_ready(db: TestDb) {
    let job = a_job().create(&db);
    let (reply, claims) = channel();
    db.claim_then(
        a_request(&[Transcription], 1),
        || false,
        move |claimed| {
            reply.send(claimed.unwrap()).unwrap();
        },
    );
    assert_eq!(claims.recv().unwrap(), []);
    assert_eq!(run(&db, job.job_id, Transcription).status, Ready);
}
