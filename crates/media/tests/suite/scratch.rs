use std::fs;

use lectern_media::Scratch;

use crate::fixture::Studio;

#[test]
fn a_directory_is_gone_when_it_is_dropped_and_the_rest_with_the_scratch() {
    let studio = Studio::new();
    let root = studio.path("scratch");
    let scratch = Scratch::new(&root, 1000).unwrap();
    let (one, two) = (
        scratch.dir("a/../b").unwrap(),
        scratch.dir("a/../b").unwrap(),
    );
    assert_ne!(one.path(), two.path());
    assert!(one.path().starts_with(&root), "{:?}", one.path());
    fs::write(one.path().join("clip"), "x").unwrap();
    let gone = one.path().to_owned();
    drop(one);
    assert!(!gone.exists());
    // A directory that is in use keeps its place.
    drop(scratch);
    assert!(two.path().exists());
    drop(two);
    assert_eq!(directories(&root), 0);
}

#[test]
fn what_is_in_all_directories_counts_against_the_limit() {
    let studio = Studio::new();
    let scratch = Scratch::new(studio.path("scratch"), 1000).unwrap();
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

/// Not a test of its own: the process of the test below, which crashes.
#[test]
#[ignore = "ends its process, for another test"]
fn a_process_that_crashes() {
    let Some(root) = std::env::var_os("LECTERN_TEST_ROOT") else {
        return;
    };
    let scratch = Scratch::new(root, 1000).unwrap();
    let dir = scratch.dir("lost").unwrap();
    fs::write(dir.path().join("half a clip"), "x").unwrap();
    std::process::abort();
}

#[test]
fn what_a_crash_left_is_removed_and_what_is_in_use_stays() {
    let studio = Studio::new();
    let root = studio.path("scratch");
    let alive = Scratch::new(&root, 1000).unwrap();
    let kept = alive.dir("kept").unwrap();
    fs::create_dir(root.join("somebody else's")).unwrap();
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
        "the crashed one's is replaced by the new one's"
    );
    assert!(kept.path().exists() && root.join("somebody else's").exists());
    assert!(!holds_a_clip(&root));
}

fn directories(root: &std::path::Path) -> usize {
    let entries = fs::read_dir(root).unwrap().map(Result::unwrap);
    entries.filter(|entry| entry.path().is_dir()).count()
}

fn holds_a_clip(dir: &std::path::Path) -> bool {
    fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .any(|path| path.ends_with("half a clip") || path.is_dir() && holds_a_clip(&path))
}
