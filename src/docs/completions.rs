//! What a shell offers behind Tab: commands, options, their values, and files or folders where these are asked for.

use clap::{Arg, Command, ValueHint};
use clap_complete::{Generator as _, Shell};

use super::Document;

/// Those that have a place where the packages of a system put completions.
const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

/// One script for each shell, under the name by which that shell finds it.
pub(super) fn scripts(program: Command) -> Vec<Document> {
    let mut program = program.mut_subcommands(|command| command.mut_args(hinted));
    let mut script = |shell: Shell| {
        let mut content = Vec::new();
        clap_complete::generate(shell, &mut program, "parlor", &mut content);
        Document { name: shell.file_name("parlor"), content }
    };
    SHELLS.map(&mut script).into()
}

/// What the help calls a folder, a file or an address is completed as one.
fn hinted(arg: Arg) -> Arg {
    let named = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    match named.as_deref() {
        Some("DIR") => arg.value_hint(ValueHint::DirPath),
        Some("FILE") => arg.value_hint(ValueHint::FilePath),
        Some("ADDR") => arg.value_hint(ValueHint::Hostname),
        _ => arg,
    }
}
