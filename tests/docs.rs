//! `parlor docs`: the manual as people read it, and the completions as shells do them.

// What fails here must fail loudly.
#![allow(clippy::unwrap_used, clippy::panic)]
// What this machine cannot do is said, not passed over.
#![allow(clippy::print_stdout)]
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::{TempDir, tempdir};

/// Columns of the narrowest terminal on which a page must not be broken.
const COLUMNS: usize = 80;

fn docs(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_parlor")).arg("docs").args(arguments).output().unwrap()
}

/// A folder with all that there is.
fn written() -> TempDir {
    let folder = tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let ended = docs(&["--man", path, "--completions", path]);
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    folder
}

/// What a program prints, or `None`, and a word about it, where there is no such program.
fn printed(command: &mut Command) -> Option<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.stdin(Stdio::null()).output() {
        Ok(Output { status, stdout, stderr }) => {
            let (said, wrong) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
            assert!(status.success(), "{name} says:\n{said}{wrong}");
            Some(said.into_owned())
        }
        Err(_) => {
            println!("there is no {name} here: nothing is tried with it");
            None
        }
    }
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The commands as the help lists them.
fn commands() -> Vec<String> {
    let help = printed(Command::new(env!("CARGO_BIN_EXE_parlor")).arg("--help")).unwrap();
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| line.is_empty() || line.starts_with(' '));
    // What a long line goes on with stands further to the right.
    let listed = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    listed.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn each_command_has_a_page_and_each_shell_a_script() {
    let folder = written();
    let commands = commands();
    assert!(commands.iter().any(|command| command == "docs"), "{commands:?}");
    let pages =
        commands.iter().filter(|command| *command != "help").map(|command| format!("parlor-{command}.1"));
    let all = ["parlor.1", "parlor.bash", "_parlor", "parlor.fish"].map(str::to_owned);
    assert_eq!(names_in(folder.path()), all.into_iter().chain(pages).collect());
    // A second time replaces what is there.
    let path = folder.path().to_str().unwrap();
    assert!(docs(&["--man", path]).status.success());
}

#[test]
fn only_what_was_asked_for_is_written_and_a_folder_is_made() {
    let folder = tempdir().unwrap();
    let made = folder.path().join("share/man/man1");
    assert!(docs(&["--man", made.to_str().unwrap()]).status.success());
    let names = names_in(&made);
    assert!(names.contains("parlor.1") && !names.contains("_parlor"), "{names:?}");
    let nothing = docs(&[]);
    assert_eq!(nothing.status.code(), Some(2));
}

#[test]
fn where_nothing_can_be_written_it_says_so() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let ended = docs(&["--completions", file.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1));
    assert!(said.starts_with(&format!("parlor: cannot make the folder {}", file.display())), "{said}");
}

#[test]
fn a_page_fits_a_terminal() {
    let folder = written();
    for name in names_in(folder.path()).iter().filter(|name| name.ends_with(".1")) {
        let page = folder.path().join(name);
        let mut man = Command::new("man");
        man.args(["--local-file", "--no-hyphenation", "--no-justification"]).arg(&page);
        man.env("MANWIDTH", COLUMNS.to_string()).env("LC_ALL", "C.UTF-8").env("MAN_KEEP_FORMATTING", "");
        let Some(shown) = printed(&mut man) else { return };
        let command = name.trim_end_matches(".1").replace('-', " ");
        assert!(shown.contains("NAME") && shown.contains(&command), "{shown}");
        assert!(
            shown.contains("The manual of parlor") && shown.contains(env!("CARGO_PKG_VERSION")),
            "{shown}"
        );
        for line in shown.lines() {
            assert!(line.chars().count() <= COLUMNS, "{name}: {line}");
            assert!(!line.contains("\\f"), "{name}: {line}");
        }
    }
}

#[test]
fn mandoc_finds_nothing_wrong() {
    let folder = written();
    for name in names_in(folder.path()).iter().filter(|name| name.ends_with(".1")) {
        let mut mandoc = Command::new("mandoc");
        // What is below an error is told and not heeded: a page without a date is one of these.
        mandoc.args(["-T", "lint", "-W", "error,stop"]).arg(folder.path().join(name));
        if printed(&mut mandoc).is_none() {
            return;
        }
    }
}

/// What bash offers for the last of `words`.
fn offered_by_bash(folder: &Path, words: &[&str]) -> Option<Vec<String>> {
    let script = r#"
        source "$1"; shift
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
        _parlor parlor "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}""#;
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", script, "bash"]).arg(folder.join("parlor.bash")).args(words);
    Some(printed(&mut bash)?.lines().map(str::to_owned).collect())
}

#[test]
fn bash_completes() {
    let folder = written();
    let offered = |words: &[&str]| offered_by_bash(folder.path(), words);
    let Some(commands) = offered(&["parlor", "d"]) else { return };
    assert_eq!(commands, ["docs"]);
    assert_eq!(offered(&["parlor", "docs", "--comp"]).unwrap(), ["--completions"]);
}

#[cfg(feature = "server")]
#[test]
fn bash_completes_what_an_option_may_be() {
    let folder = written();
    let Some(kinds) = offered_by_bash(folder.path(), &["parlor", "serve", "--durability", "p"]) else {
        return;
    };
    assert_eq!(kinds, ["process", "power"]);
}

#[test]
fn fish_completes() {
    let folder = written();
    let script = folder.path().join("parlor.fish");
    let offered = |line: &str| {
        let mut fish = Command::new("fish");
        fish.args(["--no-config", "--command", "source $argv[1]; complete --do-complete $argv[2]"]);
        printed(fish.arg(&script).arg(line))
    };
    let Some(commands) = offered("parlor doc") else { return };
    assert!(commands.starts_with("docs\t"), "{commands}");
    let options = offered("parlor docs --comp").unwrap();
    assert!(options.starts_with("--completions"), "{options}");
}

#[test]
fn zsh_takes_its_script() {
    let folder = written();
    // Completing needs a terminal; that the script is found by its name, and is one, does not.
    let script = "fpath=($1 $fpath); autoload -Uz compinit; compinit -D -u; print $_comps[parlor]; \
                  autoload +X _parlor; print ${+functions[_parlor]}";
    let mut zsh = Command::new("zsh");
    zsh.args(["-f", "-c", script, "zsh"]).arg(folder.path());
    let Some(said) = printed(&mut zsh) else { return };
    assert_eq!(said, "_parlor\n1\n");
}
