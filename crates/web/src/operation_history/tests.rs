use chrono::TimeDelta;
use lectern_api::PointDuration;
use lectern_domain::Stage;

use super::*;

fn point(start: DateTime<Utc>, ready: f64, running: f64, completed: i64) -> StageHistoryPoint {
    StageHistoryPoint {
        start,
        ready,
        running,
        completed,
        failed: 0,
        duration: None,
    }
}

/// An hour in two points of half an hour for each of these stages.
fn page(language: Language, change: impl FnOnce(&mut WorkHistoryResponse)) -> String {
    let from: DateTime<Utc> = "2026-03-04T11:00:00Z".parse().unwrap();
    let stage = |stage| StageHistoryEntry {
        stage,
        points: (0..2)
            .map(|i| point(from + TimeDelta::minutes(30 * i), 0.0, 0.0, 0))
            .collect(),
    };
    let stages = vec![stage(Stage::Transcription), stage(Stage::Compilation)];
    let mut response = WorkHistoryResponse {
        from,
        to: from + TimeDelta::hours(1),
        bucket_seconds: 1_800,
        total: stages.len(),
        stages,
    };
    change(&mut response);
    let shown = OperationHistory {
        history: &response,
        hours: 24,
    };
    history(language, shown).into_string()
}

fn assert_contains(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn stages_without_runs_are_named_and_the_others_drawn() {
    let empty = page(Language::English, |_| {});
    assert_contains(
        &empty,
        &[
            "Without runs in this period: Transcribing, ",
            "Each step is 30 min.",
        ],
    );
    assert!(!empty.contains("<article"), "{empty}");
    let one = page(Language::English, |history| {
        history.stages[0].points[1].completed = 1;
    });
    assert_eq!(one.matches("<article").count(), 1, "{one}");
    assert_eq!(one.matches("role=\"img\"").count(), 3);
    assert!(
        !one.contains("Without runs in this period: Transcribing"),
        "{one}"
    );
}

#[test]
fn areas_are_stacked_on_one_scale() {
    let page = page(Language::English, |history| {
        let points = &mut history.stages[0].points;
        (points[0].running, points[0].ready, points[0].failed) = (1.0, 2.0, 1);
        points[1].running = 0.5;
    });
    // Four runs are 102 units high, and half an hour is 153 wide.
    assert_contains(
        &page,
        &[
            "<path class=\"running\" d=\"M46 112V86.5H199V99.2H352V112H199V112H46Z\">",
            "<path class=\"ready\" fill=\"url(#ready-pattern)\" d=\"M46 86.5V35.5H199V86.5H46Z\">",
            "<path class=\"failed\" fill=\"url(#failed-pattern)\" d=\"M46 35.5V10H199V35.5H46Z\">",
            "<pattern id=\"ready-pattern\"",
            "<pattern id=\"failed-pattern\"",
            "At most 1 running and 2 ready; 1 failed.",
        ],
    );
}

#[test]
fn durations_are_drawn_where_there_are_some() {
    let page = page(Language::German, |history| {
        let point = &mut history.stages[0].points[1];
        point.completed = 3;
        point.duration = Some(PointDuration {
            mean: 30.0,
            max: 60.0,
        });
    });
    assert_contains(
        &page,
        &[
            "<path class=\"duration\" d=\"M199 61V10H352V61H199Z\">",
            "<path class=\"duration line\" d=\"M199 61H352\">",
            "Im Mittel 30 s, längstens 1 min.",
            "3 fertig, höchstens 3 je Abschnitt.",
            "data-label=\"Fertig\">3</td>",
        ],
    );
}

#[test]
fn a_drawing_has_a_name_a_description_and_its_values_in_a_table() {
    let page = page(Language::English, |history| {
        history.stages[0].points[0].ready = 1.25;
    });
    assert_contains(
        &page,
        &[
            "aria-labelledby=\"history-transcription-runs-title history-transcription-runs-text\"",
            "<title id=\"history-transcription-runs-title\">Transcribing: ",
            "<desc id=\"history-transcription-runs-text\">",
            "<details id=\"history-transcription-values\">",
            "<th scope=\"row\">4 Mar, 11:00</th>",
            "data-label=\"Ready\">1.2</td>",
        ],
    );
    assert!(
        !page.contains(" style=") && !page.contains("<script"),
        "{page}"
    );
}

#[test]
fn the_period_is_chosen_by_links() {
    let page = page(Language::English, |_| {});
    assert_contains(
        &page,
        &[
            "<a id=\"period-1\" href=\"?hours=1\">1 hour</a>",
            "<a id=\"period-24\" href=\"?hours=24\" aria-current=\"true\">24 hours</a>",
            "href=\"?hours=168\"",
            "href=\"?hours=720\"",
        ],
    );
}

#[test]
fn a_stage_with_more_runs_than_are_read_says_since_when_it_is_shown() {
    let page = page(Language::English, |history| {
        history.stages[0].points.remove(0);
        history.stages[0].points[0].completed = 9;
    });
    assert_contains(&page, &["Shown from 4 Mar, 11:30 UTC on", "M199 112V"]);
}
