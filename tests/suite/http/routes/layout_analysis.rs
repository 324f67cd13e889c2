use chrono::TimeDelta;
use lectern_domain::LayoutType;
use lectern_tests::{Body, TestServer, a_job, a_layout, on_both_backends, snapshot};
use serde_json::{Value, json};

use crate::http::support::{JOBS, UNKNOWN_ID, concurrently, job_path};

on_both_backends!(
    a_layout_is_returned_as_sent,
    every_layout_type_can_be_stored,
    omitted_fields_are_null,
    putting_the_same_layout_again_keeps_it_and_its_id,
    a_new_layout_replaces_the_old_one,
    a_layout_with_an_invalid_region_keeps_the_old_one,
    a_job_without_a_layout_is_404,
    the_layout_of_an_unknown_job_is_not_found,
    concurrent_puts_leave_one_layout,
);

/// The path of the layout of a new job.
fn of_a_job(server: &TestServer) -> String {
    job_path(a_job().create(server.db()).job_id, "/layout-analysis")
}

/// A layout with the required fields only.
fn bare() -> Value {
    json!({ "layout_type": "unknown", "confidence_score": 0 })
}

/// A response without the fields added by the server.
pub(crate) fn as_sent(mut answer: Value) -> Value {
    let layout = answer.as_object_mut().unwrap();
    for added in ["job_id", "layout_id", "created_at"] {
        assert!(layout.remove(added).is_some(), "{added}");
    }
    answer
}

fn a_layout_is_returned_as_sent(server: TestServer) {
    let path = of_a_job(&server);
    let stored = server.put(&path, &a_layout().body()).expect(200).json();
    assert_eq!(server.get(&path).expect(200).json(), stored);
    snapshot!("layout_analysis", stored);
    assert_eq!(as_sent(stored), a_layout().body());
}

fn every_layout_type_can_be_stored(server: TestServer) {
    let path = of_a_job(&server);
    for layout_type in LayoutType::ALL {
        let sent = json!({ "layout_type": layout_type, "confidence_score": 1 });
        assert_eq!(
            server.put(&path, &sent).expect(200).json()["layout_type"],
            json!(layout_type)
        );
    }
}

fn omitted_fields_are_null(server: TestServer) {
    let path = of_a_job(&server);
    let stored = as_sent(server.put(&path, &bare()).expect(200).json());
    let expected = json!({
        "layout_type": "unknown", "screen_region": null, "camera_region": null, "split_ratio": null,
        "confidence_score": 0.0, "sample_frame_time": null, "stretches": [],
    });
    assert_eq!(stored, expected);
}

fn putting_the_same_layout_again_keeps_it_and_its_id(server: TestServer) {
    let path = of_a_job(&server);
    let stored = server.put(&path, &a_layout().body()).expect(200).json();
    server.db().clock().advance(TimeDelta::seconds(1));
    assert_eq!(
        server.put(&path, &a_layout().body()).expect(200).json(),
        stored
    );
}

fn a_new_layout_replaces_the_old_one(server: TestServer) {
    let (path, other) = (of_a_job(&server), of_a_job(&server));
    for path in [&path, &other] {
        server.put(path, &a_layout().body()).expect(200);
    }
    let stored = server.put(&path, &bare()).expect(200).json();
    assert_eq!(
        (&stored["layout_type"], &stored["screen_region"]),
        (&json!("unknown"), &Value::Null)
    );
    assert_eq!(server.get(&path).expect(200).json(), stored);
    assert_eq!(
        as_sent(server.get(&other).expect(200).json()),
        a_layout().body()
    );
    assert_eq!(server.db().sql().count("layout_analysis"), 2);
}

fn a_layout_with_an_invalid_region_keeps_the_old_one(server: TestServer) {
    let path = of_a_job(&server);
    let stored = server.put(&path, &a_layout().body()).expect(200).json();
    let mut invalid = a_layout().body();
    invalid["camera_region"]["width"] = json!(-1);
    server
        .put(&path, &invalid)
        .problem_with(422, "validation_failed", "camera_region.width");
    assert_eq!(server.get(&path).expect(200).json(), stored);
}

fn a_job_without_a_layout_is_404(server: TestServer) {
    server
        .get(&of_a_job(&server))
        .problem(404, "layout_analysis_not_found");
}

fn the_layout_of_an_unknown_job_is_not_found(server: TestServer) {
    let path = format!("{JOBS}/{UNKNOWN_ID}/layout-analysis");
    server.get(&path).problem(404, "job_not_found");
    server.put(&path, &bare()).problem(404, "job_not_found");
}

fn concurrent_puts_leave_one_layout(server: TestServer) {
    let path = of_a_job(&server);
    let answers = concurrently(8, |i| {
        let mut layout = a_layout().body();
        layout["sample_frame_time"] = json!(f64::from(u32::try_from(i).unwrap()));
        let stored = server.put(&path, &layout).expect(200).json();
        assert_eq!(
            as_sent(stored.clone()),
            layout,
            "each response is the layout of its request"
        );
        stored
    });
    assert!(answers.contains(&server.get(&path).expect(200).json()));
    assert_eq!(server.db().sql().count("layout_analysis"), 1);
}
