//! Local disk: what is neither a file nor a directory, and what is in the way.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use lectern_storage::{ByteRange, Error, ObjectKey, ObjectPrefix, Secret, Storage, StorageConfig};

use crate::place::{Place, good, key};

/// Tries everything on a key, and expects to be told that it is not allowed.
async fn refused(place: &Place, key: &ObjectKey) {
    let storage = &place.storage;
    let told = [
        storage.put(key, 1, good(["x".into()])).await,
        storage.get(key, None).await.map(drop),
        storage.get(key, Some(ByteRange::From(0))).await.map(drop),
        storage.head(key).await.map(drop),
        storage.delete(key).await,
    ];
    for (i, told) in told.into_iter().enumerate() {
        assert!(
            matches!(told, Err(Error::NotAllowed { .. })),
            "{i} {key}: {told:?}"
        );
    }
}

#[tokio::test]
async fn a_symlink_is_refused_wherever_it_stands_and_wherever_it_leads() {
    let place = Place::on_disk();
    let (root, outside) = (place.dir().join("objects"), place.dir().join("outside"));
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), b"for nobody").unwrap();
    place.put(&key("jobs/1/a"), &[b"mine"]).await;

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
        refused(&place, &key(name)).await;
    }
    for name in ["all", "jobs/out", "jobs/inside", "jobs/1/up"] {
        let prefix = ObjectPrefix::new(name).unwrap();
        let told = place.storage.delete_prefix(&prefix).await;
        assert!(
            matches!(told, Err(Error::NotAllowed { .. })),
            "{name}: {told:?}"
        );
    }

    // A list does not follow them, and what is not listed is not deleted.
    assert_eq!(place.names().await, ["jobs/1/a"]);
    let deleted = place
        .storage
        .delete_prefix(&ObjectPrefix::everything())
        .await;
    assert_eq!(deleted.unwrap(), 1);
    let stale = place
        .storage
        .remove_stale_parts(chrono::DateTime::<chrono::Utc>::MAX_UTC)
        .await;
    assert_eq!(stale.unwrap(), 0);
    assert_eq!(fs::read(outside.join("secret")).unwrap(), b"for nobody");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
}

#[tokio::test]
async fn stale_parts_behind_a_symlink_are_not_ours() {
    let place = Place::on_disk();
    let outside = place.dir().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("chapter#1"), b"somebody else's").unwrap();
    symlink(&outside, place.dir().join("objects/out")).unwrap();
    let stale = place
        .storage
        .remove_stale_parts(chrono::DateTime::<chrono::Utc>::MAX_UTC)
        .await;
    assert_eq!(stale.unwrap(), 0);
    assert!(outside.join("chapter#1").exists());
}

#[tokio::test]
async fn the_root_itself_may_be_a_symlink() {
    let place = Place::on_disk();
    place.put(&key("a/b"), &[b"x"]).await;
    let link = place.dir().join("link");
    symlink(place.dir().join("objects"), &link).unwrap();
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
        .put(&key("a/c"), 1, good(["y".into()]))
        .await
        .unwrap();
    assert_eq!(place.names().await, ["a/b", "a/c"]);
}

#[tokio::test]
async fn a_pipe_is_refused_and_never_waited_for() {
    let place = Place::on_disk();
    let pipe = place.dir().join("objects/pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    refused(&place, &key("pipe")).await;
    assert_eq!(place.names().await, [""; 0]);
}

#[tokio::test]
async fn an_object_is_not_written_above_or_below_another_and_leaves_nothing() {
    let place = Place::on_disk();
    place.put(&key("a/b"), &[b"x"]).await;
    for name in ["a", "a/b/c", "a/b/c/d"] {
        let told = place.storage.put(&key(name), 1, good(["y".into()])).await;
        assert!(
            matches!(told, Err(Error::NotAllowed { .. })),
            "{name}: {told:?}"
        );
    }
    assert_eq!(place.names().await, ["a/b"]);
    assert_eq!(place.unfinished().await, 0);
}

#[tokio::test]
async fn neither_a_directory_nor_what_would_be_below_a_file_is_an_object() {
    let place = Place::on_disk();
    place.put(&key("a/b"), &[b"x"]).await;
    for name in ["a", "a/b/c"] {
        assert_eq!(place.storage.head(&key(name)).await.unwrap(), None);
        let got = place.storage.get(&key(name), None).await;
        assert!(matches!(got, Err(Error::NotFound(_))), "{name}: {got:?}");
        place.storage.delete(&key(name)).await.unwrap();
    }
    assert_eq!(place.names().await, ["a/b"]);
}

#[tokio::test]
async fn files_no_key_can_name_are_left_alone() {
    let place = Place::on_disk();
    let root = place.dir().join("objects");
    for name in ["100%.mp4", "a\\b", "a\nb", "draft#7"] {
        fs::write(root.join(name), b"x").unwrap();
    }
    place.put(&key("a"), &[b"x"]).await;
    assert_eq!(place.names().await, ["a"]);
    let deleted = place
        .storage
        .delete_prefix(&ObjectPrefix::everything())
        .await;
    assert_eq!(deleted.unwrap(), 1);
    assert_eq!(fs::read_dir(root).unwrap().count(), 4);
}
