//! Signed URLs.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use lectern_domain::{Clock as _, DownloadName, SystemClock};
use lectern_storage::{OBJECTS_PATH, ObjectKey, Secret, SignatureError, Signer};
use url::Url;

use crate::test_storage::{TestStorage, key, pattern, wait_until};

const HOUR: Duration = Duration::from_hours(1);

fn noon() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_454) + TimeDelta::hours(12)
}

fn base() -> Url {
    Url::parse("https://lectern.example/lectures/").unwrap()
}

/// The key and the query of a URL of this server, as a route sees them.
fn parts(url: &Url) -> (ObjectKey, String) {
    let path = url.path().strip_prefix("/lectures").unwrap();
    let path = path.strip_prefix(OBJECTS_PATH).unwrap();
    let key = ObjectKey::from_url_path(path).unwrap();
    (key, url.query().unwrap().to_owned())
}

#[tokio::test]
async fn a_url_of_this_server_allows_its_method_on_its_key() {
    let test = TestStorage::on_disk();
    let signer = test.storage.signer().unwrap();
    for name in [
        "jobs/1/original/talk.mp4",
        "a b+c&d=e?f",
        "講義/第 1 回 #3.mp4",
    ] {
        let put = test
            .storage
            .upload_url(&base(), &key(name), 7, HOUR, noon())
            .await
            .unwrap();
        let (requested, query) = parts(&put);
        assert_eq!(requested, key(name));
        assert_eq!(signer.verify_put(&requested, &query, noon()), Ok(7));
        assert_eq!(
            signer.verify_get(&requested, &query, noon()),
            Err(SignatureError::Wrong)
        );

        let get = test
            .storage
            .download_url(&base(), &key(name), None, HOUR, noon())
            .await
            .unwrap();
        let (requested, query) = parts(&get);
        assert_eq!(signer.verify_get(&requested, &query, noon()), Ok(None));
        assert_eq!(
            signer.verify_put(&requested, &query, noon()),
            Err(SignatureError::Wrong)
        );
        assert!(
            get.as_str()
                .starts_with("https://lectern.example/lectures/api/v1/objects/")
        );
    }
}

#[tokio::test]
async fn a_url_has_the_name_under_which_its_object_is_saved() {
    let test = TestStorage::on_disk();
    let signer = test.storage.signer().unwrap();
    let clip = key("jobs/1/clips/1.mp4");
    for title in ["Gradient descent", "a&size=1#=%41+", "講義 №7 🎓"] {
        let name = DownloadName::new(title, "mp4");
        let url = test
            .storage
            .download_url(&base(), &clip, Some(&name), HOUR, noon())
            .await
            .unwrap();
        let (requested, query) = parts(&url);
        let verified = signer.verify_get(&requested, &query, noon());
        assert_eq!(verified, Ok(Some(name)));
        let forged = query.replace("filename=", "filename=a");
        assert_eq!(
            signer.verify_get(&requested, &forged, noon()),
            Err(SignatureError::Wrong)
        );
        let (before, after) = query.split_once("&filename=").unwrap();
        let signature = after.split_once('&').unwrap().1;
        let unnamed = format!("{before}&{signature}");
        assert_eq!(
            signer.verify_get(&requested, &unnamed, noon()),
            Err(SignatureError::Wrong)
        );
        assert_eq!(
            signer.verify_put(&requested, &format!("{query}&size=1"), noon()),
            Err(SignatureError::Wrong)
        );
        let malformed = query.replace("filename=", "filename=%ff");
        assert_eq!(
            signer.verify_get(&requested, &malformed, noon()),
            Err(SignatureError::Malformed)
        );
    }
}

#[test]
fn a_url_is_valid_until_the_second_of_its_expiry() {
    let signer = Signer::new(Secret::random().unwrap());
    let query = signer.sign_get(&key("a"), None, noon());
    assert_eq!(
        signer.verify_get(&key("a"), &query, noon() - TimeDelta::days(9)),
        Ok(None)
    );
    assert_eq!(
        signer.verify_get(&key("a"), &query, noon() - TimeDelta::microseconds(1)),
        Ok(None)
    );
    assert_eq!(
        signer.verify_get(&key("a"), &query, noon()),
        Err(SignatureError::Expired)
    );
    let query = signer.sign_put(&key("a"), 1, noon());
    assert_eq!(
        signer.verify_put(&key("a"), &query, noon()),
        Err(SignatureError::Expired)
    );
}

#[test]
fn any_change_of_a_url_invalidates_it() {
    let signer = Signer::new(Secret::random().unwrap());
    let earlier = noon() - HOUR;
    let query = signer.sign_put(&key("jobs/1/a"), 1000, noon());
    assert_eq!(
        signer.verify_put(&key("jobs/1/a"), &query, earlier),
        Ok(1000)
    );

    for other in ["jobs/1/b", "jobs/2/a", "jobs/1/A", "jobs/1/a/b", "jobs/1"] {
        let result = signer.verify_put(&key(other), &query, earlier);
        assert_eq!(result, Err(SignatureError::Wrong), "{other}");
    }
    let verify = |query: &str| signer.verify_put(&key("jobs/1/a"), query, earlier);
    let expires = noon().timestamp();
    for (old, new) in [
        ("size=1000", "size=1001".to_owned()),
        ("size=1000", "size=100".to_owned()),
        (
            &*format!("expires={expires}"),
            format!("expires={}", expires + 1),
        ),
        (
            &*format!("expires={expires}"),
            format!("expires={}", i64::MAX),
        ),
    ] {
        let forged = query.replace(old, &new);
        assert_ne!(forged, query);
        assert_eq!(verify(&forged), Err(SignatureError::Wrong), "{forged}");
    }
    // Every digit of the signature is checked.
    let (before, signature) = query.split_once("signature=").unwrap();
    for i in 0..signature.len() {
        let digit = if &signature[i..=i] == "0" { "1" } else { "0" };
        let forged = format!(
            "{before}signature={}{digit}{}",
            &signature[..i],
            &signature[i + 1..]
        );
        assert_eq!(verify(&forged), Err(SignatureError::Wrong), "{forged}");
    }
    for cut in ["", &signature[..2], &signature[..62]] {
        assert_eq!(
            verify(&format!("{before}signature={cut}")),
            Err(SignatureError::Wrong),
            "{cut}"
        );
    }
    let other_signer = Signer::new(Secret::random().unwrap());
    let forged = other_signer.sign_put(&key("jobs/1/a"), 1000, noon());
    assert_eq!(verify(&forged), Err(SignatureError::Wrong));
    // A PUT without its size is not a GET, and a GET with a size is not a PUT.
    let unsized_query = query.replace("&size=1000", "");
    let result = signer.verify_get(&key("jobs/1/a"), &unsized_query, earlier);
    assert_eq!(result, Err(SignatureError::Wrong));
    let get = signer.sign_get(&key("jobs/1/a"), None, noon());
    assert_eq!(
        verify(&format!("{get}&size=1000")),
        Err(SignatureError::Wrong)
    );
}

#[test]
fn a_query_of_another_form_is_malformed() {
    let signer = Signer::new(Secret::random().unwrap());
    let valid = signer.sign_put(&key("a"), 1, noon());
    for query in [
        String::new(),
        "&".to_owned(),
        "expires=1".to_owned(),
        valid.replace("expires=", "expires=x"),
        valid.replace("expires=", "until="),
        valid.replace("size=1", "size=-1"),
        valid.replace("size=1", "size=99999999999999999999"),
        valid.replace("signature=", "signature=x"),
        format!("{valid}0"),
        format!("{valid}&expires=1"),
        format!("{valid}&size=1"),
        format!("{valid}&other=1"),
        format!("{valid}&"),
    ] {
        let result = signer.verify_put(&key("a"), &query, noon() - HOUR);
        assert_eq!(result, Err(SignatureError::Malformed), "{query}");
    }
}

/// The status of a response, also if it is an error.
fn status(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> u16 {
    match response {
        Ok(response) => response.status().as_u16(),
        Err(ureq::Error::StatusCode(status)) => status,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
#[ignore = "needs an S3 server: tests/e2e/with-s3 cargo test -p lectern-storage -- --include-ignored"]
async fn a_url_of_the_service_allows_its_method_on_its_key() {
    let test = TestStorage::on_s3();
    let now = SystemClock.now();
    assert!(test.storage.signer().is_none());
    for name in [
        "jobs/1/original/talk.mp4",
        "a b+c&d=e",
        "講義/第 1 回 #3.mp4",
        "~'()!*",
    ] {
        let content = pattern(300_000);
        let size = content.len() as u64;
        let put = test
            .storage
            .upload_url(&base(), &key(name), size, HOUR, now)
            .await
            .unwrap();
        let get = test
            .storage
            .download_url(&base(), &key(name), None, HOUR, now)
            .await
            .unwrap();
        assert_eq!(status(ureq::get(get.as_str()).call()), 404);
        assert_eq!(status(ureq::put(put.as_str()).send(&content)), 200, "{put}");
        assert!(test.read(&key(name)).await == content);

        let mut response = ureq::get(get.as_str()).call().unwrap();
        assert!(response.body_mut().read_to_vec().unwrap() == content);
        let mut part = ureq::get(get.as_str())
            .header("Range", "bytes=10-19")
            .call()
            .unwrap();
        assert_eq!(part.status(), 206);
        assert_eq!(part.body_mut().read_to_vec().unwrap(), content[10..20]);

        // Other methods, keys and expiry times are refused.
        assert_eq!(status(ureq::get(put.as_str()).call()), 403);
        assert_eq!(status(ureq::put(get.as_str()).send(&content)), 403);
        assert_eq!(status(ureq::delete(get.as_str()).call()), 403);
        let mut other = get.clone();
        other.set_path(&format!("{}x", get.path()));
        assert_eq!(status(ureq::get(other.as_str()).call()), 403);
        let longer = get
            .as_str()
            .replace("X-Amz-Expires=3600", "X-Amz-Expires=360000");
        assert_ne!(longer, get.as_str());
        assert_eq!(status(ureq::get(longer).call()), 403);
    }
}

#[tokio::test]
#[ignore = "needs an S3 server: tests/e2e/with-s3 cargo test -p lectern-storage -- --include-ignored"]
async fn a_url_of_the_service_expires() {
    let test = TestStorage::on_s3();
    test.put(&key("a"), &[b"x"]).await;
    let get = async |ttl| {
        let (key, now) = (key("a"), SystemClock.now());
        let url = test
            .storage
            .download_url(&base(), &key, None, ttl, now)
            .await;
        url.unwrap()
    };
    let (long, short) = (get(HOUR).await, get(Duration::from_secs(1)).await);
    // The service counts in whole seconds, so the URL may have expired already.
    wait_until!(status(ureq::get(short.as_str()).call()) == 403);
    assert_eq!(status(ureq::get(long.as_str()).call()), 200);
}

#[tokio::test]
async fn urls_for_clients_have_the_public_endpoint() {
    let config = "s3://lectures/2026?endpoint=http://minio:9000&public_endpoint=https://s3.lectern.example&region=eu-west-1"
        .parse::<lectern_storage::StorageConfig>()
        .unwrap()
        .with_environment(|name| name.contains("KEY").then(|| "x".to_owned()))
        .unwrap();
    let storage = lectern_storage::Storage::open(&config, Secret::random().unwrap()).unwrap();
    let url = storage
        .download_url(&base(), &key("a b"), None, HOUR, noon())
        .await
        .unwrap();
    assert!(
        url.as_str()
            .starts_with("https://s3.lectern.example/lectures/2026/a%20b?X-Amz-"),
        "{url}"
    );

    for (config, start) in [
        (
            "s3://lectures",
            "https://lectures.s3.us-east-1.amazonaws.com/a%20b?",
        ),
        (
            "s3://lectures?region=eu-west-1&style=path",
            "https://s3.eu-west-1.amazonaws.com/lectures/a%20b?",
        ),
        (
            "s3://lectures?endpoint=https://ams3.cloud.example&style=virtual",
            "https://lectures.ams3.cloud.example/a%20b?",
        ),
    ] {
        let config = config.parse::<lectern_storage::StorageConfig>().unwrap();
        let config = config.with_environment(|name| name.contains("KEY").then(|| "x".to_owned()));
        let storage = lectern_storage::Storage::open(&config.unwrap(), Secret::random().unwrap());
        let url = storage
            .unwrap()
            .download_url(&base(), &key("a b"), None, HOUR, noon())
            .await
            .unwrap();
        assert!(url.as_str().starts_with(start), "{url}");
    }
}
