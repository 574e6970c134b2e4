//! The contract, against an S3 server in this process and against those that run beside it.

mod bucket;
mod names;
mod reading;
mod requests;
mod scripted;
mod uploads;

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use connect_api::{ErrorKind, config::Config, testing::storage::run_all_but};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::task::JoinSet;

use super::*;

const BUCKET: &str = "conformance";
const ACCESS_KEY: &str = "AK";
const SECRET_KEY: &str = "SKSKSKSK";

/// What `s3s-fs` 0.14.1 breaks: its conditions are not atomic, it joins empty parts, decodes names once too often, and lists no uploads.
const BROKEN_IN_S3S_FS: &[&str] = &[
    "of_many_puts_at_once_one_wins",
    "of_many_completions_at_once_one_wins",
    "names_keep_empty_parts",
    "names_keep_unusual_characters",
];

/// What `versitygw` 1.7.0 breaks: of many puts at once several may win, and it does not list names with empty parts.
const BROKEN_IN_VERSITYGW: &[&str] =
    &["of_many_puts_at_once_one_wins", "of_many_completions_at_once_one_wins", "names_keep_empty_parts"];

/// What `moto` 5.2.5 breaks: it looks whether a name is free and then puts, in threads, so that several of many puts at once may win.
const BROKEN_IN_MOTO: &[&str] = &["of_many_puts_at_once_one_wins", "of_many_completions_at_once_one_wins"];

fn config(url: &str) -> Config {
    let config = [
        ("s3.bucket.name", BUCKET),
        ("s3.region", "us-east-1"),
        ("store.url", url),
        ("aws.access.key.id", ACCESS_KEY),
        ("aws.secret.access.key", SECRET_KEY),
    ];
    config.into_iter().collect()
}

fn storage(url: &str) -> S3Storage {
    S3Storage::new(&S3Config::try_from(&config(url)).unwrap()).unwrap()
}

/// Serves a directory from a thread of its own, for as long as the process lives.
fn serve_directory() -> (SocketAddr, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join(BUCKET)).unwrap();
    let mut service = S3ServiceBuilder::new(FileSystem::new(directory.path()).unwrap());
    service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
    let service = service.build();

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    thread::spawn(move || {
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    Ok((stream, _)) = listener.accept() => {
                        stream.set_nodelay(true).unwrap();
                        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone()));
                    }
                    Some(_closed) = connections.join_next() => {}
                }
            }
        })
    });
    (address, directory)
}

/// The server that an environment variable names, with its bucket; nothing, and a word about it, where none is named.
async fn server(variable: &str) -> Option<S3Storage> {
    #[expect(clippy::disallowed_methods, reason = "which servers run beside the tests is told by the environment")]
    let url = std::env::var(variable).ok();
    let Some(url) = url else {
        #[expect(clippy::print_stderr, reason = "a skipped test says so")]
        {
            eprintln!("skipped: {variable} names no server");
        }
        return None;
    };
    let storage = storage(&url);
    if storage.check().await.is_err() {
        storage.shared.client.create_bucket().bucket(BUCKET).send().await.unwrap();
    }
    Some(storage)
}

fn new_prefix() -> String {
    format!("run-{}/", SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos())
}

#[tokio::test]
async fn a_server_in_this_process_is_a_storage() {
    let (address, _directory) = serve_directory();
    let storage = storage(&format!("http://{address}"));
    run_all_but(&storage, "topics/", BROKEN_IN_S3S_FS).await;
    assert_eq!(storage.limits(), "");
}

#[tokio::test]
async fn moto_is_a_storage() {
    if let Some(storage) = server("CONNECT_TEST_S3_MOTO").await {
        run_all_but(&storage, &new_prefix(), BROKEN_IN_MOTO).await;
        assert_eq!(storage.limits(), "");
    }
}

#[tokio::test]
async fn versitygw_is_a_storage() {
    if let Some(storage) = server("CONNECT_TEST_S3_VERSITYGW").await {
        run_all_but(&storage, &new_prefix(), BROKEN_IN_VERSITYGW).await;
        assert_eq!(storage.limits(), "");
    }
}

#[tokio::test]
async fn a_missing_bucket_is_named() {
    let (address, directory) = serve_directory();
    std::fs::remove_dir(directory.path().join(BUCKET)).unwrap();
    let error = storage(&format!("http://{address}")).check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(error.to_string(), "Non-existent S3 bucket: conformance");
}
