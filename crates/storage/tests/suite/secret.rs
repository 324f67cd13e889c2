//! The file with the secret, and that no output shows secrets or credentials.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Barrier;
use std::thread;

use chrono::DateTime;
use lectern_storage::{Error, Secret, Signer, StorageConfig};

use crate::test_storage::key;

/// A signature, which identifies a secret.
fn signature(secret: Secret) -> String {
    Signer::new(secret).sign_get(&key("a"), None, DateTime::UNIX_EPOCH)
}

#[test]
fn concurrent_starts_create_one_secret_and_share_it() {
    for _ in 0..20 {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = dir.path().join("not/yet/there");
        let barrier = Barrier::new(16);
        let signatures: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        signature(Secret::read_or_create(&data_dir).unwrap())
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(signatures.iter().all(|other| *other == signatures[0]));
        assert_eq!(
            signature(Secret::read_or_create(&data_dir).unwrap()),
            signatures[0]
        );
        let files: Vec<_> = fs::read_dir(&data_dir)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(files.len(), 1, "{files:?}");
        assert_eq!(files[0].file_name(), "secret");
        assert_eq!(
            files[0].metadata().unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}

#[test]
fn a_file_without_a_valid_secret_is_refused_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    for text in [
        "",
        "\n",
        "00",
        &"0".repeat(63),
        &"g".repeat(64),
        &"+0".repeat(32),
        &"é".repeat(32),
    ] {
        fs::write(&path, text).unwrap();
        let error = Secret::read_or_create(dir.path()).unwrap_err();
        assert!(matches!(error, Error::Config(_)), "{error:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert!(text.trim().is_empty() || !error.to_string().contains(text.trim()));
    }
    fs::write(&path, "AB".repeat(40)).unwrap();
    let upper = signature(Secret::read_or_create(dir.path()).unwrap());
    assert_eq!(upper, signature(Secret::new(&[0xab; 40]).unwrap()));
}

#[test]
fn random_secrets_differ_and_short_secrets_are_refused() {
    assert_ne!(
        signature(Secret::random().unwrap()),
        signature(Secret::random().unwrap())
    );
    assert!(Secret::new(&[7; 31]).is_err());
    assert!(Secret::new(&[7; 32]).is_ok());
}

#[test]
fn debug_and_display_show_no_secret_or_credential() {
    let secret = Secret::new(b"0123456789-0123456789-0123456789").unwrap();
    let config = "s3://lectures?region=eu-central-1"
        .parse::<StorageConfig>()
        .unwrap()
        .with_environment(|name| name.contains("KEY").then(|| format!("hush-{name}")))
        .unwrap();
    let storage = lectern_storage::Storage::open(&config, secret.clone()).unwrap();
    let local = StorageConfig::Local {
        dir: tempfile::tempdir().unwrap().path().to_owned(),
    };
    let local = lectern_storage::Storage::open(&local, secret.clone()).unwrap();
    for shown in [
        format!("{secret:?}"),
        format!("{:?}", Signer::new(secret.clone())),
        format!("{config:?} {config:#?} {config}"),
        format!("{storage:?} {storage:#?}"),
        format!("{local:?} {local:#?}"),
    ] {
        assert!(!shown.contains("hush"), "{shown}");
        assert!(!shown.contains("0123456789"), "{shown}");
        assert!(!shown.contains("48, 49, 50"), "{shown}");
    }
    assert!(format!("{config:?}").contains("AWS_SECRET_ACCESS_KEY"));
    assert!(format!("{storage:?}").contains("s3://lectures?region=eu-central-1"));
}
