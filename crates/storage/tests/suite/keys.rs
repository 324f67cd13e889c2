//! Every key is below the root, whatever text it was made from.

use std::path::Component;

use lectern_domain::{JobId, SystemClock};
use lectern_storage::ObjectKey;
use object_store::local::LocalFileSystem;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

use crate::test_storage::TestStorage;

/// Texts of known path traversal attacks.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            ".", "..", "/", "//", "\\", "%", "%2e", "%2E%2e", "%2f", "%5c", "%252e", "%00", "\0",
            "#", "#1", "~", "a", "b.mp4", "C:", "jobs", " ", "\u{2024}", "\u{2215}", "\u{ff0f}",
            "\u{202e}", "é", "\n", "\u{85}", "//?/", "file:", "?x", "|",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Bytes as the path of a URL. `encode` is repeated and decides for each printable byte
/// whether it is percent-encoded.
fn url_path(bytes: &[u8], encode: &[bool]) -> String {
    let encode = encode.iter().cycle();
    bytes
        .iter()
        .zip(encode)
        .fold(String::new(), |text, (byte, encode)| {
            if byte.is_ascii_graphic() && !encode {
                text + &char::from(*byte).to_string()
            } else {
                format!("{text}%{byte:02x}")
            }
        })
}

/// Asserts that the key names a path strictly below the root, for the operating system and
/// for the driver.
fn assert_below_root(key: &ObjectKey) {
    // The driver resolves symlinks in the root.
    let root = std::env::temp_dir().canonicalize().unwrap();
    let path = root.join(key.as_str());
    let mut components = path.components();
    for expected in root.components() {
        assert_eq!(components.next(), Some(expected));
    }
    let rest: Vec<_> = components.collect();
    assert!(!rest.is_empty());
    assert!(
        rest.iter().all(|part| matches!(part, Component::Normal(_))),
        "{rest:?}"
    );
    assert_eq!(rest.len(), key.split('/').count(), "{key:?}");

    let driver_path = LocalFileSystem::new_with_prefix(&root)
        .unwrap()
        .path_to_filesystem(&object_store::path::Path::parse(key.as_str()).unwrap())
        .unwrap();
    assert_eq!(driver_path, path);
    assert!(!key.contains(['\0', '\\', '%']), "{key:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_key_leaves_the_root(text in hostile()) {
        if let Ok(key) = ObjectKey::new(text.clone()) {
            prop_assert_eq!(key.as_str(), text);
            assert_below_root(&key);
        }
    }

    #[test]
    fn no_key_in_a_url_leaves_the_root(text in hostile(), encode in prop::collection::vec(any::<bool>(), 1..9)) {
        // Unencoded, partly encoded and encoded twice.
        let once = url_path(text.as_bytes(), &encode);
        for path in [&text, &once, &url_path(once.as_bytes(), &encode)] {
            if let Ok(key) = ObjectKey::from_url_path(path) {
                assert_below_root(&key);
            }
        }
    }

    #[test]
    fn no_bytes_in_a_url_leave_the_root(bytes in prop::collection::vec(any::<u8>(), 0..60), encode in prop::collection::vec(any::<bool>(), 1..9)) {
        let path = url_path(&bytes, &encode);
        if let Ok(key) = ObjectKey::from_url_path(&path) {
            assert_below_root(&key);
        }
    }

    #[test]
    fn a_key_survives_a_url(text in hostile()) {
        if let Ok(key) = ObjectKey::new(text) {
            let path = key.to_url_path();
            prop_assert!(path.bytes().all(|byte| byte.is_ascii_graphic()));
            let url = url::Url::parse(&format!("http://lectern/x/{path}?q")).unwrap();
            prop_assert_eq!(ObjectKey::from_url_path(url.path().strip_prefix("/x/").unwrap()).unwrap(), key);
        }
    }

    #[test]
    fn the_key_of_a_recording_is_below_its_job(filename in hostile()) {
        let job_id = JobId::new(&SystemClock);
        let key = ObjectKey::original(job_id, &filename);
        assert_below_root(&key);
        prop_assert_eq!(key.job_id(), Some(job_id));
        prop_assert_eq!(key.split('/').count(), 4);
    }
}

#[tokio::test]
async fn files_are_written_below_the_root() {
    let test = TestStorage::on_disk();
    let mut runner = proptest::test_runner::TestRunner::default();
    let mut written = 0;
    while written < 300 {
        let path = hostile().new_tree(&mut runner).unwrap().current();
        let Ok(key) = ObjectKey::from_url_path(&path) else {
            continue;
        };
        written += 1;
        // Fails if a part of the path is an object.
        let put = test
            .storage
            .put(&key, 1, crate::test_storage::stream_of(["x".into()]))
            .await;
        if put.is_ok() {
            assert_eq!(test.read(&key).await, b"x");
        }
        // The root and its siblings.
        let entries = std::fs::read_dir(test.dir()).unwrap();
        let entries: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(entries, ["objects"], "{key:?}");
    }
    let names = test.names().await;
    assert!(names.len() > 50, "{names:?}");
}
