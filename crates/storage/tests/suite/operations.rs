//! Writing, reading, listing and deleting.

use std::io;

use bytes::Bytes;
use chrono::TimeDelta;
use futures_util::future::join_all;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use lectern_domain::{Clock as _, JobId, SystemClock};
use lectern_storage::{ByteRange, Error, ObjectInfo, ObjectKey, ObjectPrefix};

use crate::test_storage::{
    TestStorage, bytes, key, on_disk_and_s3, pattern, stalled, stream_of, wait_until,
};

const MIB: usize = 1024 * 1024;

async fn objects_of_any_size_are_read_as_written(test: TestStorage) {
    for size in [
        0,
        1,
        MIB - 1,
        MIB,
        MIB + 1,
        5 * MIB,
        5 * MIB + 1,
        11 * MIB + 3,
    ] {
        let key = key(&format!("sizes/{size}.mp4"));
        let content = pattern(size);
        let pieces: Vec<_> = content.chunks(60_000).collect();
        test.put(&key, &pieces).await;
        assert!(test.read(&key).await == content, "{size}");
    }
    assert_eq!(test.names().await.len(), 8);
    assert_eq!(test.unfinished_uploads().await, 0);
}

async fn the_sizes_of_the_pieces_make_no_difference(test: TestStorage) {
    let content = pattern(2 * MIB + 7);
    let (head, tail) = content.split_at(2 * MIB);
    let mut pieces: Vec<&[u8]> = vec![b"", head, b"", b""];
    pieces.extend(tail.chunks(1));
    pieces.push(b"");
    test.put(&key("a"), &pieces).await;
    assert!(test.read(&key("a")).await == content);
}

async fn a_later_write_replaces_an_earlier_one(test: TestStorage) {
    test.put(&key("a"), &[b"the first"]).await;
    let before = test.storage.head(&key("a")).await.unwrap().unwrap();
    test.put(&key("a"), &[b"another"]).await;
    let after = test.storage.head(&key("a")).await.unwrap().unwrap();
    assert_eq!(test.read(&key("a")).await, b"another");
    assert_eq!((before.size, after.size), (9, 7));
    assert_ne!(before.etag, after.etag);
}

async fn a_stream_of_the_wrong_size_leaves_nothing(test: TestStorage) {
    test.put(&key("a"), &[b"previous"]).await;
    for size in [10, 11 * MIB] {
        let (data, announced) = (Bytes::from(pattern(size)), size as u64);
        let longer = test
            .storage
            .put(&key("a"), announced - 1, stream_of([data.clone()]))
            .await;
        assert!(
            matches!(&longer, Err(Error::TooLarge { announced: result, .. }) if *result == announced - 1),
            "{longer:?}"
        );
        let shorter = test
            .storage
            .put(&key("a"), announced + 1, stream_of([data.clone()]))
            .await;
        assert!(
            matches!(&shorter, Err(Error::TooShort { received, .. }) if *received == announced),
            "{shorter:?}"
        );
        let endless = stream::repeat(data).map(Ok::<_, Error>);
        let endless = test
            .storage
            .put(&key("b"), 3 * announced + 1, endless)
            .await;
        assert!(
            matches!(endless, Err(Error::TooLarge { .. })),
            "{endless:?}"
        );
        let nothing = test.storage.put(&key("b"), announced, stream_of([])).await;
        assert!(
            matches!(nothing, Err(Error::TooShort { received: 0, .. })),
            "{nothing:?}"
        );
    }
    let more_than_nothing = test
        .storage
        .put(&key("b"), 0, stream_of([Bytes::from("x")]))
        .await;
    assert!(matches!(
        more_than_nothing,
        Err(Error::TooLarge { announced: 0, .. })
    ));
    assert_eq!(test.names().await, ["a"]);
    assert_eq!(test.read(&key("a")).await, b"previous");
    assert_eq!(test.unfinished_uploads().await, 0);
}

async fn a_failing_stream_leaves_nothing_and_is_the_source_of_the_error(test: TestStorage) {
    for size in [10, 11 * MIB] {
        let broken = stream::iter([
            Ok(Bytes::from(pattern(size))),
            Err(io::Error::other("connection lost")),
        ]);
        let error = test
            .storage
            .put(&key("a"), 2 * size as u64, broken)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::BrokenStream { .. }), "{error:?}");
        let cause = std::error::Error::source(&error).unwrap();
        assert_eq!(cause.to_string(), "connection lost");
    }
    assert_eq!(test.names().await, [""; 0]);
    assert_eq!(test.unfinished_uploads().await, 0);
}

async fn a_dropped_write_leaves_nothing(test: TestStorage) {
    let sent = stalled(vec![Bytes::from(pattern(11 * MIB))]);
    let (target, size) = (key("a"), 20 * MIB as u64);
    let storage = test.storage.clone();
    let upload = tokio::spawn(async move { storage.put(&target, size, sent).await });
    wait_until!(test.unfinished_uploads().await == 1);
    upload.abort();
    assert!(upload.await.unwrap_err().is_cancelled());
    wait_until!(test.unfinished_uploads().await == 0);
    assert_eq!(test.names().await, [""; 0]);
}

async fn a_write_that_is_dropped_while_it_begins_leaves_nothing(test: TestStorage) {
    // A service may have created an upload although nobody waits for its response any more.
    for polls in (0..10).map(|i| 1 << i) {
        let sent = stalled(vec![Bytes::from(pattern(6 * MIB))]);
        let (target, size) = (key("a"), 20 * MIB as u64);
        let storage = test.storage.clone();
        let upload = tokio::spawn(async move { storage.put(&target, size, sent).await });
        for _ in 0..polls {
            tokio::task::yield_now().await;
        }
        upload.abort();
        assert!(upload.await.unwrap_err().is_cancelled());
    }
    // What has begun is created before this object is complete.
    test.put(&key("b"), &[&pattern(11 * MIB)]).await;
    wait_until!(test.unfinished_uploads().await == 0);
    assert_eq!(test.names().await, ["b"]);
}

async fn one_of_several_concurrent_writes_wins(test: TestStorage) {
    let versions: Vec<Vec<u8>> = (0..12).map(|i| vec![i; 7 * MIB + usize::from(i)]).collect();
    let target = key("a");
    let puts = versions.iter().map(|version| {
        let pieces: Vec<_> = version
            .chunks(100_000)
            .map(Bytes::copy_from_slice)
            .collect();
        test.storage
            .put(&target, version.len() as u64, stream_of(pieces))
    });
    for result in join_all(puts).await {
        result.unwrap();
    }
    assert!(versions.contains(&test.read(&target).await));
    assert_eq!(test.names().await, ["a"]);
    assert_eq!(test.unfinished_uploads().await, 0);
}

async fn a_range_returns_exactly_its_bytes(test: TestStorage) {
    let content = pattern(MIB);
    let size = content.len() as u64;
    test.put(&key("a"), &[&content]).await;
    for (range, expected) in [
        (ByteRange::Between(0, 1), 0..1),
        (ByteRange::Between(5, 500_000), 5..500_000),
        (ByteRange::Between(1000, u64::MAX), 1000..MIB),
        (ByteRange::From(0), 0..MIB),
        (ByteRange::From(size - 1), MIB - 1..MIB),
        (ByteRange::Last(1), MIB - 1..MIB),
        (ByteRange::Last(300_000), MIB - 300_000..MIB),
        (ByteRange::Last(u64::MAX), 0..MIB),
    ] {
        let object = test
            .storage
            .get(&key("a"), Some(range.clone()))
            .await
            .unwrap();
        assert_eq!(object.info.size, size);
        assert_eq!(
            object.range,
            expected.start as u64..expected.end as u64,
            "{range:?}"
        );
        assert!(bytes(object).await == content[expected], "{range:?}");
    }
}

async fn a_range_without_any_byte_of_the_object_is_refused(test: TestStorage) {
    test.put(&key("a"), &[b"0123456789"]).await;
    test.put(&key("empty"), &[]).await;
    for (name, range, size) in [
        ("a", ByteRange::From(10), 10),
        ("a", ByteRange::Between(3, 3), 10),
        ("a", ByteRange::Between(5, 3), 10),
        ("a", ByteRange::Last(0), 10),
        ("empty", ByteRange::From(0), 0),
        ("empty", ByteRange::Last(5), 0),
    ] {
        let refused = test.storage.get(&key(name), Some(range.clone())).await;
        assert!(
            matches!(&refused, Err(Error::OutOfRange { size: result, .. }) if *result == size),
            "{range:?}: {refused:?}"
        );
    }
    assert_eq!(test.read(&key("empty")).await, b"");
}

async fn a_missing_object_is_distinguished_from_a_failure(test: TestStorage) {
    test.put(&key("a/b"), &[b"x"]).await;
    for name in ["nothing", "a/nothing", "nothing/a/b"] {
        let missing = key(name);
        assert_eq!(test.storage.head(&missing).await.unwrap(), None, "{name}");
        for range in [None, Some(ByteRange::From(0))] {
            let got = test.storage.get(&missing, range).await;
            assert!(
                matches!(&got, Err(Error::NotFound(key)) if *key == missing),
                "{got:?}"
            );
        }
        test.storage.delete(&missing).await.unwrap();
    }
    assert_eq!(test.names().await, ["a/b"]);
}

async fn head_get_and_list_agree(test: TestStorage) {
    let started = SystemClock.now() - TimeDelta::seconds(2);
    test.put(&key("a/b.mp4"), &[b"0123456789"]).await;
    let head = test.storage.head(&key("a/b.mp4")).await.unwrap().unwrap();
    let get = test.storage.get(&key("a/b.mp4"), None).await.unwrap();
    let all = test.storage.list(&ObjectPrefix::everything());
    let list: Vec<ObjectInfo> = all.try_collect().await.unwrap();
    assert_eq!(head, get.info);
    assert_eq!(get.range, 0..10);
    assert_eq!((head.size, list.len(), list[0].size), (10, 1, 10));
    assert_eq!(
        (&head.key, &list[0].key),
        (&key("a/b.mp4"), &key("a/b.mp4"))
    );
    assert!(head.last_modified >= started && head.last_modified <= SystemClock.now());
    assert!((list[0].last_modified - head.last_modified).abs() < TimeDelta::seconds(1));
    let etag = head.etag.unwrap();
    assert!(etag.starts_with('"') && etag.ends_with('"'), "{etag}");
}

async fn a_prefix_matches_whole_segments(test: TestStorage) {
    for name in ["jobs/1/a", "jobs/1/b/c", "jobs/10/a", "jobs/1.mp4", "other"] {
        test.put(&key(name), &[name.as_bytes()]).await;
    }
    let prefix = ObjectPrefix::new("jobs/1").unwrap();
    let listed = test
        .storage
        .list(&prefix)
        .map_ok(|info| info.key.to_string());
    let mut listed: Vec<_> = listed.try_collect().await.unwrap();
    listed.sort();
    assert_eq!(listed, ["jobs/1/a", "jobs/1/b/c"]);
    assert_eq!(test.storage.delete_prefix(&prefix).await.unwrap(), 2);
    assert_eq!(test.names().await, ["jobs/1.mp4", "jobs/10/a", "other"]);
    assert_eq!(test.storage.delete_prefix(&prefix).await.unwrap(), 0);
}

async fn objects_beside_another_begin_with_its_name(test: TestStorage) {
    let names = [
        "talks/1.mp4",
        "talks/1.en.srt",
        "talks/1.SRT",
        "talks/1/a.srt",
        "talks/1.dir/a.srt",
        "talks/10.srt",
        "a.srt",
        "a.mp4",
        "1.srt",
    ];
    for name in names {
        test.put(&key(name), &[name.as_bytes()]).await;
    }
    for (recording, start, expected) in [
        (
            "talks/1.mp4",
            "1",
            &["talks/1.SRT", "talks/1.en.srt", "talks/1.mp4"][..],
        ),
        ("a.mp4", "a", &["a.mp4", "a.srt"]),
        ("talks/missing", "missing", &[]),
        ("missing/1.mp4", "1", &[]),
    ] {
        let listed = test.storage.list_beside(&key(recording), start).await;
        let beside = listed.unwrap();
        let mut beside: Vec<_> = beside.iter().map(|info| info.key.as_str()).collect();
        beside.sort_unstable();
        assert_eq!(beside, expected, "{recording}");
    }
}

async fn deleting_the_objects_of_a_job_leaves_those_of_others(test: TestStorage) {
    let (deleted_job, other_job) = (JobId::new(&SystemClock), JobId::new(&SystemClock));
    for job_id in [deleted_job, other_job] {
        test.put(&ObjectKey::original(job_id, "talk.mp4"), &[b"x"])
            .await;
        for i in 0..20 {
            let clip = ObjectKey::of_job(job_id, &format!("clips/{i}.mp4")).unwrap();
            test.put(&clip, &[b"y"]).await;
        }
    }
    let deleted = test
        .storage
        .delete_prefix(&ObjectKey::job_prefix(deleted_job))
        .await;
    assert_eq!(deleted.unwrap(), 21);
    let left = test.storage.list(&ObjectPrefix::jobs());
    let owners: Vec<_> = left
        .map_ok(|info| info.key.job_id())
        .try_collect()
        .await
        .unwrap();
    assert_eq!(owners, [Some(other_job); 21]);
}

async fn names_with_special_characters_work(test: TestStorage) {
    let names = [
        "a b",
        "é",
        "講義/第 1 回.mp4",
        "a+b&c=d?e",
        "Teil #3.mp4",
        "~*'()!,;:@$",
        "{[<>]}|^`\"",
        ".hidden",
        "...",
        "-",
    ];
    for name in names {
        test.put(&key(name), &[name.as_bytes()]).await;
        assert_eq!(test.read(&key(name)).await, name.as_bytes());
    }
    let mut expected = names;
    expected.sort_unstable();
    assert_eq!(test.names().await, expected);
    for name in names {
        test.storage.delete(&key(name)).await.unwrap();
    }
    assert_eq!(test.names().await, [""; 0]);
}

async fn a_file_becomes_an_object(test: TestStorage) {
    let dir = tempfile::tempdir().unwrap();
    let content = pattern(6 * MIB);
    std::fs::write(dir.path().join("clip.mp4"), &content).unwrap();
    test.storage
        .put_file(&key("a"), &dir.path().join("clip.mp4"))
        .await
        .unwrap();
    assert!(test.read(&key("a")).await == content);
    let missing = test
        .storage
        .put_file(&key("b"), &dir.path().join("other"))
        .await;
    assert!(matches!(missing, Err(Error::Other { .. })), "{missing:?}");
    assert_eq!(test.names().await, ["a"]);
}

on_disk_and_s3! {
    objects_of_any_size_are_read_as_written,
    the_sizes_of_the_pieces_make_no_difference,
    a_later_write_replaces_an_earlier_one,
    a_stream_of_the_wrong_size_leaves_nothing,
    a_failing_stream_leaves_nothing_and_is_the_source_of_the_error,
    a_dropped_write_leaves_nothing,
    a_write_that_is_dropped_while_it_begins_leaves_nothing,
    one_of_several_concurrent_writes_wins,
    a_range_returns_exactly_its_bytes,
    a_range_without_any_byte_of_the_object_is_refused,
    a_missing_object_is_distinguished_from_a_failure,
    head_get_and_list_agree,
    a_prefix_matches_whole_segments,
    objects_beside_another_begin_with_its_name,
    deleting_the_objects_of_a_job_leaves_those_of_others,
    names_with_special_characters_work,
    a_file_becomes_an_object,
}

#[tokio::test]
async fn a_stream_does_not_have_to_be_send() {
    let test = TestStorage::on_disk();
    let piece = std::rc::Rc::new(Bytes::from("x"));
    let pieces = stream::iter([1, 2, 3]).map(|_| Ok::<_, Error>(Bytes::clone(&piece)));
    test.storage.put(&key("a"), 3, pieces).await.unwrap();
    assert_eq!(test.read(&key("a")).await, b"xxx");
}
