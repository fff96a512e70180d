//! What a help says behind its options, taken apart: paragraphs, and commands with what they do.

/// The parts of a help.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Help<'a> {
    /// What it explains.
    pub(super) prose: Vec<Block<'a>>,
    /// What stands under `Examples:`.
    pub(super) examples: Vec<Block<'a>>,
}

/// A part that stands for itself.
#[derive(Debug, PartialEq)]
pub(super) enum Block<'a> {
    /// Words.
    Paragraph(&'a str),
    /// A command, and in the same line what it does.
    Explained {
        /// What is typed.
        command: &'a str,
        /// What comes of it.
        does: &'a str,
    },
    /// Commands without a word, one after the other.
    Commands(Vec<&'a str>),
}

impl<'a> Help<'a> {
    /// Reads a help as `cli.rs` writes it: each paragraph is a line, commands are indented, and the spaces between a command
    /// and what it does are two or more. Examples end with an empty line.
    pub(super) fn read(help: &'a str) -> Self {
        let mut read = Self::default();
        let mut in_examples = false;
        for line in help.lines() {
            match line {
                "" => in_examples = false,
                "Examples:" | "Example:" => in_examples = true,
                _ if in_examples => add(&mut read.examples, line),
                _ => add(&mut read.prose, line),
            }
        }
        read
    }
}

fn add<'a>(blocks: &mut Vec<Block<'a>>, line: &'a str) {
    let text = line.trim();
    if text.len() == line.len() {
        return blocks.push(Block::Paragraph(line));
    }
    match (text.split_once("  "), blocks.last_mut()) {
        (Some((command, does)), _) => blocks.push(Block::Explained { command, does: does.trim_start() }),
        (None, Some(Block::Commands(commands))) => commands.push(text),
        (None, _) => blocks.push(Block::Commands(vec![text])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_and_examples_are_told_apart() {
        let help =
            "It reads lines.\n\nExamples:\n  a --b     does b\n  c | d\n  e\n\nThen unpack it:\n  tar x";
        let read = Help::read(help);
        let examples =
            vec![Block::Explained { command: "a --b", does: "does b" }, Block::Commands(vec!["c | d", "e"])];
        let prose = vec![
            Block::Paragraph("It reads lines."),
            Block::Paragraph("Then unpack it:"),
            Block::Commands(vec!["tar x"]),
        ];
        assert_eq!(read, Help { prose, examples });
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(Help::read(""), Help::default());
    }
}
