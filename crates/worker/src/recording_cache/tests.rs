//! A cache of recordings in a scratch space.

use std::sync::mpsc;
use std::thread;

use lectern_domain::SystemClock;

use super::*;

fn new_key() -> RecordingKey {
    let job_id = JobId::new(&SystemClock);
    (job_id, ObjectKey::of_job(job_id, "talk.mp4").unwrap())
}

fn scratch() -> (tempfile::TempDir, Scratch) {
    let root = tempfile::tempdir().unwrap();
    let scratch = Scratch::new(root.path(), 1000).unwrap();
    (root, scratch)
}

/// A copy with a real file.
fn copy(scratch: &Scratch) -> Result<Recording, Failure> {
    let dir = scratch.dir("recording")?;
    let file = dir.path().join("recording.mp4");
    std::fs::write(&file, "moov")?;
    Ok(Recording::new(file, Some(dir)))
}

fn must_not_fetch() -> Result<Recording, Failure> {
    panic!("the recording was fetched again")
}

#[test]
fn a_recording_is_fetched_once_and_kept_until_another_is_fetched() {
    let (_root, scratch) = scratch();
    let (cache, token) = (RecordingCache::default(), CancellationToken::new());
    let fetch = |key: &RecordingKey| {
        let recording = cache.get_or_fetch(key.clone(), &token, || copy(&scratch));
        recording.unwrap()
    };
    let cached = |key: &RecordingKey| {
        let recording = cache.get_or_fetch(key.clone(), &token, must_not_fetch);
        recording.unwrap()
    };
    let (one, two) = (new_key(), new_key());
    let first = fetch(&one);
    assert!(Arc::ptr_eq(&first, &cached(&one)));
    let file = first.file().to_owned();
    fetch(&two);
    assert!(file.exists(), "a recording in use was removed");
    drop(first);
    cached(&one);
    cached(&two);
    fetch(&new_key());
    assert!(!file.exists(), "an unused recording was kept");
}

#[test]
fn an_unused_recording_of_an_inactive_job_is_removed() {
    let (_root, scratch) = scratch();
    let (cache, token) = (RecordingCache::default(), CancellationToken::new());
    let keys = [new_key(), new_key(), new_key()];
    let [used, active, unused] = keys.each_ref().map(|key| {
        let recording = cache.get_or_fetch(key.clone(), &token, || copy(&scratch));
        recording.unwrap()
    });
    let files = [&used, &active, &unused].map(|recording| recording.file().to_owned());
    drop((active, unused));
    cache.remove_unused(&[&keys[1].0]);
    assert_eq!(files.map(|file| file.exists()), [true, true, false]);
}

#[test]
fn a_forgotten_recording_is_fetched_again_and_its_users_keep_it() {
    let (_root, scratch) = scratch();
    let (cache, token, key) = (
        RecordingCache::default(),
        CancellationToken::new(),
        new_key(),
    );
    let fetch = || cache.get_or_fetch(key.clone(), &token, || copy(&scratch));
    let first = fetch().unwrap();
    cache.forget(key.0, true);
    let second = fetch().unwrap();
    assert!(first.file().exists() && first.file() != second.file());
    let again = cache.get_or_fetch(key.clone(), &token, must_not_fetch);
    assert!(Arc::ptr_eq(&second, &again.unwrap()));
}

#[test]
fn forgetting_without_copies_keeps_copies() {
    let (root, scratch) = scratch();
    let (cache, token, key) = (
        RecordingCache::default(),
        CancellationToken::new(),
        new_key(),
    );
    let storage_file = || Ok(Recording::new(root.path().join("talk.mp4"), None));
    let first = cache
        .get_or_fetch(key.clone(), &token, storage_file)
        .unwrap();
    cache.forget(key.0, false);
    let second = cache.get_or_fetch(key.clone(), &token, || copy(&scratch));
    assert!(!Arc::ptr_eq(&first, &second.unwrap()));
    cache.forget(key.0, false);
    cache.get_or_fetch(key, &token, must_not_fetch).unwrap();
}

#[test]
fn a_recording_forgotten_while_it_is_fetched_is_not_shared() {
    let (_root, scratch) = scratch();
    let (cache, token, key) = (
        RecordingCache::default(),
        CancellationToken::new(),
        new_key(),
    );
    let (started, has_started) = mpsc::channel();
    let (finish, may_finish) = mpsc::channel();
    let (cache, token, scratch) = (&cache, &token, &scratch);
    thread::scope(|scope| {
        let first_key = key.clone();
        let first = scope.spawn(move || {
            cache.get_or_fetch(first_key, token, || {
                started.send(()).unwrap();
                may_finish.recv().unwrap();
                copy(scratch)
            })
        });
        has_started.recv().unwrap();
        cache.forget(key.0, true);
        let second = cache.get_or_fetch(key.clone(), token, || {
            finish.send(()).unwrap();
            first.join().unwrap().unwrap();
            copy(scratch)
        });
        let again = cache.get_or_fetch(key.clone(), token, must_not_fetch);
        assert!(Arc::ptr_eq(&second.unwrap(), &again.unwrap()));
    });
}

#[test]
fn callers_wait_for_a_running_fetch_or_are_cancelled() {
    let (_root, scratch) = scratch();
    let (cache, key) = (RecordingCache::default(), new_key());
    let (started, has_started) = mpsc::channel();
    let (finish, may_finish) = mpsc::channel();
    let (token, cancelled) = (CancellationToken::new(), CancellationToken::new());
    thread::scope(|scope| {
        let first = scope.spawn(|| {
            cache.get_or_fetch(key.clone(), &token, move || {
                started.send(()).unwrap();
                may_finish.recv().unwrap();
                copy(&scratch)
            })
        });
        has_started.recv().unwrap();
        let waiting = scope.spawn(|| cache.get_or_fetch(key.clone(), &token, must_not_fetch));
        let stopped = scope.spawn(|| cache.get_or_fetch(key.clone(), &cancelled, must_not_fetch));
        cancelled.cancel();
        assert!(matches!(stopped.join().unwrap(), Err(Failure::Cancelled)));
        finish.send(()).unwrap();
        let (first, waiting) = (first.join().unwrap(), waiting.join().unwrap());
        assert!(Arc::ptr_eq(&first.unwrap(), &waiting.unwrap()));
    });
}

#[test]
fn after_a_failed_fetch_the_next_caller_fetches() {
    let (_root, scratch) = scratch();
    let (cache, key, token) = (
        RecordingCache::default(),
        new_key(),
        CancellationToken::new(),
    );
    let failed = cache.get_or_fetch(key.clone(), &token, || Err(Failure::permanent("gone")));
    assert!(matches!(failed, Err(Failure::Permanent { .. })));
    cache.get_or_fetch(key, &token, || copy(&scratch)).unwrap();
}
