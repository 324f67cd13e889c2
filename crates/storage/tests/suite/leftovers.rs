//! What a crash leaves on local disk, and who clears it away.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use chrono::TimeDelta;
use lectern_domain::{Clock as _, SystemClock};
use lectern_storage::{Error, ObjectPrefix};

use crate::place::{Place, good, key, pattern, stalled, until};

const MIB: usize = 1024 * 1024;

impl Place {
    fn path(&self, name: &str) -> PathBuf {
        self.dir().join("objects").join(name)
    }

    /// Begins an upload and stops in the middle of it for good, as a process
    /// does that is killed: nothing is cleaned up.
    async fn crash_while_writing(&self, name: &str) {
        let (storage, target) = (self.storage.clone(), key(name));
        let before = self.unfinished().await;
        let mut upload = Box::pin(async move {
            let some = stalled(vec![Bytes::from(pattern(3 * MIB))]);
            storage.put(&target, 10 * MIB as u64, some).await
        });
        until!({
            assert!(futures_util::poll!(&mut upload).is_pending());
            self.unfinished().await > before
        });
        std::mem::forget(upload);
    }
}

fn age(path: &PathBuf, by: Duration) {
    let file = File::options()
        .write(true)
        .open(path)
        .or_else(|_| File::open(path));
    file.unwrap().set_modified(SystemTime::now() - by).unwrap();
}

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn what_a_crash_left_is_no_object() {
    let place = Place::on_disk();
    place.put(&key("jobs/1/whole.mp4"), &[b"whole"]).await;
    place.crash_while_writing("jobs/1/half.mp4").await;
    place.crash_while_writing("jobs/1/whole.mp4").await;

    assert_eq!(place.names().await, ["jobs/1/whole.mp4"]);
    assert_eq!(
        place.storage.head(&key("jobs/1/half.mp4")).await.unwrap(),
        None
    );
    assert_eq!(place.read(&key("jobs/1/whole.mp4")).await, b"whole");
    let deleted = place.storage.delete_prefix(&ObjectPrefix::jobs()).await;
    assert_eq!(deleted.unwrap(), 1);
}

#[tokio::test]
async fn what_a_crash_left_is_in_nobodys_way() {
    let place = Place::on_disk();
    for _ in 0..3 {
        place.crash_while_writing("a").await;
    }
    assert_eq!(place.unfinished().await, 3);
    let whole = pattern(3 * MIB);
    place.put(&key("a"), &[&whole]).await;
    assert!(place.read(&key("a")).await == whole);
}

#[tokio::test]
async fn only_what_nobody_writes_any_more_is_removed() {
    let place = Place::on_disk();
    place.put(&key("jobs/1/whole.mp4"), &[b"whole"]).await;
    place.crash_while_writing("jobs/1/half.mp4").await;
    place.crash_while_writing("jobs/2/half.mp4").await;
    place.crash_while_writing("jobs/3/being-written.mp4").await;
    for name in [
        "jobs/1/whole.mp4",
        "jobs/1/half.mp4#1",
        "jobs/2/half.mp4#1",
        "jobs/2",
    ] {
        age(&place.path(name), 2 * DAY);
    }
    fs::create_dir_all(place.path("jobs/4/original")).unwrap();

    let yesterday = SystemClock.now() - TimeDelta::days(1);
    assert_eq!(
        place.storage.remove_stale_parts(yesterday).await.unwrap(),
        2
    );
    assert!(!place.path("jobs/1/half.mp4#1").exists());
    assert!(!place.path("jobs/2/half.mp4#1").exists());
    assert!(place.path("jobs/3/being-written.mp4#1").exists());
    assert!(
        place.path("jobs/4/original").exists(),
        "somebody may be about to write there"
    );
    assert_eq!(place.names().await, ["jobs/1/whole.mp4"]);
    assert_eq!(
        place.storage.remove_stale_parts(yesterday).await.unwrap(),
        0
    );

    // Later, what is left is stale, too; empty directories go, others stay.
    let later = SystemClock.now() + TimeDelta::days(1);
    assert_eq!(place.storage.remove_stale_parts(later).await.unwrap(), 1);
    let mut left: Vec<_> = fs::read_dir(place.path("jobs")).unwrap().collect();
    assert_eq!(left.pop().unwrap().unwrap().file_name(), "1");
    assert!(left.is_empty());
    assert!(place.path("").exists());
}

#[tokio::test]
async fn an_upload_whose_part_was_removed_fails_and_the_object_stays_as_it_was() {
    let place = Place::on_disk();
    place.put(&key("a"), &[b"what was there"]).await;
    let (sender, receiver) = futures_util::future::AbortHandle::new_pair();
    let last = futures_util::stream::once(async move {
        // Nothing comes before the handle is used.
        let _ = futures_util::future::Abortable::new(std::future::pending::<()>(), receiver).await;
        Ok::<_, Error>(Bytes::from(pattern(MIB)))
    });
    let first = good([Bytes::from(pattern(3 * MIB))]);
    let pieces = futures_util::StreamExt::chain(first, last);
    let (storage, target) = (place.storage.clone(), key("a"));
    let upload = tokio::spawn(async move { storage.put(&target, 4 * MIB as u64, pieces).await });
    until!(place.unfinished().await == 1);
    let later = SystemClock.now() + TimeDelta::days(1);
    assert_eq!(place.storage.remove_stale_parts(later).await.unwrap(), 1);
    sender.abort();
    let failed = upload.await.unwrap();
    assert!(matches!(failed, Err(Error::Other { .. })), "{failed:?}");
    assert_eq!(place.read(&key("a")).await, b"what was there");
}

#[tokio::test]
async fn a_directory_goes_with_its_last_object_and_comes_back_with_the_next() {
    let place = Place::on_disk();
    place.put(&key("jobs/1/original/a"), &[b"x"]).await;
    place
        .storage
        .delete(&key("jobs/1/original/a"))
        .await
        .unwrap();
    assert!(!place.path("jobs").exists());
    assert!(place.path("").exists());
    place.put(&key("jobs/1/original/a"), &[b"x"]).await;
    assert_eq!(place.names().await, ["jobs/1/original/a"]);
}

#[tokio::test]
async fn an_object_that_is_being_read_stays_what_it_was() {
    let place = Place::on_disk();
    let whole = pattern(2 * MIB);
    place.put(&key("a"), &[&whole]).await;
    let object = place.storage.get(&key("a"), None).await.unwrap();
    place.put(&key("a"), &[b"another"]).await;
    place.storage.delete(&key("a")).await.unwrap();
    assert!(crate::place::bytes(object).await == whole);
}

#[tokio::test]
async fn a_long_list_comes_whole() {
    let place = Place::on_disk();
    for i in 0..1200 {
        let dir = place.path(&format!("jobs/{}", i % 50));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(format!("{i}.mp4")), b"x").unwrap();
    }
    assert_eq!(place.names().await.len(), 1200);
    let deleted = place.storage.delete_prefix(&ObjectPrefix::jobs()).await;
    assert_eq!(deleted.unwrap(), 1200);
    assert_eq!(place.names().await, [""; 0]);
}
