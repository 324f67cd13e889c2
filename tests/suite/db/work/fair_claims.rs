//! Claims of several owners' jobs: the owners take turns, whatever their priorities.

use std::collections::{HashMap, HashSet};
use std::thread;

use chrono::TimeDelta;
use lectern_db::Database;
use lectern_domain::{Claim, JobId, OwnerName, Stage};
use lectern_tests::{Backend, TestDb, a_job, on_both_backends, queries};

use crate::db::support::worker::{claim, claim_one, complete};
use crate::many_jobs::{insert_jobs, plan_with};

on_both_backends!(
    a_job_of_another_owner_is_claimed_within_the_second_claim,
    a_single_worker_that_completes_each_run_leaves_no_owner_out,
    an_owner_in_turn_gives_its_highest_priority_then_its_oldest,
    one_claim_takes_as_many_runs_of_each_owner,
    owners_with_less_leave_their_share_to_others,
    a_run_has_the_owner_that_its_job_is_given,
    concurrent_claims_of_several_owners_return_each_run_once,
    a_claim_reads_few_of_very_many_ready_runs,
);

const STAGE: Stage = Stage::Transcription;

fn as_owner(db: &Database, name: &str) -> Database {
    db.as_owner(OwnerName::new(name).unwrap())
}

fn owner_of(claim: &Claim) -> &str {
    claim.job.owner_id.as_ref().map_or("", OwnerName::as_str)
}

fn owners_of(claims: &[Claim]) -> Vec<&str> {
    claims.iter().map(owner_of).collect()
}

/// A claim of one run. The clock moves first, because turns go by the times of claims.
fn next_claim(db: &TestDb) -> Claim {
    db.clock().advance(TimeDelta::seconds(1));
    claim_one(db, STAGE)
}

fn a_job_of_another_owner_is_claimed_within_the_second_claim(db: TestDb) {
    let (exams, library) = (as_owner(&db, "exams"), as_owner(&db, "library"));
    let older = a_job().create(&library).job_id;
    for _ in 0..200 {
        db.clock().advance(TimeDelta::seconds(1));
        a_job().priority(i32::MAX).create(&exams);
    }
    let first_two = [next_claim(&db), next_claim(&db)];
    assert!(
        first_two.iter().any(|claim| claim.job.job_id == older),
        "{:?}",
        owners_of(&first_two)
    );
    let younger = a_job().priority(i32::MIN).create(&library).job_id;
    let next_two = [next_claim(&db), next_claim(&db)];
    assert!(next_two.iter().any(|claim| claim.job.job_id == younger));
    // Alone again, the other owner has all claims.
    assert_eq!(owner_of(&next_claim(&db)), "exams");
    assert_eq!(owner_of(&next_claim(&db)), "exams");
}

fn a_single_worker_that_completes_each_run_leaves_no_owner_out(db: TestDb) {
    let exams = as_owner(&db, "exams");
    for _ in 0..6 {
        a_job().priority(i32::MAX).create(&exams);
        a_job().create(&db);
    }
    let claims: Vec<_> = (0..6)
        .map(|_| {
            let claim = next_claim(&db);
            complete(&db, claim.lease_id).unwrap();
            claim
        })
        .collect();
    let of_exams = claims
        .iter()
        .filter(|claim| owner_of(claim) == "exams")
        .count();
    assert_eq!(of_exams, 3, "{:?}", owners_of(&claims));
}

/// Jobs of three owners, the third of which is none: for each owner the order of its queue.
fn three_queues(db: &TestDb) -> HashMap<&'static str, Vec<JobId>> {
    ["", "exams", "library"]
        .into_iter()
        .map(|owner| {
            let handle = match owner {
                "" => (**db).clone(),
                name => as_owner(db, name),
            };
            let jobs = [-1, 0, 0, 7].map(|priority| {
                db.clock().advance(TimeDelta::seconds(1));
                a_job().priority(priority).create(&handle).job_id
            });
            (owner, vec![jobs[3], jobs[1], jobs[2], jobs[0]])
        })
        .collect()
}

fn an_owner_in_turn_gives_its_highest_priority_then_its_oldest(db: TestDb) {
    let queues = three_queues(&db);
    let claims: Vec<_> = (0..12).map(|_| next_claim(&db)).collect();
    for (owner, queue) in &queues {
        let of_owner = claims.iter().filter(|claim| owner_of(claim) == *owner);
        let jobs: Vec<_> = of_owner.map(|claim| claim.job.job_id).collect();
        assert_eq!(&jobs, queue, "{owner}");
    }
    for round in claims.chunks(3) {
        let owners: HashSet<_> = owners_of(round).into_iter().collect();
        assert_eq!(owners.len(), 3, "{:?}", owners_of(&claims));
    }
}

fn one_claim_takes_as_many_runs_of_each_owner(db: TestDb) {
    let queues = three_queues(&db);
    let claims = claim(&db, &[STAGE], 7);
    assert_eq!(
        owners_of(&claims),
        ["", "exams", "library", "", "exams", "library", ""]
    );
    let of_exams = [&claims[1], &claims[4]].map(|claim| claim.job.job_id);
    assert_eq!(of_exams, queues["exams"][..2]);
    // Of several stages, an owner's turn is for one run as well.
    db.clock().advance(TimeDelta::seconds(1));
    let stages = [Stage::SilenceDetection, Stage::LayoutAnalysis];
    let claims = claim(&db, &stages, 6);
    for owner in queues.keys() {
        let count = owners_of(&claims).iter().filter(|of| *of == owner).count();
        assert_eq!(count, 2, "{:?}", owners_of(&claims));
    }
}

fn owners_with_less_leave_their_share_to_others(db: TestDb) {
    for (owner, count) in [("exams", 1), ("library", 9), ("museum", 2)] {
        let handle = as_owner(&db, owner);
        for _ in 0..count {
            a_job().create(&handle);
        }
    }
    let claims = claim(&db, &[STAGE], 8);
    let of = |owner| owners_of(&claims).iter().filter(|of| **of == owner).count();
    assert_eq!(["exams", "library", "museum"].map(of), [1, 5, 2]);
    assert_eq!(claim(&db, &[STAGE], 100).len(), 4);
    assert_eq!(claim(&db, &[STAGE], 100), []);
}

fn a_run_has_the_owner_that_its_job_is_given(db: TestDb) {
    let job = a_job().create(&db).job_id;
    db.sql()
        .execute(&format!(
            "UPDATE jobs SET owner_id = 'exams' WHERE job_id = '{job}'"
        ))
        .unwrap();
    let exams = as_owner(&db, "exams");
    assert_eq!(claim_one(&exams, STAGE).job.job_id, job);
    db.sql()
        .execute(&format!(
            "UPDATE jobs SET owner_id = NULL WHERE job_id = '{job}'"
        ))
        .unwrap();
    let rest = [Stage::SilenceDetection, Stage::LayoutAnalysis];
    assert_eq!(claim(&exams, &rest, 5), []);
    assert_eq!(claim(&db, &rest, 5).len(), 2);
}

fn concurrent_claims_of_several_owners_return_each_run_once(db: TestDb) {
    for owner in ["exams", "library", "museum", "physics"] {
        let handle = as_owner(&db, owner);
        for _ in 0..15 {
            a_job().create(&handle);
        }
    }
    let claimed: Vec<JobId> = thread::scope(|scope| {
        let workers: Vec<_> = (1..=6)
            .map(|max| {
                let db = &db;
                scope.spawn(move || {
                    let mut jobs = Vec::new();
                    loop {
                        let claims = claim(db, &[STAGE], max);
                        if claims.is_empty() {
                            return jobs;
                        }
                        jobs.extend(claims.iter().map(|claim| claim.job.job_id));
                    }
                })
            })
            .collect();
        let jobs = workers.into_iter().map(|worker| worker.join().unwrap());
        jobs.flatten().collect()
    });
    // A claim may find all ready runs locked, but then another one has them.
    assert_eq!(claim(&db, &[STAGE], 100), []);
    assert_eq!(claimed.len(), 60);
    assert_eq!(claimed.iter().collect::<HashSet<_>>().len(), 60);
}

fn a_claim_reads_few_of_very_many_ready_runs(db: TestDb) {
    let values = "'queued', CASE WHEN i = 7 THEN 'library' ELSE 'exams' END";
    insert_jobs(&db, 100_000, "status, owner_id", values);
    let mut sql = db.sql();
    sql.execute(
        "INSERT INTO stage_runs (run_id, job_id, stage, status, priority, owner_id)
         SELECT job_id, job_id, 'transcription', 'ready', 5, owner_id FROM jobs",
    )
    .unwrap();
    sql.batch("ANALYZE").unwrap();
    for stages in [&[STAGE][..], Stage::WORK] {
        db.clock().advance(TimeDelta::seconds(1));
        let (claims, statements) = queries(|| claim(&db, stages, 2));
        assert_eq!(
            owners_of(&claims).into_iter().collect::<HashSet<_>>(),
            if stages.len() == 1 {
                HashSet::from(["exams", "library"])
            } else {
                HashSet::from(["exams"])
            }
        );
        let pick = statements
            .iter()
            .find(|statement| statement.contains("WITH RECURSIVE"))
            .expect("a pick");
        let (pick, _) = pick.split_once(" -- binds: ").unwrap();
        let stages = match stages {
            [stage] => format!("'{stage}'"),
            _ => "ARRAY['transcription', 'compilation']".to_owned(),
        };
        let values = ["clock_timestamp()".to_owned(), stages];
        match db.backend() {
            Backend::Sqlite => {
                let plan = plan_with(&mut sql, pick, &values);
                assert!(plan.contains("stage_runs_ready_"), "{plan}");
                let scans = plan.lines().filter(|line| line.starts_with("SCAN r"));
                assert!(
                    scans
                        .into_iter()
                        .all(|scan| scan.contains("stage_runs_ready_")),
                    "{plan}"
                );
                // Only what was picked is sorted: within owners, and by their turns.
                assert_eq!(plan.matches("TEMP B-TREE").count(), 2, "{plan}");
            }
            Backend::Postgres => {
                let pick = pick
                    .replace("$1", &values[0])
                    .replace("$2", &values[1])
                    .replace("FOR NO KEY UPDATE OF j SKIP LOCKED", "");
                let plan = sql.plan(&format!("(ANALYZE, TIMING OFF) {pick}"));
                let read = |label: &str| -> Vec<f64> {
                    let counts = plan.split(label).skip(1);
                    let number = |text: &str| text.split([' ', '\n']).next()?.parse().ok();
                    counts.filter_map(number).collect()
                };
                let (returned, removed) = (read("actual rows="), read("Rows Removed by Filter: "));
                assert!(!returned.is_empty(), "{plan}");
                let rows = returned.iter().chain(&removed);
                assert!(rows.fold(0.0, |sum, rows| sum + rows) < 100.0, "{plan}");
            }
        }
    }
}
