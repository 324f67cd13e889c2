use chrono::TimeDelta;
use lectern_domain::{LayoutType, NewLayoutAnalysis, Ratio};
use lectern_tests::{TestDb, a_job, a_layout, on_both_backends};

on_both_backends!(
    a_stored_layout_is_read_back_unchanged,
    a_job_without_a_layout_returns_none,
    a_second_layout_replaces_the_first,
    storing_the_same_layout_again_keeps_the_row,
    concurrent_puts_leave_one_layout,
);

/// A layout with the required fields only.
fn bare() -> NewLayoutAnalysis {
    NewLayoutAnalysis::new(LayoutType::Unknown, Ratio::new(0.0).unwrap())
}

fn a_stored_layout_is_read_back_unchanged(db: TestDb) {
    let (full, empty) = (a_job().create(&db).job_id, a_job().create(&db).job_id);
    for (job, new) in [(full, a_layout()), (empty, bare())] {
        let stored = db.write(|tx| tx.layout_analysis().put(job, &new)).unwrap();
        assert_eq!((stored.job_id, &stored.data), (job, &new));
        assert_eq!(stored.created_at, db.now());
        assert_eq!(
            db.read(|conn| conn.layout_analysis().find_for_job(job))
                .unwrap(),
            Some(stored)
        );
    }
}

fn a_job_without_a_layout_returns_none(db: TestDb) {
    let job = a_job().create(&db).job_id;
    assert_eq!(
        db.read(|conn| conn.layout_analysis().find_for_job(job))
            .unwrap(),
        None
    );
}

fn a_second_layout_replaces_the_first(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let put = |new: &_| db.write(|tx| tx.layout_analysis().put(job, new)).unwrap();
    put(&a_layout());
    db.clock().advance(TimeDelta::seconds(1));
    assert_eq!(put(&bare()).data, bare());
    assert_eq!(db.sql().count("layout_analysis"), 1);
}

fn storing_the_same_layout_again_keeps_the_row(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let put = || {
        db.write(|tx| tx.layout_analysis().put(job, &a_layout()))
            .unwrap()
    };
    let before = put();
    db.clock().advance(TimeDelta::seconds(1));
    assert_eq!(put(), before);
}

fn concurrent_puts_leave_one_layout(db: TestDb) {
    let job = a_job().create(&db).job_id;
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                db.write(|tx| tx.layout_analysis().put(job, &a_layout()))
                    .unwrap()
            });
        }
    });
    assert_eq!(db.sql().count("layout_analysis"), 1);
}
