//! The files of the program: their permissions, and where the storage may be.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;

use lectern_tests::{Backend, Lectern, TestDb, on_both_backends};

use super::Shell;
use crate::http::support::recordings::{files, recording, upload};

on_both_backends!(
    only_the_owner_can_read_the_data_directory,
    a_storage_that_contains_private_files_is_refused,
);

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

fn only_the_owner_can_read_the_data_directory(db: TestDb) {
    let url = match db.backend() {
        Backend::Postgres => db.url(),
        // The database in the data directory.
        Backend::Sqlite => "",
    };
    let server = Lectern::serve_with_umask(url, "022");
    let uploaded = upload(&server, &recording(1000));
    let data_dir = server.dir().join("lectern-data");
    assert_eq!(mode(&data_dir), 0o700);
    let files = files(&data_dir);
    assert!(
        files.contains(&format!("objects/{}", uploaded.key)),
        "{files:?}"
    );
    assert!(files.contains(&"secret".to_owned()), "{files:?}");
    for file in files {
        let path = data_dir.join(&file);
        assert_eq!(mode(&path), 0o600, "{file}");
        let parent = path.parent().unwrap();
        assert_eq!(mode(parent), 0o700, "{}", parent.display());
    }
}

fn a_storage_that_contains_private_files_is_refused(db: TestDb) {
    let shell = Shell::new();
    let dir = shell.dir().display();
    fs::create_dir(shell.dir().join("data")).unwrap();
    fs::create_dir(shell.dir().join("settings")).unwrap();
    symlink("data", shell.dir().join("link")).unwrap();
    let serve = |storage: &str, arguments: &[&str]| {
        let storage = format!("--storage=file://{storage}");
        let start = ["serve", "--log=error", "--data-dir=data", &storage];
        shell.run_on(db.url(), &[&start, arguments].concat())
    };
    for (storage, arguments, what) in [
        (format!("{dir}/data"), &[][..], "the data directory"),
        (format!("{dir}"), &[], "the data directory"),
        (format!("{dir}/link"), &[], "the data directory"),
        (
            format!("{dir}/settings"),
            &["--env-file=settings/env"],
            "the settings file",
        ),
        (
            format!("{dir}/work"),
            &["--scratch-dir=work/scratch"],
            "temporary files",
        ),
    ] {
        fs::write(shell.dir().join("settings/env"), "").unwrap();
        let output = serve(&storage, arguments);
        let error = output.error_line();
        assert!(
            error.contains("LECTERN_STORAGE") && error.contains(what),
            "{error}"
        );
    }
    if let Some(path) = db.url().strip_prefix("sqlite://") {
        let parent = Path::new(path).parent().unwrap().display().to_string();
        let output = serve(&parent, &[]);
        assert!(
            output.error_line().contains("contains the database"),
            "{output:?}"
        );
    }
    assert_eq!(files(shell.dir()), ["link", "settings/env"]);
}
