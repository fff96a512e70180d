//! The tables of keys as a page for people: `docs/keys.md` is made of it.

use super::{BINDINGS, FOR_CHOSEN, Key, Section};

/// What stands above the tables.
const ABOVE: &str = "\
# Keys

Every key can be bound to something else in `config.toml`, by the names of this page:

```toml
[keys]
\"f5\" = \"next-news\"
\"ctrl-p\" = \"none\"

[keys.reading]
\"x\" = \"delete\"
```

Keys are called `ctrl-x`, `alt-g`, `shift-up`, `f4`, `pgup`, `space` and so on; `C-x` and `Alt+G` are understood as well. A key that is
bound anew no longer does what it did; the other keys for that still do. \"none\" takes a key away. Letters alone are for writing, and can be
bound where a message is chosen. Some keys are the same to a terminal, Ctrl-I and Tab for example: these are refused, with a
sentence. Ctrl-C always throws away what is written, and leaves where there is nothing; it cannot be bound. Where something is asked, or
chosen from a list, Enter is the answer whatever it is bound to, and Esc or Ctrl-C is the way back. If no key is left that sends,
Enter does, and if none closes, Esc does. F1 and the last line of the screen show the keys as they are bound.
";

/// The page.
pub(crate) fn document() -> String {
    let mut page = ABOVE.to_owned();
    for section in Section::ALL {
        page += &heading(section.title());
        for binding in BINDINGS.iter().filter(|binding| binding.section == section) {
            let help = match binding.help {
                "" => binding.action.name().replace('-', " "),
                help => help.to_owned(),
            };
            page += &row(binding.keys, &binding.action.name(), &help);
        }
    }
    page += &heading("With a message chosen: `[keys.reading]`");
    for binding in FOR_CHOSEN {
        page += &row(binding.keys, binding.action.name(), binding.help);
    }
    page
}

fn heading(title: &str) -> String {
    format!("\n## {title}\n\n| Key | Name | Does |\n|---|---|---|\n")
}

fn row(keys: &[Key], name: &str, help: &str) -> String {
    let keys: Vec<String> = keys.iter().map(|key| format!("`{}`", key.written())).collect();
    format!("| {} | `{name}` | {} |\n", keys.join(", "), help.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With this variable set, the page is written instead of compared.
    const WRITE: &str = "PARLOR_WRITE_DOCS";

    #[test]
    fn the_page_is_as_the_tables_are() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/keys.md");
        if std::env::var_os(WRITE).is_some() {
            std::fs::write(path, document()).unwrap();
        }
        let page = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(page, document(), "{WRITE}=1 cargo test --lib keymap writes docs/keys.md anew");
    }

    #[test]
    fn every_key_of_the_tables_can_be_named() {
        let keys = BINDINGS.iter().flat_map(|binding| binding.keys);
        for key in keys.chain(FOR_CHOSEN.iter().flat_map(|binding| binding.keys)) {
            let written = key.written();
            // This one cannot be bound.
            if written != "ctrl-c" {
                assert_eq!(Key::read(&written), Ok(*key), "{written}");
            }
        }
    }
}
