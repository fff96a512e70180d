//! The manual: a page for `parlor` and one for each of its commands, of what `--help` says and what is beside it.

mod help;
mod tables;

use std::io;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};

use super::Document;
use help::{Block, Help};

/// All pages. They have no date: the same parlor makes the same pages, whenever and wherever they are made.
///
/// # Errors
/// None in practice: the pages are written into memory.
pub(super) fn pages(program: Command) -> io::Result<Vec<Document>> {
    let mut program = program
        .disable_help_subcommand(true)
        .subcommand_help_heading("COMMANDS")
        .mut_subcommands(|command| quoted(command).mut_args(quoted_help));
    program.build();
    let mut program = with_usage(program).mut_subcommands(with_usage);
    program.build();
    let shown = || program.get_subcommands().filter(|command| !command.is_hide_set());
    let names: Vec<&str> = shown().map(Command::get_name).collect();
    std::iter::once(&program).chain(shown()).map(|command| page(command, &names)).collect()
}

/// A command whose own line has apostrophes around code: it is printed as it is, and roff makes opening quotes of backticks.
fn quoted(command: Command) -> Command {
    let about = command.get_about().map(|about| about.to_string().replace('`', "'"));
    match about {
        Some(about) => command.about(about),
        None => command,
    }
}

/// The same for the help of an option.
fn quoted_help(arg: clap::Arg) -> clap::Arg {
    let help = arg.get_help().map(|help| help.to_string().replace('`', "'"));
    match help {
        Some(help) => arg.help(help),
        None => arg,
    }
}

/// The synopsis is the usage that the help shows, and not a list of all options: these follow.
fn with_usage(mut command: Command) -> Command {
    let usage = command.render_usage().to_string();
    command.override_usage(usage.trim_start_matches("Usage: ").to_owned())
}

/// The page of one command; `commands` are those that there are.
fn page(command: &Command, commands: &[&str]) -> io::Result<Document> {
    let man = Man::new(command.clone());
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let help = Help::read(&help);
    let mut page = Vec::new();
    let title = command.get_display_name().unwrap_or_else(|| command.get_name());
    head(title).to_writer(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    description(command, &help.prose).to_writer(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    tagged("EXIT STATUS", tables::EXIT_STATUS.iter().copied()).to_writer(&mut page)?;
    for (title, rows) in [("ENVIRONMENT", tables::ENVIRONMENT), ("FILES", tables::FILES)] {
        let matters = |option: &&str| command.has_subcommands() || has_option(command, option);
        let rows: Vec<_> = rows.iter().filter(|row| row.options.iter().any(matters)).collect();
        if !rows.is_empty() {
            tagged(title, rows.iter().map(|row| (row.name, row.meaning))).to_writer(&mut page)?;
        }
    }
    if !help.examples.is_empty() {
        let mut roff = Roff::new();
        roff.control("SH", ["EXAMPLES"]);
        blocks(&mut roff, &help.examples, true);
        roff.to_writer(&mut page)?;
    }
    see_also(command.get_name(), commands).to_writer(&mut page)?;
    Ok(Document { name: man.get_filename(), content: page })
}

/// The title. It has no date, for which an empty argument stands; and neither are words parted, since they may be names of
/// files, nor lines stretched.
fn head(title: &str) -> Roff {
    let source = concat!("parlor ", env!("CARGO_PKG_VERSION"));
    let mut roff = Roff::new();
    roff.control("TH", [title, "1", "\"\"", source, "The manual of parlor"]);
    roff.control("nh", []);
    roff.control("ad", ["l"]);
    roff
}

fn has_option(command: &Command, option: &str) -> bool {
    command.get_arguments().any(|arg| arg.get_long() == Some(option))
}

/// What it does, and what its help says besides examples.
fn description(command: &Command, prose: &[Block<'_>]) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["DESCRIPTION"]);
    let about = command.get_long_about().or_else(|| command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    let about: Vec<Block<'_>> = about.lines().filter(|line| !line.is_empty()).map(Block::Paragraph).collect();
    blocks(&mut roff, &about, true);
    blocks(&mut roff, prose, false);
    roff
}

/// Paragraphs and commands; before the first of a section there is nothing to be set apart from.
fn blocks(roff: &mut Roff, blocks: &[Block<'_>], mut first: bool) {
    for block in blocks {
        match block {
            Block::Paragraph(text) => {
                if !first {
                    roff.control("PP", []);
                }
                roff.text(sentence(text));
            }
            Block::Explained { command, does } => {
                roff.control("TP", []);
                roff.text([bold(*command)]);
                roff.text(marked(does));
            }
            Block::Commands(commands) => {
                if !first {
                    roff.control("PP", []);
                }
                roff.control("nf", []);
                for command in commands {
                    roff.text([bold(*command)]);
                }
                roff.control("fi", []);
            }
        }
        first = false;
    }
}

/// Names with what they mean.
fn tagged<'a>(title: &'a str, rows: impl Iterator<Item = (&'a str, &'a str)>) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [title]);
    for (name, meaning) in rows {
        roff.control("TP", []);
        roff.text([bold(name)]);
        roff.text(sentence(meaning));
    }
    roff
}

/// The pages that one may want next: those of `commands` that go with this one, and from the program's own all of them.
fn see_also(command: &str, commands: &[&str]) -> Roff {
    let also: Vec<&str> = match tables::SEE_ALSO.iter().find(|(of, _)| *of == command) {
        Some((_, also)) => also.iter().copied().filter(|name| commands.contains(name)).collect(),
        None if command == "parlor" => commands.to_vec(),
        None => Vec::new(),
    };
    let own = (command != "parlor").then(|| "parlor".to_owned());
    let pages: Vec<String> =
        own.into_iter().chain(also.iter().map(|name| format!("parlor-{name}"))).collect();
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    let mut line = Vec::new();
    for (nth, page) in pages.iter().enumerate() {
        let comma = if nth == 0 { "" } else { ", " };
        line.extend([roman(comma), bold(page.as_str()), roman("(1)")]);
    }
    roff.text(line);
    roff
}

/// A text with a full stop.
fn sentence(text: &str) -> Vec<Inline> {
    let mut inlines = marked(text);
    if !text.ends_with(['.', ':', '!', '?', '…']) {
        inlines.push(roman("."));
    }
    inlines
}

/// A text, with what stands between backticks in bold.
fn marked(text: &str) -> Vec<Inline> {
    let parts = text.split('`').enumerate();
    parts.map(|(nth, part)| if nth % 2 == 0 { roman(part) } else { bold(part) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::CommandFactory as _;

    fn page_of(name: &str) -> String {
        let pages = pages(Cli::command()).unwrap();
        let page = pages.into_iter().find(|page| page.name == name).unwrap();
        String::from_utf8(page.content).unwrap()
    }

    #[test]
    fn each_command_and_the_program_have_a_page() {
        let pages = pages(Cli::command()).unwrap();
        let commands = Cli::command().get_subcommands().count();
        assert_eq!(pages.len(), 1 + commands);
        for page in pages {
            let text = String::from_utf8(page.content).unwrap();
            for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "EXAMPLES", "SEE ALSO"] {
                let title = Roff::new().control("SH", [section]).to_roff();
                assert!(text.contains(&title), "{} has no {section}", page.name);
            }
            assert!(!text.contains('`'), "{} has a backtick, which would become a quote", page.name);
        }
    }

    #[cfg(all(feature = "server", feature = "client"))]
    #[test]
    fn what_is_named_beside_a_command_is_there() {
        let commands: Vec<String> =
            Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
        for (of, also) in tables::SEE_ALSO {
            for name in also.iter().chain([of]) {
                assert!(commands.iter().any(|command| command == name), "there is no `parlor {name}`");
            }
        }
        let options: Vec<String> = Cli::command()
            .get_subcommands()
            .flat_map(|command| command.get_arguments().filter_map(|arg| arg.get_long().map(str::to_owned)))
            .collect();
        for name in tables::ENVIRONMENT.iter().chain(tables::FILES).flat_map(|row| row.options) {
            assert!(options.iter().any(|option| option == name), "there is no --{name}");
        }
    }

    #[cfg(all(feature = "server", feature = "client"))]
    #[test]
    fn a_page_has_what_matters_to_its_command() {
        let say = page_of("parlor-say.1");
        assert!(say.contains("PARLOR_SERVER") && !say.contains("server.toml"), "{say}");
        let serve = page_of("parlor-serve.1");
        assert!(serve.contains("server.toml") && !serve.contains("PARLOR_SERVER"), "{serve}");
        assert!(serve.contains("HOSTNAME") && !say.contains("HOSTNAME"), "{serve}");
        let all = page_of("parlor.1");
        assert!(
            all.contains("server.toml") && all.contains("PARLOR_SERVER") && all.contains("COMMANDS"),
            "{all}"
        );
    }

    #[test]
    fn code_is_bold_and_a_sentence_ends() {
        let text = Roff::new().text(sentence("what `parlor import` reads")).to_roff();
        assert_eq!(text, "what \\fBparlor import\\fR reads.\n");
        assert_eq!(Roff::new().text(sentence("So it is.")).to_roff(), "So it is.\n");
    }
}
