use lectern_domain::{NewSilenceRegion, SilenceType};
use lectern_tests::{TestServer, a_silence, on_both_backends, silence_regions, snapshot};
use serde_json::{Value, json};

use crate::http::support::job_set::JobSet;
use crate::http::support::{JOBS, UNKNOWN_ID};

on_both_backends!(
    silence_regions_are_returned_as_sent,
    every_region_has_an_id_a_duration_and_a_creation_time,
    the_duration_is_the_end_minus_the_start,
    putting_the_same_set_again_keeps_the_regions_and_their_ids,
    a_new_set_replaces_the_old_one,
    a_set_with_an_invalid_region_stores_nothing,
    filters_apply_alone_and_combined,
    regions_are_listed_by_time,
    a_job_without_silence_regions_has_an_empty_list,
    silence_regions_of_an_unknown_job_are_not_found,
    concurrent_puts_leave_one_set,
);

pub(super) const SILENCE_REGIONS: JobSet = JobSet {
    path: "/silence-regions",
    list: "regions",
    id: "region_id",
};

/// The start times of the regions of a response.
fn starts(response: &Value) -> Vec<f64> {
    SILENCE_REGIONS.numbers(response, "start_time")
}

fn silence_regions_are_returned_as_sent(server: TestServer) {
    let path = SILENCE_REGIONS.of_a_new_job(&server);
    let sent = SILENCE_REGIONS.body(&silence_regions(200));
    SILENCE_REGIONS.assert_returned_as_sent(&server, &path, &sent);
}

fn every_region_has_an_id_a_duration_and_a_creation_time(server: TestServer) {
    let answer = server
        .put(
            &SILENCE_REGIONS.of_a_new_job(&server),
            &SILENCE_REGIONS.body(&silence_regions(2)),
        )
        .expect(200);
    snapshot!("silence_regions", answer.json());
}

fn the_duration_is_the_end_minus_the_start(server: TestServer) {
    let path = SILENCE_REGIONS.of_a_new_job(&server);
    let regions = [(0.1, 0.3), (1.0 / 3.0, 7.7), (5.0, 5.0)];
    let sent = regions.map(|(start, end)| a_silence(start, end, SilenceType::Both));
    let stored = server
        .put(&path, &SILENCE_REGIONS.body(&sent))
        .expect(200)
        .json();
    let durations = SILENCE_REGIONS.numbers(&stored, "duration");
    assert_eq!(durations, regions.map(|(start, end)| end - start));
}

fn putting_the_same_set_again_keeps_the_regions_and_their_ids(server: TestServer) {
    SILENCE_REGIONS
        .assert_kept_by_an_equal_put(&server, &SILENCE_REGIONS.body(&silence_regions(9)));
}

fn a_new_set_replaces_the_old_one(server: TestServer) {
    let (path, other) = (
        SILENCE_REGIONS.of_a_new_job(&server),
        SILENCE_REGIONS.of_a_new_job(&server),
    );
    for path in [&path, &other] {
        server
            .put(path, &SILENCE_REGIONS.body(&silence_regions(3)))
            .expect(200);
    }
    let new = SILENCE_REGIONS.body(&[a_silence(7.0, 8.0, SilenceType::Both)]);
    assert_eq!(starts(&server.put(&path, &new).expect(200).json()), [7.0]);
    assert_eq!(starts(&server.get(&path).expect(200).json()), [7.0]);
    server
        .put(&path, &SILENCE_REGIONS.body::<NewSilenceRegion>(&[]))
        .expect(200);
    assert_eq!(starts(&server.get(&path).expect(200).json()), [0.0; 0]);
    assert_eq!(
        starts(&server.get(&other).expect(200).json()),
        [0.0, 60.0, 120.0]
    );
}

fn a_set_with_an_invalid_region_stores_nothing(server: TestServer) {
    let path = SILENCE_REGIONS.of_a_new_job(&server);
    let stored = server
        .put(&path, &SILENCE_REGIONS.body(&silence_regions(3)))
        .expect(200)
        .json();
    let mut sent = SILENCE_REGIONS.body(&silence_regions(50));
    sent["regions"][49]["silence_type"] = json!("quiet");
    server
        .put(&path, &sent)
        .problem_with(422, "validation_failed", "regions[49].silence_type");
    assert_eq!(server.get(&path).expect(200).json(), stored);
}

fn filters_apply_alone_and_combined(server: TestServer) {
    use SilenceType::{AudioSilence, BlankScreen, Both};
    let path = SILENCE_REGIONS.of_a_new_job(&server);
    let sent = SILENCE_REGIONS.body(&[
        a_silence(0.0, 10.0, AudioSilence),
        a_silence(5.0, 15.0, BlankScreen),
        a_silence(12.0, 14.5, AudioSilence),
        a_silence(19.0, 29.0, Both),
        a_silence(20.0, 20.5, AudioSilence),
    ]);
    server.put(&path, &sent).expect(200);
    for (query, found) in [
        ("silence_type=audio_silence", &[0.0, 12.0, 20.0][..]),
        ("silence_type=both", &[19.0]),
        ("min_duration=2.5", &[0.0, 5.0, 12.0, 19.0]),
        ("min_duration=2.51", &[0.0, 5.0, 19.0]),
        ("from=10&to=20", &[5.0, 12.0, 19.0]),
        ("from=14.5", &[5.0, 19.0, 20.0]),
        ("to=5", &[0.0]),
        ("from=10&to=20&min_duration=5", &[5.0, 19.0]),
        (
            "from=10&to=20&min_duration=2&silence_type=audio_silence",
            &[12.0],
        ),
        ("silence_type=both&to=19", &[]),
    ] {
        assert_eq!(
            starts(&server.get(&format!("{path}?{query}")).expect(200).json()),
            found,
            "{query}"
        );
    }
}

fn regions_are_listed_by_time(server: TestServer) {
    let path = SILENCE_REGIONS.of_a_new_job(&server);
    let sent = [9.0, 1.0, 3.0].map(|start| a_silence(start, 10.0, SilenceType::Both));
    assert_eq!(
        starts(
            &server
                .put(&path, &SILENCE_REGIONS.body(&sent))
                .expect(200)
                .json()
        ),
        [1.0, 3.0, 9.0]
    );
}

fn a_job_without_silence_regions_has_an_empty_list(server: TestServer) {
    SILENCE_REGIONS.assert_empty_without_rows(&server);
}

fn silence_regions_of_an_unknown_job_are_not_found(server: TestServer) {
    let path = format!("{JOBS}/{UNKNOWN_ID}/silence-regions");
    server.get(&path).problem(404, "job_not_found");
    server
        .get(&format!("{path}?min_duration=1"))
        .problem(404, "job_not_found");
    server
        .put(&path, &SILENCE_REGIONS.body(&silence_regions(2)))
        .problem(404, "job_not_found");
}

fn concurrent_puts_leave_one_set(server: TestServer) {
    SILENCE_REGIONS.assert_concurrent_puts_leave_one_set(&server, |n| {
        SILENCE_REGIONS.body(&silence_regions(n))
    });
}
