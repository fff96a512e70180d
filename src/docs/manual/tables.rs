//! What no option tells: how commands end, what they heed in the environment, and their files.

/// Something that matters to the commands with certain options, and to no other.
pub(super) struct Row {
    /// What it is called.
    pub(super) name: &'static str,
    /// The options, without their dashes: to a command that has one of them it matters.
    pub(super) options: &'static [&'static str],
    /// What it is for.
    pub(super) meaning: &'static str,
}

const fn row(name: &'static str, options: &'static [&'static str], meaning: &'static str) -> Row {
    Row { name, options, meaning }
}

/// How every command ends.
pub(super) const EXIT_STATUS: &[(&str, &str)] = &[
    ("0", "Done."),
    ("1", "Failed: standard error says why, and what to do."),
    ("2", "Wrong usage: there is no such option, or what was given makes no sense."),
];

/// What is heeded in the environment. An empty variable is as good as none.
pub(super) const ENVIRONMENT: &[Row] = &[
    row("PARLOR_SERVER", &["server"], "Where the parlor is, when the command does not say so."),
    row("PARLOR_NICK", &["nick"], "What to be called, when `--nick` does not say so."),
    row("PARLOR_CONFIG", &["settings"], "The file of settings, when `--settings` does not say so."),
    row(
        "HOSTNAME",
        &["name"],
        "What the parlor is called, when nothing else says so; else what the machine is called.",
    ),
    row("NO_COLOR", &["settings"], "With any value: the screen has no colours."),
    row("COLORTERM", &["settings"], "`truecolor` or `24bit`: the terminal has all colours."),
    row("VISUAL, EDITOR", &["settings"], "The editor in which a long message is written (Alt-E)."),
    row("RUST_LOG", &["log-format"], "What the server logs: `error`, `warn`, `info` or `debug`."),
    row(
        "XDG_CONFIG_HOME",
        &["settings", "config"],
        "Where the folder `parlor` with all settings is; else in `~/.config`.",
    ),
    row(
        "XDG_DATA_HOME",
        &["nick", "data"],
        "Where the folder `parlor` with all that is kept is; else in `~/.local/share`.",
    ),
];

/// Where things are kept.
pub(super) const FILES: &[Row] = &[
    row("~/.config/parlor/server.toml", &["config"], "The configuration of the server, if it is there."),
    row("~/.config/parlor/config.toml", &["settings"], "What was set on the screen; `/set` writes it too."),
    row("~/.config/parlor/themes/", &["settings"], "Themes of one's own."),
    row(
        "~/.local/share/parlor/",
        &["data"],
        "The server's folder: what was said, who may do what, the certificate and the passphrase. `parlor backup` \
         saves it.",
    ),
    row(
        "~/.local/share/parlor/client/",
        &["nick"],
        "The key that is you, the parlors that you know and what opened them, drafts.",
    ),
];

/// The commands whose pages one may want to read next.
pub(super) const SEE_ALSO: &[(&str, &[&str])] = &[
    ("host", &["serve", "invite", "join", "backup"]),
    ("serve", &["host", "invite", "status", "backup", "import"]),
    ("invite", &["host", "serve", "join"]),
    ("status", &["serve", "backup"]),
    ("backup", &["serve", "status", "export"]),
    ("import", &["export", "backup"]),
    ("join", &["find", "host", "invite", "say"]),
    ("find", &["join", "host"]),
    ("say", &["tail", "pipe", "join"]),
    ("tail", &["say", "search", "export"]),
    ("export", &["import", "tail", "search"]),
    ("search", &["tail", "export"]),
    ("pipe", &["say", "tail"]),
    ("bench", &["serve"]),
];
