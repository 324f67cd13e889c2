//! Symlinks, pipes and conflicts of files and directories on local disk.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use lectern_storage::{ByteRange, Error, ObjectKey, ObjectPrefix, Secret, Storage, StorageConfig};

use crate::test_storage::{TestStorage, key, stream_of};

/// Asserts that every operation on a key is refused.
async fn assert_refused(test: &TestStorage, key: &ObjectKey) {
    let storage = &test.storage;
    let results = [
        storage.put(key, 1, stream_of(["x".into()])).await,
        storage.get(key, None).await.map(drop),
        storage.get(key, Some(ByteRange::From(0))).await.map(drop),
        storage.head(key).await.map(drop),
        storage.delete(key).await,
    ];
    for (i, result) in results.into_iter().enumerate() {
        assert!(
            matches!(result, Err(Error::NotAllowed { .. })),
            "{i} {key}: {result:?}"
        );
    }
}

#[tokio::test]
async fn symlinks_are_refused_whatever_their_target() {
    let test = TestStorage::on_disk();
    let (root, outside) = (test.dir().join("objects"), test.dir().join("outside"));
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), b"outside").unwrap();
    test.put(&key("jobs/1/a"), &[b"mine"]).await;

    symlink(&outside, root.join("jobs/out")).unwrap();
    symlink(outside.join("secret"), root.join("jobs/1/file")).unwrap();
    symlink(root.join("jobs/1"), root.join("jobs/inside")).unwrap();
    symlink("a", root.join("jobs/1/beside")).unwrap();
    symlink(root.join("nowhere"), root.join("jobs/dangling")).unwrap();
    symlink("..", root.join("jobs/1/up")).unwrap();
    symlink(&outside, root.join("all")).unwrap();

    for name in [
        "jobs/out",
        "jobs/out/secret",
        "jobs/out/new",
        "jobs/out/deep/new",
        "jobs/1/file",
        "jobs/inside/a",
        "jobs/inside/new",
        "jobs/1/beside",
        "jobs/dangling",
        "jobs/dangling/new",
        "jobs/1/up/1/a",
        "all/secret",
    ] {
        assert_refused(&test, &key(name)).await;
    }
    for name in ["all", "jobs/out", "jobs/inside", "jobs/1/up"] {
        let prefix = ObjectPrefix::new(name).unwrap();
        let result = test.storage.delete_prefix(&prefix).await;
        assert!(
            matches!(result, Err(Error::NotAllowed { .. })),
            "{name}: {result:?}"
        );
    }

    // Lists do not follow symlinks, so nothing behind one is deleted.
    assert_eq!(test.names().await, ["jobs/1/a"]);
    let deleted = test
        .storage
        .delete_prefix(&ObjectPrefix::everything())
        .await;
    assert_eq!(deleted.unwrap(), 1);
    let removed = test
        .storage
        .remove_unfinished_files(chrono::DateTime::<chrono::Utc>::MAX_UTC)
        .await;
    assert_eq!(removed.unwrap(), 0);
    assert_eq!(fs::read(outside.join("secret")).unwrap(), b"outside");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
}

#[tokio::test]
async fn unfinished_files_behind_a_symlink_are_kept() {
    let test = TestStorage::on_disk();
    let outside = test.dir().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("chapter#1"), b"outside").unwrap();
    symlink(&outside, test.dir().join("objects/out")).unwrap();
    let removed = test
        .storage
        .remove_unfinished_files(chrono::DateTime::<chrono::Utc>::MAX_UTC)
        .await;
    assert_eq!(removed.unwrap(), 0);
    assert!(outside.join("chapter#1").exists());
}

#[tokio::test]
async fn the_root_itself_may_be_a_symlink() {
    let test = TestStorage::on_disk();
    test.put(&key("a/b"), &[b"x"]).await;
    let link = test.dir().join("link");
    symlink(test.dir().join("objects"), &link).unwrap();
    let config = StorageConfig::Local { dir: link };
    let storage = Storage::open(&config, Secret::random().unwrap()).unwrap();
    assert_eq!(
        storage
            .head(&key("a/b"))
            .await
            .unwrap()
            .map(|info| info.size),
        Some(1)
    );
    storage
        .put(&key("a/c"), 1, stream_of(["y".into()]))
        .await
        .unwrap();
    assert_eq!(test.names().await, ["a/b", "a/c"]);
}

#[tokio::test]
async fn a_pipe_is_refused_without_blocking() {
    let test = TestStorage::on_disk();
    let pipe = test.dir().join("objects/pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    assert_refused(&test, &key("pipe")).await;
    assert_eq!(test.names().await, [""; 0]);
}

#[tokio::test]
async fn an_object_above_or_below_another_is_refused_and_leaves_nothing() {
    let test = TestStorage::on_disk();
    test.put(&key("a/b"), &[b"x"]).await;
    for name in ["a", "a/b/c", "a/b/c/d"] {
        let result = test
            .storage
            .put(&key(name), 1, stream_of(["y".into()]))
            .await;
        assert!(
            matches!(result, Err(Error::NotAllowed { .. })),
            "{name}: {result:?}"
        );
    }
    assert_eq!(test.names().await, ["a/b"]);
    assert_eq!(test.unfinished_uploads().await, 0);
}

#[tokio::test]
async fn directories_and_paths_below_files_are_not_objects() {
    let test = TestStorage::on_disk();
    test.put(&key("a/b"), &[b"x"]).await;
    for name in ["a", "a/b/c"] {
        assert_eq!(test.storage.head(&key(name)).await.unwrap(), None);
        let got = test.storage.get(&key(name), None).await;
        assert!(matches!(got, Err(Error::NotFound(_))), "{name}: {got:?}");
        test.storage.delete(&key(name)).await.unwrap();
    }
    assert_eq!(test.names().await, ["a/b"]);
}

#[tokio::test]
async fn files_without_a_valid_key_are_kept() {
    let test = TestStorage::on_disk();
    let root = test.dir().join("objects");
    for name in ["100%.mp4", "a\\b", "a\nb", "draft#7"] {
        fs::write(root.join(name), b"x").unwrap();
    }
    test.put(&key("a"), &[b"x"]).await;
    assert_eq!(test.names().await, ["a"]);
    let deleted = test
        .storage
        .delete_prefix(&ObjectPrefix::everything())
        .await;
    assert_eq!(deleted.unwrap(), 1);
    assert_eq!(fs::read_dir(root).unwrap().count(), 4);
}
