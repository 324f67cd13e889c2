use std::fs;

use lectern_media::Scratch;

use crate::fixture::Fixture;

#[test]
fn a_directory_is_removed_on_drop_and_the_rest_with_the_last_clone() {
    let fixture = Fixture::new();
    let root = fixture.path("scratch");
    let scratch = Scratch::new(&root, 1000).unwrap();
    let (one, two) = (
        scratch.dir("a/../b").unwrap(),
        scratch.dir("a/../b").unwrap(),
    );
    assert_ne!(one.path(), two.path());
    assert!(one.path().starts_with(&root), "{:?}", one.path());
    fs::write(one.path().join("clip"), "x").unwrap();
    let removed = one.path().to_owned();
    drop(one);
    assert!(!removed.exists());
    // The scratch space stays while a directory of it is in use.
    drop(scratch);
    assert!(two.path().exists());
    drop(two);
    assert_eq!(directories(&root), 0);
}

#[test]
fn all_directories_count_against_the_limit() {
    let fixture = Fixture::new();
    let scratch = Scratch::new(fixture.path("scratch"), 1000).unwrap();
    let (one, two) = (scratch.dir("one").unwrap(), scratch.dir("two").unwrap());
    fs::create_dir(one.path().join("deep")).unwrap();
    fs::write(one.path().join("deep/file"), [0; 600]).unwrap();
    fs::write(two.path().join("file"), [0; 400]).unwrap();
    assert_eq!((scratch.used(), scratch.check()), (1000, Ok(())));
    fs::write(two.path().join("more"), [0; 1]).unwrap();
    let full = scratch.check().unwrap_err();
    assert_eq!((full.used, full.limit), (1001, 1000));
    drop(one);
    assert_eq!(scratch.used(), 401);
}

/// Not a test: the process that crashes in the test below.
#[test]
#[ignore = "run by another test, as a process that crashes"]
fn a_process_that_crashes() {
    let Some(root) = std::env::var_os("LECTERN_TEST_ROOT") else {
        return;
    };
    let scratch = Scratch::new(root, 1000).unwrap();
    let dir = scratch.dir("lost").unwrap();
    fs::write(dir.path().join("unfinished clip"), "x").unwrap();
    std::process::abort();
}

#[test]
fn only_directories_of_dead_processes_are_removed() {
    let fixture = Fixture::new();
    let root = fixture.path("scratch");
    let alive = Scratch::new(&root, 1000).unwrap();
    let in_use = alive.dir("in use").unwrap();
    fs::create_dir(root.join("foreign")).unwrap();
    let crashed = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "scratch::a_process_that_crashes"])
        .env("LECTERN_TEST_ROOT", &root)
        .output()
        .unwrap();
    assert!(crashed.status.code().is_none(), "{crashed:?}");
    assert_eq!(directories(&root), 3);

    let _next = Scratch::new(&root, 1000).unwrap();
    assert_eq!(
        directories(&root),
        3,
        "the directory of the crashed process is gone, and there is a new one"
    );
    assert!(in_use.path().exists() && root.join("foreign").exists());
    assert!(!has_clip(&root));
}

fn directories(root: &std::path::Path) -> usize {
    let entries = fs::read_dir(root).unwrap().map(Result::unwrap);
    entries.filter(|entry| entry.path().is_dir()).count()
}

fn has_clip(dir: &std::path::Path) -> bool {
    fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .any(|path| path.ends_with("unfinished clip") || path.is_dir() && has_clip(&path))
}
