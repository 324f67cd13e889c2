//! A service that is unreachable or returns errors.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use futures_util::TryStreamExt as _;
use futures_util::future::join_all;
use lectern_storage::{Error, ObjectPrefix, Secret, Storage, StorageConfig};

use crate::test_storage::{key, stream_of};

fn bucket_at(address: &str) -> Storage {
    let config = format!("s3://lectures?endpoint=http://{address}")
        .parse::<StorageConfig>()
        .unwrap()
        .with_environment(|name| name.contains("KEY").then(|| "x".to_owned()))
        .unwrap();
    Storage::open(&config, Secret::random().unwrap()).unwrap()
}

/// The address of a service that responds to every request with this status.
fn service_with(status: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let _ = socket.read(&mut [0; 4096]);
            let response =
                format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = socket.write_all(response.as_bytes());
        }
    });
    address
}

/// The error of each operation.
async fn errors(storage: &Storage) -> Vec<Error> {
    let key = key("a");
    let all = ObjectPrefix::everything();
    let (put, get, head, delete, list, delete_all) = futures_util::join!(
        storage.put(&key, 1, stream_of(["x".into()])),
        storage.get(&key, None),
        storage.head(&key),
        storage.delete(&key),
        storage.list(&all).try_collect::<Vec<_>>(),
        storage.delete_prefix(&all),
    );
    vec![
        put.unwrap_err(),
        get.unwrap_err(),
        head.unwrap_err(),
        delete.unwrap_err(),
        list.unwrap_err(),
        delete_all.unwrap_err(),
    ]
}

#[tokio::test]
async fn an_unreachable_service_is_unavailable() {
    for error in errors(&bucket_at("127.0.0.1:1")).await {
        assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[tokio::test]
async fn a_service_with_a_temporary_error_is_unavailable() {
    let statuses = [
        "500 Internal Server Error",
        "503 Slow Down",
        "429 Too Many Requests",
    ];
    join_all(statuses.map(|status| async move {
        for error in errors(&bucket_at(&service_with(status))).await {
            assert!(
                matches!(error, Error::Unavailable { .. }),
                "{status}: {error:?}"
            );
        }
    }))
    .await;
}

#[tokio::test]
async fn a_service_that_refuses_the_request_is_not_unavailable() {
    for status in ["403 Forbidden", "400 Bad Request"] {
        for error in errors(&bucket_at(&service_with(status))).await {
            assert!(matches!(error, Error::Other { .. }), "{status}: {error:?}");
        }
    }
}

#[tokio::test]
async fn a_missing_bucket_is_an_error() {
    let storage = bucket_at(&service_with("404 Not Found"));
    let put = storage.put(&key("a"), 1, stream_of(["x".into()])).await;
    assert!(matches!(put, Err(Error::Other { .. })), "{put:?}");
    let list = storage
        .list(&ObjectPrefix::everything())
        .try_collect::<Vec<_>>()
        .await;
    assert!(matches!(list, Err(Error::Other { .. })), "{list:?}");
}
