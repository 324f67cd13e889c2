//! Writing, reading, listing and deleting.

use std::io;

use bytes::Bytes;
use chrono::TimeDelta;
use futures_util::future::join_all;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use lectern_domain::{Clock as _, JobId, SystemClock};
use lectern_storage::{ByteRange, Error, ObjectInfo, ObjectKey, ObjectPrefix};

use crate::place::{Place, bytes, good, key, on_both, pattern, stalled, until};

const MIB: usize = 1024 * 1024;

on_both! {
    async fn what_was_put_comes_back_whole_whatever_its_size(place: Place) {
        for size in [0, 1, MIB - 1, MIB, MIB + 1, 5 * MIB, 5 * MIB + 1, 11 * MIB + 3] {
            let key = key(&format!("sizes/{size}.mp4"));
            let whole = pattern(size);
            let pieces: Vec<_> = whole.chunks(60_000).collect();
            place.put(&key, &pieces).await;
            assert!(place.read(&key).await == whole, "{size}");
        }
        assert_eq!(place.names().await.len(), 8);
        assert_eq!(place.unfinished().await, 0);
    }

    async fn the_pieces_it_comes_in_make_no_difference(place: Place) {
        let whole = pattern(2 * MIB + 7);
        let (head, tail) = whole.split_at(2 * MIB);
        let mut pieces: Vec<&[u8]> = vec![b"", head, b"", b""];
        pieces.extend(tail.chunks(1));
        pieces.push(b"");
        place.put(&key("a"), &pieces).await;
        assert!(place.read(&key("a")).await == whole);
    }

    async fn a_later_object_replaces_an_earlier_one(place: Place) {
        place.put(&key("a"), &[b"the first"]).await;
        let before = place.storage.head(&key("a")).await.unwrap().unwrap();
        place.put(&key("a"), &[b"another"]).await;
        let after = place.storage.head(&key("a")).await.unwrap().unwrap();
        assert_eq!(place.read(&key("a")).await, b"another");
        assert_eq!((before.size, after.size), (9, 7));
        assert_ne!(before.etag, after.etag);
    }

    async fn what_does_not_have_the_announced_size_leaves_nothing(place: Place) {
        place.put(&key("a"), &[b"what was there"]).await;
        for size in [10, 11 * MIB] {
            let (some, announced) = (Bytes::from(pattern(size)), size as u64);
            let longer = place.storage.put(&key("a"), announced - 1, good([some.clone()])).await;
            assert!(
                matches!(&longer, Err(Error::TooLarge { announced: told, .. }) if *told == announced - 1),
                "{longer:?}"
            );
            let shorter = place.storage.put(&key("a"), announced + 1, good([some.clone()])).await;
            assert!(
                matches!(&shorter, Err(Error::TooShort { received, .. }) if *received == announced),
                "{shorter:?}"
            );
            let endless = stream::repeat(some).map(Ok::<_, Error>);
            let endless = place.storage.put(&key("b"), 3 * announced + 1, endless).await;
            assert!(matches!(endless, Err(Error::TooLarge { .. })), "{endless:?}");
            let nothing = place.storage.put(&key("b"), announced, good([])).await;
            assert!(matches!(nothing, Err(Error::TooShort { received: 0, .. })), "{nothing:?}");
        }
        let more_than_nothing = place.storage.put(&key("b"), 0, good([Bytes::from("x")])).await;
        assert!(matches!(more_than_nothing, Err(Error::TooLarge { announced: 0, .. })));
        assert_eq!(place.names().await, ["a"]);
        assert_eq!(place.read(&key("a")).await, b"what was there");
        assert_eq!(place.unfinished().await, 0);
    }

    async fn a_stream_that_breaks_leaves_nothing_and_says_why(place: Place) {
        for size in [10, 11 * MIB] {
            let broken = stream::iter([
                Ok(Bytes::from(pattern(size))),
                Err(io::Error::other("the line went dead")),
            ]);
            let error = place.storage.put(&key("a"), 2 * size as u64, broken).await.unwrap_err();
            assert!(matches!(error, Error::BrokenStream { .. }), "{error:?}");
            let cause = std::error::Error::source(&error).unwrap();
            assert_eq!(cause.to_string(), "the line went dead");
        }
        assert_eq!(place.names().await, [""; 0]);
        assert_eq!(place.unfinished().await, 0);
    }

    async fn an_upload_nobody_waits_for_any_more_leaves_nothing(place: Place) {
        let sent = stalled(vec![Bytes::from(pattern(11 * MIB))]);
        let (target, size) = (key("a"), 20 * MIB as u64);
        let storage = place.storage.clone();
        let upload = tokio::spawn(async move { storage.put(&target, size, sent).await });
        until!(place.unfinished().await == 1);
        upload.abort();
        assert!(upload.await.unwrap_err().is_cancelled());
        until!(place.unfinished().await == 0);
        assert_eq!(place.names().await, [""; 0]);
    }

    async fn of_many_who_write_one_object_one_wins_whole(place: Place) {
        let versions: Vec<Vec<u8>> = (0..12).map(|i| vec![i; 7 * MIB + usize::from(i)]).collect();
        let target = key("a");
        let puts = versions.iter().map(|version| {
            let pieces: Vec<_> = version.chunks(100_000).map(Bytes::copy_from_slice).collect();
            place.storage.put(&target, version.len() as u64, good(pieces))
        });
        for result in join_all(puts).await {
            result.unwrap();
        }
        assert!(versions.contains(&place.read(&target).await));
        assert_eq!(place.names().await, ["a"]);
        assert_eq!(place.unfinished().await, 0);
    }

    async fn a_range_is_answered_with_exactly_its_bytes(place: Place) {
        let whole = pattern(MIB);
        let size = whole.len() as u64;
        place.put(&key("a"), &[&whole]).await;
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
            let object = place.storage.get(&key("a"), Some(range.clone())).await.unwrap();
            assert_eq!(object.info.size, size);
            assert_eq!(object.range, expected.start as u64..expected.end as u64, "{range:?}");
            assert!(bytes(object).await == whole[expected], "{range:?}");
        }
    }

    async fn a_range_without_a_byte_of_the_object_is_refused(place: Place) {
        place.put(&key("a"), &[b"0123456789"]).await;
        place.put(&key("empty"), &[]).await;
        for (name, range, size) in [
            ("a", ByteRange::From(10), 10),
            ("a", ByteRange::Between(3, 3), 10),
            ("a", ByteRange::Between(5, 3), 10),
            ("a", ByteRange::Last(0), 10),
            ("empty", ByteRange::From(0), 0),
            ("empty", ByteRange::Last(5), 0),
        ] {
            let refused = place.storage.get(&key(name), Some(range.clone())).await;
            assert!(
                matches!(&refused, Err(Error::OutOfRange { size: told, .. }) if *told == size),
                "{range:?}: {refused:?}"
            );
        }
        assert_eq!(place.read(&key("empty")).await, b"");
    }

    async fn a_missing_object_is_told_from_a_failure(place: Place) {
        place.put(&key("a/b"), &[b"x"]).await;
        for name in ["nothing", "a/nothing", "nothing/a/b"] {
            let missing = key(name);
            assert_eq!(place.storage.head(&missing).await.unwrap(), None, "{name}");
            for range in [None, Some(ByteRange::From(0))] {
                let got = place.storage.get(&missing, range).await;
                assert!(matches!(&got, Err(Error::NotFound(key)) if *key == missing), "{got:?}");
            }
            place.storage.delete(&missing).await.unwrap();
        }
        assert_eq!(place.names().await, ["a/b"]);
    }

    async fn head_get_and_list_tell_the_same(place: Place) {
        let started = SystemClock.now() - TimeDelta::seconds(2);
        place.put(&key("a/b.mp4"), &[b"0123456789"]).await;
        let head = place.storage.head(&key("a/b.mp4")).await.unwrap().unwrap();
        let get = place.storage.get(&key("a/b.mp4"), None).await.unwrap();
        let all = place.storage.list(&ObjectPrefix::everything());
        let list: Vec<ObjectInfo> = all.try_collect().await.unwrap();
        assert_eq!(head, get.info);
        assert_eq!(get.range, 0..10);
        assert_eq!((head.size, list.len(), list[0].size), (10, 1, 10));
        assert_eq!((&head.key, &list[0].key), (&key("a/b.mp4"), &key("a/b.mp4")));
        assert!(head.last_modified >= started && head.last_modified <= SystemClock.now());
        assert!((list[0].last_modified - head.last_modified).abs() < TimeDelta::seconds(1));
        let etag = head.etag.unwrap();
        assert!(etag.starts_with('"') && etag.ends_with('"'), "{etag}");
    }

    async fn a_prefix_is_whole_segments(place: Place) {
        for name in ["jobs/1/a", "jobs/1/b/c", "jobs/10/a", "jobs/1.mp4", "other"] {
            place.put(&key(name), &[name.as_bytes()]).await;
        }
        let prefix = ObjectPrefix::new("jobs/1").unwrap();
        let listed = place.storage.list(&prefix).map_ok(|info| info.key.to_string());
        let mut listed: Vec<_> = listed.try_collect().await.unwrap();
        listed.sort();
        assert_eq!(listed, ["jobs/1/a", "jobs/1/b/c"]);
        assert_eq!(place.storage.delete_prefix(&prefix).await.unwrap(), 2);
        assert_eq!(place.names().await, ["jobs/1.mp4", "jobs/10/a", "other"]);
        assert_eq!(place.storage.delete_prefix(&prefix).await.unwrap(), 0);
    }

    async fn deleting_what_a_job_owns_touches_nobody_else(place: Place) {
        let (mine, theirs) = (JobId::new(&SystemClock), JobId::new(&SystemClock));
        for job_id in [mine, theirs] {
            place.put(&ObjectKey::original(job_id, "talk.mp4"), &[b"x"]).await;
            for i in 0..20 {
                let clip = ObjectKey::of_job(job_id, &format!("clips/{i}.mp4")).unwrap();
                place.put(&clip, &[b"y"]).await;
            }
        }
        let deleted = place.storage.delete_prefix(&ObjectKey::job_prefix(mine)).await;
        assert_eq!(deleted.unwrap(), 21);
        let left = place.storage.list(&ObjectPrefix::jobs());
        let owners: Vec<_> = left.map_ok(|info| info.key.job_id()).try_collect().await.unwrap();
        assert_eq!(owners, [Some(theirs); 21]);
    }

    async fn names_that_are_awkward_elsewhere_work(place: Place) {
        let names = [
            "a b", "é", "講義/第 1 回.mp4", "a+b&c=d?e", "Teil #3.mp4", "~*'()!,;:@$", "{[<>]}|^`\"",
            ".hidden", "...", "-",
        ];
        for name in names {
            place.put(&key(name), &[name.as_bytes()]).await;
            assert_eq!(place.read(&key(name)).await, name.as_bytes());
        }
        let mut expected = names;
        expected.sort_unstable();
        assert_eq!(place.names().await, expected);
        for name in names {
            place.storage.delete(&key(name)).await.unwrap();
        }
        assert_eq!(place.names().await, [""; 0]);
    }

    async fn a_file_becomes_an_object(place: Place) {
        let dir = tempfile::tempdir().unwrap();
        let whole = pattern(6 * MIB);
        std::fs::write(dir.path().join("clip.mp4"), &whole).unwrap();
        place.storage.put_file(&key("a"), &dir.path().join("clip.mp4")).await.unwrap();
        assert!(place.read(&key("a")).await == whole);
        let missing = place.storage.put_file(&key("b"), &dir.path().join("other")).await;
        assert!(matches!(missing, Err(Error::Other { .. })), "{missing:?}");
        assert_eq!(place.names().await, ["a"]);
    }
}

#[tokio::test]
async fn a_stream_that_cannot_leave_its_thread_will_do() {
    let place = Place::on_disk();
    let piece = std::rc::Rc::new(Bytes::from("x"));
    let pieces = stream::iter([1, 2, 3]).map(|_| Ok::<_, Error>(Bytes::clone(&piece)));
    place.storage.put(&key("a"), 3, pieces).await.unwrap();
    assert_eq!(place.read(&key("a")).await, b"xxx");
}
