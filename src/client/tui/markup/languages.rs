//! The languages whose code is coloured, as data.

use crate::client::tui::styled::Token;

/// What must be known of a language to colour it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Language {
    /// What it is called behind a fence, in capitals or not.
    pub(super) names: &'static [&'static str],
    /// What begins a comment up to the end of the line.
    pub(super) line_comments: &'static [&'static str],
    /// Only behind white space.
    pub(super) spaced_comments: bool,
    pub(super) block_comment: Option<(&'static str, &'static str)>,
    /// Quotes of strings that may hold line breaks.
    pub(super) long_quotes: &'static [&'static str],
    /// Quotes of strings within a line.
    pub(super) quotes: &'static [&'static str],
    /// What stands in single quotes is one character.
    pub(super) letters_in_quotes: bool,
    pub(super) keywords: &'static [&'static str],
    /// Keywords may be written in capitals.
    pub(super) any_case: bool,
    /// What whole lines begin with, where that alone says what they are.
    pub(super) line_marks: &'static [(&'static str, Token)],
}

/// What most languages have in common.
const USUAL: Language = Language {
    names: &[],
    line_comments: &["//"],
    spaced_comments: false,
    block_comment: Some(("/*", "*/")),
    long_quotes: &[],
    quotes: &["\"", "'"],
    letters_in_quotes: false,
    keywords: &[],
    any_case: false,
    line_marks: &[],
};

/// The same for languages with comments behind `#`.
const HASHED: Language = Language { line_comments: &["#"], block_comment: None, ..USUAL };

/// The language that is called so.
pub(super) fn find(name: &str) -> Option<&'static Language> {
    LANGUAGES.iter().find(|language| language.names.iter().any(|known| known.eq_ignore_ascii_case(name)))
}

/// Those that are pasted into chats.
#[rustfmt::skip]
pub(super) const LANGUAGES: &[Language] = &[
    Language {
        names: &["rust", "rs"],
        long_quotes: &["\""], quotes: &["'"], letters_in_quotes: true,
        keywords: &["as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern", "false", "fn",
            "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "self", "Self", "static",
            "struct", "super", "trait", "true", "type", "union", "unsafe", "use", "where", "while", "yield"],
        ..USUAL
    },
    Language {
        names: &["python", "py", "python3"],
        long_quotes: &["\"\"\"", "'''"],
        keywords: &["and", "as", "assert", "async", "await", "break", "case", "class", "continue", "def", "del", "elif", "else",
            "except", "False", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "match", "None", "nonlocal",
            "not", "or", "pass", "raise", "return", "self", "True", "try", "while", "with", "yield"],
        ..HASHED
    },
    Language {
        names: &["javascript", "js", "jsx", "typescript", "ts", "tsx", "mjs"],
        long_quotes: &["`"],
        keywords: &["abstract", "any", "as", "async", "await", "boolean", "break", "case", "catch", "class", "const", "continue",
            "declare", "default", "delete", "do", "else", "enum", "export", "extends", "false", "finally", "for", "from", "function",
            "if", "implements", "import", "in", "instanceof", "interface", "let", "new", "null", "number", "of", "private", "protected",
            "public", "readonly", "return", "static", "string", "super", "switch", "this", "throw", "true", "try", "type", "typeof",
            "undefined", "var", "void", "while", "yield"],
        ..USUAL
    },
    Language {
        names: &["json", "jsonc", "json5"],
        keywords: &["true", "false", "null"],
        ..USUAL
    },
    Language {
        names: &["c", "h", "cpp", "c++", "cc", "cxx", "hpp", "objc"],
        letters_in_quotes: true,
        keywords: &["alignas", "alignof", "auto", "bool", "break", "case", "catch", "char", "class", "const", "constexpr", "continue",
            "default", "define", "delete", "do", "double", "else", "endif", "enum", "explicit", "extern", "false", "float", "for",
            "friend", "goto", "if", "ifdef", "ifndef", "include", "inline", "int", "long", "namespace", "new", "noexcept", "nullptr",
            "NULL", "operator", "override", "pragma", "private", "protected", "public", "register", "restrict", "return", "short",
            "signed", "sizeof", "static", "struct", "switch", "template", "this", "throw", "true", "try", "typedef", "typename",
            "union", "unsigned", "using", "virtual", "void", "volatile", "while"],
        ..USUAL
    },
    Language {
        names: &["csharp", "cs", "c#"],
        letters_in_quotes: true,
        keywords: &["abstract", "as", "async", "await", "base", "bool", "break", "case", "catch", "class", "const", "continue",
            "decimal", "default", "delegate", "do", "double", "else", "enum", "event", "false", "finally", "float", "for", "foreach",
            "get", "if", "in", "int", "interface", "internal", "is", "lock", "long", "namespace", "new", "null", "object", "out",
            "override", "private", "protected", "public", "readonly", "record", "ref", "return", "sealed", "set", "static", "string",
            "struct", "switch", "this", "throw", "true", "try", "using", "var", "virtual", "void", "where", "while", "yield"],
        ..USUAL
    },
    Language {
        names: &["java", "kotlin", "kt", "scala", "groovy"],
        long_quotes: &["\"\"\""], letters_in_quotes: true,
        keywords: &["abstract", "assert", "boolean", "break", "byte", "case", "catch", "char", "class", "companion", "const",
            "continue", "data", "def", "default", "do", "double", "else", "enum", "extends", "false", "final", "finally", "float",
            "for", "fun", "if", "implements", "import", "in", "instanceof", "int", "interface", "is", "long", "match", "native", "new",
            "null", "object", "override", "package", "private", "protected", "public", "record", "return", "sealed", "short", "static",
            "super", "suspend", "switch", "synchronized", "this", "throw", "throws", "trait", "true", "try", "val", "var", "void",
            "volatile", "when", "while", "with", "yield"],
        ..USUAL
    },
    Language {
        names: &["go", "golang"],
        long_quotes: &["`"], letters_in_quotes: true,
        keywords: &["any", "bool", "break", "byte", "case", "chan", "const", "continue", "default", "defer", "else", "error",
            "fallthrough", "false", "for", "func", "go", "goto", "if", "import", "int", "interface", "map", "nil", "package", "range",
            "return", "rune", "select", "string", "struct", "switch", "true", "type", "var"],
        ..USUAL
    },
    Language {
        names: &["swift"],
        long_quotes: &["\"\"\""], quotes: &["\""],
        keywords: &["actor", "as", "async", "await", "break", "case", "catch", "class", "continue", "default", "defer", "do", "else",
            "enum", "extension", "false", "for", "func", "guard", "if", "import", "in", "init", "inout", "internal", "is", "let", "nil",
            "private", "protocol", "public", "repeat", "return", "self", "static", "struct", "super", "switch", "throw", "throws",
            "true", "try", "var", "where", "while"],
        ..USUAL
    },
    Language {
        names: &["php"],
        line_comments: &["//", "#"],
        keywords: &["abstract", "array", "as", "break", "case", "catch", "class", "const", "continue", "default", "do", "echo", "else",
            "elseif", "extends", "false", "final", "finally", "fn", "for", "foreach", "function", "global", "if", "implements",
            "include", "interface", "isset", "match", "namespace", "new", "null", "private", "protected", "public", "readonly",
            "require", "return", "static", "switch", "this", "throw", "trait", "true", "try", "use", "var", "while", "yield"],
        ..USUAL
    },
    Language {
        names: &["ruby", "rb"],
        keywords: &["alias", "and", "begin", "break", "case", "class", "def", "defined", "do", "else", "elsif", "end", "ensure",
            "false", "for", "if", "in", "include", "module", "next", "nil", "not", "or", "puts", "raise", "redo", "require", "rescue",
            "retry", "return", "self", "super", "then", "true", "undef", "unless", "until", "when", "while", "yield"],
        ..HASHED
    },
    Language {
        names: &["lua"],
        line_comments: &["--"], block_comment: Some(("--[[", "]]")),
        keywords: &["and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil",
            "not", "or", "repeat", "return", "then", "true", "until", "while"],
        ..USUAL
    },
    Language {
        names: &["haskell", "hs"],
        line_comments: &["--"], block_comment: Some(("{-", "-}")), letters_in_quotes: true,
        keywords: &["case", "class", "data", "deriving", "do", "else", "foreign", "if", "import", "in", "infix", "infixl", "infixr",
            "instance", "let", "module", "newtype", "of", "qualified", "then", "type", "where"],
        ..USUAL
    },
    Language {
        names: &["sh", "bash", "shell", "zsh", "console", "fish"],
        spaced_comments: true, long_quotes: &["\"", "'"], quotes: &[],
        keywords: &["alias", "case", "cd", "do", "done", "echo", "elif", "else", "esac", "eval", "exec", "exit", "export", "fi", "for",
            "function", "if", "in", "local", "read", "return", "set", "shift", "source", "sudo", "then", "trap", "unset", "until",
            "while"],
        ..HASHED
    },
    Language {
        names: &["sql", "mysql", "postgres", "postgresql", "sqlite"],
        line_comments: &["--"], any_case: true,
        keywords: &["add", "all", "alter", "and", "as", "asc", "begin", "between", "by", "case", "check", "column", "commit",
            "constraint", "create", "cross", "database", "default", "delete", "desc", "distinct", "drop", "else", "end", "exists",
            "false", "foreign", "from", "full", "group", "having", "if", "in", "index", "inner", "insert", "into", "is", "join", "key",
            "left", "like", "limit", "not", "null", "offset", "on", "or", "order", "outer", "pragma", "primary", "references",
            "returning", "right", "rollback", "select", "set", "table", "then", "true", "union", "unique", "update", "using",
            "values", "view", "when", "where", "with"],
        ..USUAL
    },
    Language {
        names: &["toml", "ini", "conf", "cfg"],
        line_comments: &["#", ";"], spaced_comments: true, long_quotes: &["\"\"\"", "'''"],
        keywords: &["true", "false"],
        ..HASHED
    },
    Language {
        names: &["yaml", "yml"],
        spaced_comments: true,
        keywords: &["true", "false", "null", "yes", "no"],
        ..HASHED
    },
    Language {
        names: &["dockerfile", "docker", "makefile", "make", "cmake"],
        spaced_comments: true,
        keywords: &["ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "RUN", "SHELL", "USER",
            "VOLUME", "WORKDIR", "define", "else", "endef", "endif", "export", "ifdef", "ifeq", "ifndef", "ifneq", "include"],
        ..HASHED
    },
    Language {
        names: &["html", "xml", "svg"],
        line_comments: &[], block_comment: Some(("<!--", "-->")),
        ..USUAL
    },
    Language {
        names: &["css", "scss", "less"],
        line_comments: &[],
        keywords: &["and", "auto", "from", "import", "important", "inherit", "initial", "media", "none", "not", "only", "root", "to",
            "unset", "var"],
        ..USUAL
    },
    Language {
        names: &["diff", "patch"],
        line_marks: &[("+", Token::String), ("-", Token::Number), ("@@", Token::Keyword), ("diff ", Token::Keyword)],
        ..USUAL
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_of_two_languages() {
        let names: Vec<&str> = LANGUAGES.iter().flat_map(|language| language.names).copied().collect();
        for (place, name) in names.iter().enumerate() {
            assert!(!names[..place].contains(name), "{name}");
        }
    }
}
