//! Recordings that are files in a scratch space.

use std::sync::mpsc;
use std::thread;

use lectern_domain::SystemClock;

use super::*;

fn name() -> Name {
    let job_id = JobId::new(&SystemClock);
    (job_id, ObjectKey::of_job(job_id, "talk.mp4").unwrap())
}

fn scratch() -> (tempfile::TempDir, Scratch) {
    let root = tempfile::tempdir().unwrap();
    let scratch = Scratch::new(root.path(), 1000).unwrap();
    (root, scratch)
}

/// A file that is there.
fn copy(scratch: &Scratch) -> Result<Recording, Failure> {
    let dir = scratch.dir("recording")?;
    let file = dir.path().join("recording.mp4");
    std::fs::write(&file, "moov")?;
    Ok(Recording::new(file, Some(dir)))
}

fn must_not() -> Result<Recording, Failure> {
    panic!("it was fetched again")
}

#[test]
fn a_recording_is_fetched_once_and_stays_until_another_is() {
    let (_root, scratch) = scratch();
    let (recordings, go_on) = (Recordings::default(), CancellationToken::new());
    let (one, two) = (name(), name());
    let first = recordings
        .share(one.clone(), &go_on, || copy(&scratch))
        .unwrap();
    let again = recordings.share(one.clone(), &go_on, must_not).unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    let file = first.file().to_owned();
    drop(again);
    recordings
        .share(two.clone(), &go_on, || copy(&scratch))
        .unwrap();
    assert!(file.exists(), "it was used when another was fetched");
    drop(first);
    recordings.share(one.clone(), &go_on, must_not).unwrap();
    recordings.share(two, &go_on, must_not).unwrap();
    recordings.share(name(), &go_on, || copy(&scratch)).unwrap();
    assert!(!file.exists(), "nobody used it when another was fetched");
}

#[test]
fn what_nobody_uses_goes_when_nobody_works_on_its_job() {
    let (_root, scratch) = scratch();
    let (recordings, go_on) = (Recordings::default(), CancellationToken::new());
    let (one, two, three) = (name(), name(), name());
    let share = |name: &Name| recordings.share(name.clone(), &go_on, || copy(&scratch));
    let [used, at_work, unused] = [&one, &two, &three].map(|name| share(name).unwrap());
    let files = [&used, &at_work, &unused].map(|recording| recording.file().to_owned());
    drop((at_work, unused));
    recordings.tidy(&[&two.0]);
    assert_eq!(files.map(|file| file.exists()), [true, true, false]);
}

#[test]
fn what_was_forgotten_is_fetched_anew_and_stays_with_who_has_it() {
    let (_root, scratch) = scratch();
    let (recordings, go_on, name) = (Recordings::default(), CancellationToken::new(), name());
    let share = || recordings.share(name.clone(), &go_on, || copy(&scratch));
    let first = share().unwrap();
    recordings.forget(name.0, true);
    let second = share().unwrap();
    assert!(first.file().exists() && first.file() != second.file());
    let again = recordings.share(name.clone(), &go_on, must_not).unwrap();
    assert!(Arc::ptr_eq(&second, &again));
}

#[test]
fn copies_are_kept_when_only_what_cost_nothing_is_forgotten() {
    let (root, scratch) = scratch();
    let (recordings, go_on, name) = (Recordings::default(), CancellationToken::new(), name());
    let of_storage = || Ok(Recording::new(root.path().join("talk.mp4"), None));
    let first = recordings.share(name.clone(), &go_on, of_storage).unwrap();
    recordings.forget(name.0, false);
    let second = recordings.share(name.clone(), &go_on, || copy(&scratch));
    assert!(!Arc::ptr_eq(&first, &second.unwrap()));
    recordings.forget(name.0, false);
    recordings.share(name, &go_on, must_not).unwrap();
}

#[test]
fn what_was_forgotten_while_it_was_fetched_is_not_for_others() {
    let (_root, scratch) = scratch();
    let (recordings, go_on, name) = (Recordings::default(), CancellationToken::new(), name());
    let (begun, begins) = mpsc::channel();
    let (finish, finished) = mpsc::channel();
    let (recordings, go_on, scratch) = (&recordings, &go_on, &scratch);
    thread::scope(|scope| {
        let of = name.clone();
        let first = scope.spawn(move || {
            recordings.share(of, go_on, || {
                begun.send(()).unwrap();
                finished.recv().unwrap();
                copy(scratch)
            })
        });
        begins.recv().unwrap();
        recordings.forget(name.0, true);
        let second = recordings.share(name.clone(), go_on, || {
            finish.send(()).unwrap();
            first.join().unwrap().unwrap();
            copy(scratch)
        });
        let again = recordings.share(name.clone(), go_on, must_not).unwrap();
        assert!(Arc::ptr_eq(&second.unwrap(), &again));
    });
}

#[test]
fn who_wants_it_meanwhile_waits_for_it_or_is_told_to_stop() {
    let (_root, scratch) = scratch();
    let (recordings, name) = (Recordings::default(), name());
    let (begun, begins) = mpsc::channel();
    let (finish, finished) = mpsc::channel();
    let cancel = CancellationToken::new();
    thread::scope(|scope| {
        let first = scope.spawn(|| {
            recordings.share(name.clone(), &CancellationToken::new(), move || {
                begun.send(()).unwrap();
                finished.recv().unwrap();
                copy(&scratch)
            })
        });
        begins.recv().unwrap();
        let waits =
            scope.spawn(|| recordings.share(name.clone(), &CancellationToken::new(), must_not));
        let stops = scope.spawn(|| recordings.share(name.clone(), &cancel, must_not));
        cancel.cancel();
        assert!(matches!(stops.join().unwrap(), Err(Failure::Cancelled)));
        finish.send(()).unwrap();
        let (first, waits) = (first.join().unwrap(), waits.join().unwrap());
        assert!(Arc::ptr_eq(&first.unwrap(), &waits.unwrap()));
    });
}

#[test]
fn when_one_cannot_fetch_it_the_next_tries() {
    let (_root, scratch) = scratch();
    let (recordings, name, go_on) = (Recordings::default(), name(), CancellationToken::new());
    let refused = recordings.share(name.clone(), &go_on, || Err(Failure::permanent("gone")));
    assert!(matches!(refused, Err(Failure::Permanent { .. })));
    recordings.share(name, &go_on, || copy(&scratch)).unwrap();
}
