use lectern_api::{
    CompletedCounts, StageDuration, StageRunCounts, StageStatsEntry, WorkStatsResponse,
};
use lectern_domain::{
    ActiveWorker as Worker, HeldLease as Lease, Percent, Stage, WorkerName, WorkerPage,
};

use super::*;
use crate::samples::without_styles;

fn at(time: &str) -> DateTime<Utc> {
    format!("2026-03-04T{time}Z").parse().unwrap()
}

fn a_stage(stage: Stage) -> StageStatsEntry {
    StageStatsEntry {
        stage,
        paused_at: None,
        runs: StageRunCounts {
            ready: 0,
            scheduled: 0,
            waiting: 0,
            running: 0,
            failed: 0,
        },
        oldest_ready_seconds: None,
        completed: CompletedCounts {
            last_5m: 0,
            last_hour: 0,
        },
        duration: None,
    }
}

fn a_worker(name: &str, lease_count: i64) -> Worker {
    Worker {
        worker: WorkerName::new(name).unwrap(),
        lease_count,
        leases: vec![Lease {
            job_id: "0197a0d2-0000-7000-8000-00000000beef".parse().unwrap(),
            stage: Stage::Transcription,
            attempt: 2,
            max_attempts: 3,
            percent: Percent::new(41.9).unwrap(),
            claimed_at: at("05:00:00"),
            last_seen_at: at("05:06:00"),
            expires_at: at("05:07:00"),
        }],
    }
}

/// A page with two stages and a worker; `change` may change it.
fn page(language: Language, change: impl FnOnce(&mut Parts)) -> String {
    let mut parts = Parts {
        stages: vec![
            a_stage(Stage::SilenceDetection),
            a_stage(Stage::Transcription),
        ],
        workers: vec![a_worker("gpu <1>", 1)],
        has_more_workers: false,
        service: None,
        may_pause: false,
    };
    change(&mut parts);
    let next = parts.workers.last().map(|worker| worker.worker.clone());
    let workers = WorkerPage {
        items: parts.workers,
        next: next.filter(|_| parts.has_more_workers),
    };
    let operation = Operation {
        now: at("05:06:07"),
        stats: &WorkStatsResponse {
            total: parts.stages.len(),
            stages: parts.stages,
        },
        history: None,
        workers: &workers.into(),
        failures: &JobListResponse {
            jobs: Vec::new(),
            next_cursor: None,
            total: None,
            total_is_lower_bound: false,
        },
        service: parts.service.as_ref(),
        may_pause: parts.may_pause,
        header: PageHeader {
            operation: true,
            sign_out: false,
        },
    };
    without_styles(&operation_page(language, &operation))
}

struct Parts {
    stages: Vec<StageStatsEntry>,
    workers: Vec<Worker>,
    has_more_workers: bool,
    service: Option<ServiceState<'static>>,
    may_pause: bool,
}

fn assert_contains(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn numbers_ages_and_durations_are_shown() {
    let page = page(Language::English, |parts| {
        let stage = &mut parts.stages[1];
        stage.runs = StageRunCounts {
            ready: 3,
            scheduled: 2,
            waiting: 10_000,
            running: 5,
            failed: 1,
        };
        stage.oldest_ready_seconds = Some(125.4);
        stage.completed.last_hour = 12;
        stage.duration = Some(StageDuration {
            runs: 12,
            mean: 50.0,
            p50: 42.0,
            p95: 3_600.0,
        });
    });
    assert_contains(
        &page,
        &[
            ">Transcribing</th>",
            "data-label=\"Ready\">3<span class=\"scheduled\"> + 2 later</span></td>",
            "data-label=\"Waiting\">10000+</td>",
            "class=\"number has-failed\" data-label=\"Failed\">1</td>",
            "data-label=\"Ready for\">2 min 5 s</td>",
            "data-label=\"Done in 1 h\">12</td>",
            "data-label=\"Median / p95\">42 s / 1 h</td>",
        ],
    );
}

#[test]
fn bars_have_one_scale_and_a_label() {
    let page = page(Language::English, |parts| {
        parts.stages[0].runs.running = 5;
        parts.stages[1].runs.ready = 15;
        parts.stages[1].runs.waiting = 5;
    });
    assert_contains(
        &page,
        &[
            "aria-label=\"Running 5, Ready 0, Waiting 0\"",
            "<rect class=\"running\" x=\"0.00\" width=\"25.00\" height=\"10\"></rect>",
            "<rect class=\"ready\" x=\"0.00\" width=\"75.00\" height=\"10\"></rect>",
            "<rect class=\"waiting\" x=\"75.00\" width=\"25.00\" height=\"10\"></rect>",
        ],
    );
    assert_eq!(page.matches("<rect class=\"running\"").count(), 1);
}

#[test]
fn what_a_worker_holds_is_shown_with_a_link_to_the_job() {
    let page = page(Language::English, |_| {});
    assert_contains(
        &page,
        &[
            "gpu &lt;1&gt;",
            "href=\"jobs/0197a0d2-0000-7000-8000-00000000beef\"",
            "<progress max=\"100\" value=\"41\" aria-label=\"Transcribing\">",
            "data-label=\"Attempt\">2 / 3</td>",
            "data-label=\"Running for\">6 min 7 s</td>",
            "data-label=\"Lease ends\">in 53 s</td>",
            "data-label=\"Last seen\">7 s ago</td>",
        ],
    );
    assert!(!page.contains("<1>"), "{page}");
}

#[test]
fn leases_and_workers_that_are_not_listed_are_mentioned() {
    let all = page(Language::English, |_| {});
    assert!(!all.contains("more"), "{all}");
    let some = page(Language::English, |parts| {
        parts.workers[0].lease_count = 3;
        parts.has_more_workers = true;
    });
    assert_contains(&some, &["and 2 more", "There are more workers"]);
    let none = page(Language::English, |parts| parts.workers.clear());
    assert_contains(&none, &["No worker is processing anything"]);
}

#[test]
fn only_who_may_pause_has_buttons() {
    let pause = |parts: &mut Parts| parts.stages[1].paused_at = Some(at("05:00:00"));
    let viewer = page(Language::English, pause);
    assert!(!viewer.contains("<form"), "{viewer}");
    assert_contains(&viewer, &["<span class=\"status paused\">Paused</span>"]);
    let admin = page(Language::English, |parts| {
        pause(parts);
        parts.may_pause = true;
    });
    assert_contains(
        &admin,
        &[
            "action=\"operation/silence_detection/pause\"",
            "aria-label=\"Pause: Detecting silence\"",
            "action=\"operation/transcription/resume\"",
        ],
    );
}

#[test]
fn the_service_is_shown_to_those_who_may_see_its_metrics() {
    let service = ServiceState {
        version: "1.2.3",
        database: "SQLite",
        connections_in_use: 1,
        connections_idle: 2,
        connections_max: 6,
        waiting_claims: 4,
        is_bucket: false,
        recording_bytes: 2_147_483_648,
        disk: Some((1_500_000_000, 3_000_000_000)),
    };
    let hidden = page(Language::German, |_| {});
    assert!(!hidden.contains("Dienst"), "{hidden}");
    let on_disk = page(Language::German, |parts| {
        parts.service = Some(service.clone());
    });
    assert_contains(
        &on_disk,
        &[
            "<h2 id=\"service\">Dienst</h2>",
            "Lectern 1.2.3",
            "1 benutzt, 2 frei, höchstens 6",
            "<dd>2,1 GB</dd>",
            "<dd>1,5 GB von 3,0 GB</dd>",
        ],
    );
    let in_a_bucket = page(Language::German, |parts| {
        parts.service = Some(ServiceState {
            is_bucket: true,
            disk: None,
            ..service
        });
    });
    assert!(!in_a_bucket.contains("Frei"), "{in_a_bucket}");
}

#[test]
fn the_page_is_in_the_language_of_the_reader() {
    let page = page(Language::German, |_| {});
    assert_contains(
        &page,
        &[
            "<html lang=\"de\">",
            "<title>Betrieb – Lectern</title>",
            "<a href=\"./operation\" aria-current=\"page\">Betrieb</a>",
            "Keine Aufnahme ist fehlgeschlagen.",
            "vor 7 s",
        ],
    );
}
