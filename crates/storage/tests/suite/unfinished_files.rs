//! Unfinished files, which a crash leaves on local disk, and their removal.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use chrono::TimeDelta;
use lectern_domain::{Clock as _, SystemClock};
use lectern_storage::{Error, ObjectPrefix};

use crate::test_storage::{TestStorage, key, pattern, stalled, stream_of, wait_until};

const MIB: usize = 1024 * 1024;

impl TestStorage {
    fn path(&self, name: &str) -> PathBuf {
        self.dir().join("objects").join(name)
    }

    /// Begins a write and leaks it, so that nothing is cleaned up, as if the process had been
    /// killed.
    async fn crash_during_write(&self, name: &str) {
        let (storage, target) = (self.storage.clone(), key(name));
        let before = self.unfinished_uploads().await;
        let mut upload = Box::pin(async move {
            let data = stalled(vec![Bytes::from(pattern(3 * MIB))]);
            storage.put(&target, 10 * MIB as u64, data).await
        });
        wait_until!({
            assert!(futures_util::poll!(&mut upload).is_pending());
            self.unfinished_uploads().await > before
        });
        std::mem::forget(upload);
    }
}

fn set_age(path: &PathBuf, age: Duration) {
    let file = File::options()
        .write(true)
        .open(path)
        .or_else(|_| File::open(path));
    file.unwrap().set_modified(SystemTime::now() - age).unwrap();
}

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn an_unfinished_file_is_not_an_object() {
    let test = TestStorage::on_disk();
    test.put(&key("jobs/1/whole.mp4"), &[b"whole"]).await;
    test.crash_during_write("jobs/1/half.mp4").await;
    test.crash_during_write("jobs/1/whole.mp4").await;

    assert_eq!(test.names().await, ["jobs/1/whole.mp4"]);
    assert_eq!(
        test.storage.head(&key("jobs/1/half.mp4")).await.unwrap(),
        None
    );
    assert_eq!(test.read(&key("jobs/1/whole.mp4")).await, b"whole");
    let deleted = test.storage.delete_prefix(&ObjectPrefix::jobs()).await;
    assert_eq!(deleted.unwrap(), 1);
}

#[tokio::test]
async fn unfinished_files_do_not_prevent_a_write() {
    let test = TestStorage::on_disk();
    for _ in 0..3 {
        test.crash_during_write("a").await;
    }
    assert_eq!(test.unfinished_uploads().await, 3);
    let content = pattern(3 * MIB);
    test.put(&key("a"), &[&content]).await;
    assert!(test.read(&key("a")).await == content);
}

#[tokio::test]
async fn only_stale_files_and_directories_are_removed() {
    let test = TestStorage::on_disk();
    test.put(&key("jobs/1/whole.mp4"), &[b"whole"]).await;
    test.crash_during_write("jobs/1/half.mp4").await;
    test.crash_during_write("jobs/2/half.mp4").await;
    test.crash_during_write("jobs/3/being-written.mp4").await;
    for name in [
        "jobs/1/whole.mp4",
        "jobs/1/half.mp4#1",
        "jobs/2/half.mp4#1",
        "jobs/2",
    ] {
        set_age(&test.path(name), 2 * DAY);
    }
    fs::create_dir_all(test.path("jobs/4/original")).unwrap();

    let yesterday = SystemClock.now() - TimeDelta::days(1);
    assert_eq!(
        test.storage
            .remove_unfinished_files(yesterday)
            .await
            .unwrap(),
        2
    );
    assert!(!test.path("jobs/1/half.mp4#1").exists());
    assert!(!test.path("jobs/2/half.mp4#1").exists());
    assert!(test.path("jobs/3/being-written.mp4#1").exists());
    assert!(
        test.path("jobs/4/original").exists(),
        "a write there may be about to begin"
    );
    assert_eq!(test.names().await, ["jobs/1/whole.mp4"]);
    assert_eq!(
        test.storage
            .remove_unfinished_files(yesterday)
            .await
            .unwrap(),
        0
    );

    // With a later time the other file is stale, too, and the empty directories.
    let later = SystemClock.now() + TimeDelta::days(1);
    assert_eq!(
        test.storage.remove_unfinished_files(later).await.unwrap(),
        1
    );
    let mut left: Vec<_> = fs::read_dir(test.path("jobs")).unwrap().collect();
    assert_eq!(left.pop().unwrap().unwrap().file_name(), "1");
    assert!(left.is_empty());
    assert!(test.path("").exists());
}

#[tokio::test]
async fn a_write_whose_file_was_removed_fails_and_keeps_the_previous_object() {
    let test = TestStorage::on_disk();
    test.put(&key("a"), &[b"previous"]).await;
    let (resume, resumed) = tokio::sync::oneshot::channel();
    let last = futures_util::stream::once(async move {
        resumed.await.unwrap();
        Ok::<_, Error>(Bytes::from(pattern(MIB)))
    });
    let first = stream_of([Bytes::from(pattern(3 * MIB))]);
    let pieces = futures_util::StreamExt::chain(first, last);
    let (storage, target) = (test.storage.clone(), key("a"));
    let upload = tokio::spawn(async move { storage.put(&target, 4 * MIB as u64, pieces).await });
    wait_until!(test.unfinished_uploads().await == 1);
    let later = SystemClock.now() + TimeDelta::days(1);
    assert_eq!(
        test.storage.remove_unfinished_files(later).await.unwrap(),
        1
    );
    resume.send(()).unwrap();
    let failed = upload.await.unwrap();
    assert!(matches!(failed, Err(Error::Other { .. })), "{failed:?}");
    assert_eq!(test.read(&key("a")).await, b"previous");
}

#[tokio::test]
async fn a_directory_is_removed_with_its_last_object_and_created_again() {
    let test = TestStorage::on_disk();
    test.put(&key("jobs/1/original/a"), &[b"x"]).await;
    test.storage
        .delete(&key("jobs/1/original/a"))
        .await
        .unwrap();
    assert!(!test.path("jobs").exists());
    assert!(test.path("").exists());
    test.put(&key("jobs/1/original/a"), &[b"x"]).await;
    assert_eq!(test.names().await, ["jobs/1/original/a"]);
}

#[tokio::test]
async fn an_object_being_read_keeps_its_content() {
    let test = TestStorage::on_disk();
    let content = pattern(2 * MIB);
    test.put(&key("a"), &[&content]).await;
    let object = test.storage.get(&key("a"), None).await.unwrap();
    test.put(&key("a"), &[b"another"]).await;
    test.storage.delete(&key("a")).await.unwrap();
    assert!(crate::test_storage::bytes(object).await == content);
}

#[tokio::test]
async fn a_list_of_many_objects_is_complete() {
    let test = TestStorage::on_disk();
    for i in 0..1200 {
        let dir = test.path(&format!("jobs/{}", i % 50));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(format!("{i}.mp4")), b"x").unwrap();
    }
    assert_eq!(test.names().await.len(), 1200);
    let deleted = test.storage.delete_prefix(&ObjectPrefix::jobs()).await;
    assert_eq!(deleted.unwrap(), 1200);
    assert_eq!(test.names().await, [""; 0]);
}
