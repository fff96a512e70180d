//! Telling code from words, and putting fences around it.

/// Lines from which on it is worth asking.
const LINES: usize = 3;

/// Of so many lines that say anything one must look like code.
const ONE_IN: usize = 3;

/// Words of a line that reads like a sentence.
const SENTENCE: usize = 6;

/// What lines of code begin with, behind their indent.
const BEGINNINGS: &[&str] = &[
    "#include",
    "#!/",
    "$ ",
    "@",
    "async def ",
    "case ",
    "class ",
    "const ",
    "def ",
    "elif ",
    "else:",
    "export ",
    "fn ",
    "for (",
    "for(",
    "from __future__",
    "func ",
    "function ",
    "if (",
    "if(",
    "impl ",
    "import ",
    "let ",
    "namespace ",
    "package ",
    "private ",
    "pub ",
    "public ",
    "return ",
    "SELECT ",
    "static ",
    "struct ",
    "type ",
    "use ",
    "using ",
    "var ",
    "void ",
    "while (",
    "while(",
    "} ",
];

/// What stands within lines of code, and seldom between words.
const SIGNS: &[&str] = &[
    "=>", "->", "::", "==", "!=", "&&", "||", "+=", "();", "()", " = ", "=\"", "\": ", "</", "/>", "${",
    "[0]", "$(", "++", "//", "/*",
];

/// Whether several lines look like code. A guess: it only decides what is offered first.
pub(crate) fn is_code(text: &str) -> bool {
    let lines: Vec<&str> = text.split('\n').filter(|line| !line.trim().is_empty()).collect();
    if lines.len() < LINES || lines.iter().any(|line| line.trim_start().starts_with("```")) {
        return false;
    }
    let mut code = lines.iter().filter(|line| looks_like_code(line)).count();
    let mut sentences = lines.iter().filter(|line| reads_like_a_sentence(line)).count();
    for (line, next) in lines.iter().zip(lines.iter().skip(1)) {
        // An indent below a line that opens something.
        let opens = line.trim_end().ends_with([':', '{', '(', '[', '>']);
        if opens && indent(next) > indent(line) {
            code += 1;
            sentences = sentences.saturating_sub(usize::from(reads_like_a_sentence(next)));
        }
    }
    code * ONE_IN >= lines.len() && code > sentences
}

fn looks_like_code(line: &str) -> bool {
    let line = line.trim();
    let ends = line.ends_with(['{', '}', ';', '\\'])
        || line.ends_with("},")
        || line.ends_with("])")
        || line.ends_with("*/");
    let begins = BEGINNINGS.iter().any(|beginning| line.starts_with(beginning));
    // In a link these signs mean nothing.
    let signs = SIGNS.iter().any(|sign| line.contains(sign)) && !line.contains("://");
    ends || ((begins || signs) && !reads_like_a_sentence(line))
}

fn reads_like_a_sentence(line: &str) -> bool {
    let words = line.split_whitespace();
    let plain = words
        .filter(|word| word.trim_end_matches(['.', ',', '!', '?', ':']).chars().all(char::is_alphabetic));
    line.trim_end().ends_with(['.', '!', '?', ',', '…', '。', '！', '？']) || plain.count() >= SENTENCE
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The code between fences that it does not hold itself.
pub(crate) fn fenced(code: &str) -> String {
    let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    format!("{fence}\n{code}\n{fence}")
}

/// Whether a fence is open at the end of a text.
pub(crate) fn ends_in_code(text: &str) -> bool {
    text.split('\n').filter(|line| line.starts_with("```")).count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tui::markup;

    #[test]
    fn code_is_told_from_words() {
        for code in [
            "fn main() {\n    println!(\"hello\");\n}",
            "def f(x):\n    y = x\n    return y",
            "for i in range(3):\n    print(i)\nprint(\"done\")",
            "{\n  \"a\": 1,\n  \"b\": [2]\n}",
            "SELECT a\nFROM b\nWHERE c = 1;",
            "#!/bin/sh\nset -eu\necho \"$(date)\"",
            "<ul>\n  <li>one</li>\n  <li>two</li>\n</ul>",
            "#include <stdio.h>\n\nint main(void) {\n  return 0;\n}",
            "if x {\n    // Nothing to be done here, because of what was said above.\n    return\n}",
        ] {
            assert!(is_code(code), "{code}");
        }
        for words in [
            "one\ntwo\nthree",
            "Dear all,\nthe demo is on Friday.\nPlease be there in time!",
            "- milk\n- bread\n- 3 eggs",
            "alice: hi\nbob: hello\nalice: how are you?",
            "\tline 1\n\tline 2\n\tline 3",
            "see https://a.b/c\nand https://d.e/f?g=h\nor (this)",
            "let us meet at ten in the morning\nuse the back door please, it is open\nreturn the keys to me",
            "fn a() {}",
            "```\nlet a = 1;\nlet b = 2;\n```",
            "家里的网络修好了\n明天可以一起看演示\n好的",
        ] {
            assert!(!is_code(words), "{words}");
        }
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert_eq!(fenced("a"), "```\na\n```");
        assert_eq!(fenced("```\na\n```"), "````\n```\na\n```\n````");
        let shown: Vec<String> =
            markup::rows(&fenced("```\n*a*"), 20).into_iter().map(|row| row.text).collect();
        assert_eq!(shown, ["│ ```", "│ *a*"]);
        assert!(ends_in_code("so:\n```rust\n") && !ends_in_code("```\na\n```\n"));
    }
}
