//! `lectern completions`.

use std::process::Command;

use super::{CommandOutput, Shell};

/// What bash completes the last of these words to.
fn completed(shell: &Shell, words: &[&str]) -> Vec<String> {
    let script = r#"
        source completions.bash
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _lectern lectern "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let mut bash = Command::new("bash");
    bash.args(["-euc", script, "bash"]).args(words);
    let output = CommandOutput::from(bash.current_dir(shell.dir()).output().unwrap());
    output.lines().into_iter().map(ToOwned::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_values() {
    let shell = Shell::new();
    let output = shell.run(&["completions", "bash"]);
    output.lines();
    shell.write("completions.bash", &output.out);
    for (words, expected) in [
        (&["lectern", "mig"][..], "migrate"),
        (&["lectern", "migrate", "stat"], "status"),
        (&["lectern", "serve", "--with-w"], "--with-worker"),
        (&["lectern", "--log-format", "js"], "json"),
    ] {
        assert_eq!(completed(&shell, words), [expected], "{words:?}");
    }
}

#[test]
fn other_shells_have_completions_and_need_no_settings_file() {
    let shell = Shell::new();
    for name in ["zsh", "fish", "elvish", "powershell"] {
        let output = shell
            .command(&["completions", name])
            .env("LECTERN_ENV_FILE", "missing.env")
            .output();
        let output = CommandOutput::from(output.unwrap());
        output.lines();
        for part in ["migrate", "database-url"] {
            assert!(output.out.contains(part), "{name} lacks {part}");
        }
    }
    assert_eq!(shell.files(), [""; 0]);
}
