//! `docs`: the manual and the completions of shells, made of the same table that reads the command line.

mod completions;
mod manual;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::cli::{Cli, Docs};
use crate::complain;

/// One file of what is written.
struct Document {
    name: String,
    content: Vec<u8>,
}

/// `parlor docs`.
pub(crate) fn docs(args: &Docs) -> anyhow::Result<ExitCode> {
    if let Some(folder) = &args.man {
        let pages = manual::pages(Cli::command()).context("cannot make the manual")?;
        write(folder, &pages)?;
        let page = folder.join("parlor.1");
        complain(&format!("{} pages of the manual: man -l {}", pages.len(), page.display()));
    }
    if let Some(folder) = &args.completions {
        let scripts = completions::scripts(Cli::command());
        write(folder, &scripts)?;
        complain(&format!("Completions for bash, zsh and fish are in {}", folder.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes documents into a folder, which is made if it is not there; those of an earlier parlor are replaced.
fn write(folder: &Path, documents: &[Document]) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    for Document { name, content } in documents {
        let path = folder.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_shows_an_example() {
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example"), "{} shows none", command.get_name());
        }
    }
}
