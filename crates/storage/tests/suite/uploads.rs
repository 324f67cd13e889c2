//! Uploads to local disk.

use std::fs;

use bytes::Bytes;
use lectern_storage::{Error, ObjectPrefix, Secret, Storage, StorageConfig};

use crate::test_storage::{TestStorage, key, pattern, stalled, stream_of, wait_until};

const MIB: usize = 1024 * 1024;

/// The same storage, opened as by another process: it shares only the directory.
fn open_again(test: &TestStorage) -> Storage {
    let dir = test.dir().join("objects");
    Storage::open(&StorageConfig::Local { dir }, Secret::random().unwrap()).unwrap()
}

fn in_progress<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::UploadInProgress(_)))
}

#[tokio::test]
async fn an_upload_excludes_others_of_the_same_object_until_it_ends() {
    let test = TestStorage::on_disk();
    let other_process = open_again(&test);
    let (target, other) = (key("jobs/1/original/a"), key("jobs/2/original/a"));
    let content = pattern(3 * MIB);
    for storage in [&test.storage, &other_process] {
        let upload = test.storage.begin_upload(&target).await.unwrap();
        assert!(in_progress(&storage.begin_upload(&target).await));
        drop(storage.begin_upload(&other).await.unwrap());
        let data = stream_of([Bytes::from(content.clone())]);
        let received = upload.receive(content.len() as u64, data).await.unwrap();
        assert!(in_progress(&storage.begin_upload(&target).await));
        received.publish().unwrap();
        drop(storage.begin_upload(&target).await.unwrap());
    }
    assert!(test.read(&target).await == content);
    assert_eq!(test.unfinished_uploads().await, 0);
}

#[tokio::test]
async fn an_upload_that_is_dropped_leaves_nothing_and_permits_the_next() {
    let test = TestStorage::on_disk();
    let target = key("jobs/1/original/a");
    let upload = test.storage.begin_upload(&target).await.unwrap();
    let data = stalled(vec![Bytes::from(pattern(3 * MIB))]);
    let mut receiving = Box::pin(upload.receive(10 * MIB as u64, data));
    wait_until!({
        assert!(futures_util::poll!(&mut receiving).is_pending());
        test.unfinished_uploads().await == 1
    });
    drop(receiving);
    wait_until!(!in_progress(&test.storage.begin_upload(&target).await));
    assert_eq!(test.unfinished_uploads().await, 0);
    assert_eq!(test.names().await, [""; 0]);
}

#[tokio::test]
async fn an_upload_of_another_size_leaves_nothing() {
    let test = TestStorage::on_disk();
    let target = key("a");
    for size in [0, 1, 2 * MIB, 3 * MIB - 1, 3 * MIB + 1] {
        let upload = test.storage.begin_upload(&target).await.unwrap();
        let data = stream_of([Bytes::from(pattern(3 * MIB))]);
        let failed = upload.receive(size as u64, data).await;
        assert!(
            matches!(failed, Err(Error::TooLarge { .. } | Error::TooShort { .. })),
            "{failed:?}"
        );
        assert_eq!(test.unfinished_uploads().await, 0);
    }
}

#[tokio::test]
async fn an_upload_removes_what_a_killed_process_left_of_the_same_object() {
    let test = TestStorage::on_disk();
    let dir = test.dir().join("objects/jobs/1/original");
    fs::create_dir_all(&dir).unwrap();
    for name in ["a#1", "a#7", "b#1", "ab#1", "a#b"] {
        fs::write(dir.join(name), b"half").unwrap();
    }
    drop(
        test.storage
            .begin_upload(&key("jobs/1/original/a"))
            .await
            .unwrap(),
    );
    let mut left: Vec<_> = fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["a#b", "ab#1", "b#1"]);
}

#[tokio::test]
async fn publish_new_keeps_an_existing_object() {
    let test = TestStorage::on_disk();
    let target = key("jobs/1/original/a");
    for (content, stored) in [(&b"one"[..], true), (b"two", false)] {
        let upload = test.storage.begin_upload(&target).await.unwrap();
        let data = stream_of([Bytes::from_static(content)]);
        let received = upload.receive(3, data).await.unwrap();
        assert_eq!(received.publish_new().unwrap(), stored);
        assert_eq!(test.read(&target).await, b"one");
    }
    wait_until!(test.unfinished_uploads().await == 0);
}

#[tokio::test]
async fn an_object_is_not_replaced_by_another_file_with_the_name_of_the_unfinished_one() {
    let test = TestStorage::on_disk();
    let target = key("a");
    test.put(&target, &[b"previous"]).await;
    let upload = test.storage.begin_upload(&target).await.unwrap();
    let data = stream_of([Bytes::from_static(b"new")]);
    let received = upload.receive(3, data).await.unwrap();
    let unfinished = test.dir().join("objects/a#1");
    fs::remove_file(&unfinished).unwrap();
    fs::write(&unfinished, b"half of another").unwrap();
    let failed = received.publish();
    assert!(matches!(failed, Err(Error::Other { .. })), "{failed:?}");
    assert_eq!(test.read(&target).await, b"previous");
}

#[tokio::test]
async fn an_upload_creates_its_directory_again_if_it_is_removed_meanwhile() {
    let test = TestStorage::on_disk();
    let target = key("jobs/1/original/a");
    let upload = test.storage.begin_upload(&target).await.unwrap();
    fs::remove_dir_all(test.dir().join("objects/jobs")).unwrap();
    let data = stream_of([Bytes::from_static(b"new")]);
    let received = upload.receive(3, data).await.unwrap();
    received.publish().unwrap();
    assert_eq!(test.read(&target).await, b"new");
    let deleted = test.storage.delete_prefix(&ObjectPrefix::jobs()).await;
    assert_eq!(deleted.unwrap(), 1);
    assert!(!test.dir().join("objects/jobs").exists());
}

#[tokio::test]
async fn the_space_on_the_disk_is_known_while_the_directory_exists() {
    let test = TestStorage::on_disk();
    let space = test.storage.disk_space().await.unwrap().unwrap();
    assert!(0 < space.available && space.available <= space.total);
    fs::remove_dir_all(test.dir().join("objects")).unwrap();
    assert_eq!(test.storage.disk_space().await.unwrap(), None);
}
