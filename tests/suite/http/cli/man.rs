//! `lectern man`.

use std::fs;

use super::Shell;

#[test]
fn the_manual_page_is_printed() {
    let shell = Shell::new();
    let output = shell.run_on("postgres://me:s3cret@db/lectern", &["man"]);
    output.lines();
    for part in [".TH lectern 1", "DATABASE_URL", "lectern\\-migrate(1)"] {
        assert!(output.out.contains(part), "{part} is not in {}", output.out);
    }
    assert!(!output.out.contains("s3cret"), "{}", output.out);
    assert_eq!(shell.files(), [""; 0]);
}

#[test]
fn each_command_has_a_manual_page_in_the_directory() {
    let shell = Shell::new();
    let output = shell.run_on("postgres://me:s3cret@db/lectern", &["man", "share/man1"]);
    assert_eq!(output.lines(), [""; 0]);
    for (page, option) in [
        ("lectern.1", "database\\-url"),
        ("lectern-serve.1", "with\\-worker"),
        ("lectern-migrate-new.1", "dir"),
    ] {
        let text = fs::read_to_string(shell.dir().join("share/man1").join(page)).unwrap();
        assert!(
            text.contains(".TH ") && text.contains(option),
            "{page}: {text}"
        );
        assert!(!text.contains("s3cret"), "{page}");
    }
    shell.write("a-file", "");
    let output = shell.run(&["man", "a-file"]);
    assert!(output.error_line().contains("a-file"), "{output:?}");
}
