//! A parlor in a line for people, and in one of JSON for programs.

use serde::Serialize;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;
use uuid::Uuid;

use super::Parlor;
use crate::protocol::address::Address;
use crate::protocol::announcement::Announcement;
use crate::protocol::text::escape_json;

/// Columns of names in a row, at least and at most.
const NAME: (usize, usize) = (20, 40);

/// Columns of `999 people`.
const PEOPLE: usize = 10;

/// Columns of the longest that is said of the door: `passphrase, no TLS`.
const DOOR: usize = 18;

/// Columns of the longest address of IPv4 with its port. Those of IPv6 are longer, and come last so that they move nothing.
const ADDRESS: usize = 21;

/// Columns of all but the name.
const BESIDE_NAME: usize = PEOPLE + DOOR + ADDRESS + 3 * GAP.len();

const GAP: &str = "  ";

/// Columns of something that is cut, at least.
const CUT: usize = 4;

/// How wide the terminal is; what is written to a file has no end of line to keep to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns(pub(super) Option<usize>);

impl Columns {
    fn name(self) -> usize {
        self.0.map_or(NAME.1, |columns| columns.saturating_sub(BESIDE_NAME).clamp(NAME.0, NAME.1))
    }

    /// Where a row has no room, a parlor has two.
    fn is_narrow(self) -> bool {
        self.0.is_some_and(|columns| columns < NAME.0 + BESIDE_NAME)
    }

    /// What the columns are, above them; nothing where there are none.
    pub(super) fn heading(self) -> Option<String> {
        (!self.is_narrow()).then(|| self.row("NAME", "PEOPLE", "DOOR") + "ADDRESS")
    }

    /// A parlor, in one row or two. The address, which somebody may have to type, is never cut.
    pub(super) fn parlor(self, parlor: &Parlor) -> String {
        let name = match parlor.said.name.as_str() {
            "" => "(without a name)",
            name => name,
        };
        let address = parlor.addresses.first().map(ToString::to_string).unwrap_or_default();
        let (people, door) = (people(parlor.said.people), door(&parlor.said));
        if let Some(columns) = self.0.filter(|_| self.is_narrow()) {
            let room = columns.saturating_sub(2 * GAP.len() + address.width());
            let second = format!("{address}{GAP}{}", fitted(&format!("{people}, {door}"), room));
            return format!("{}\n{GAP}{}", fitted(name, columns), second.trim_end());
        }
        let row = self.row(name, &people, &door);
        match self.0 {
            Some(columns) if row.width() + address.width() > columns => {
                format!("{}\n{GAP}{address}", row.trim_end())
            }
            _ => row + &address,
        }
    }

    /// All of a row but the address.
    fn row(self, name: &str, people: &str, door: &str) -> String {
        let name = padded(&fitted(name, self.name()), self.name());
        let (people, door) = (padded(people, PEOPLE), padded(door, DOOR));
        [&name, &people, &door, ""].map(AsRef::<str>::as_ref).join(GAP)
    }
}

/// What to type to sit down there. Not `--plain`, whatever is announced: that there is no TLS is for the person to believe who
/// is told so when joining.
pub(super) fn join(parlor: &Parlor) -> String {
    match parlor.addresses.first().map(Address::to_string) {
        // Some shells look for files with such names.
        Some(address) if address.contains('[') => format!("parlor join '{address}'"),
        Some(address) => format!("parlor join {address}"),
        None => "parlor join ADDRESS".to_owned(),
    }
}

fn people(count: u32) -> String {
    match count {
        0 => "nobody".to_owned(),
        1 => "1 person".to_owned(),
        _ => format!("{count} people"),
    }
}

fn door(said: &Announcement) -> String {
    let locked = if said.open { "open" } else { "passphrase" };
    if said.fingerprint.is_some() { locked.to_owned() } else { format!("{locked}, no TLS") }
}

/// As much of a line as these columns hold; nothing where that would tell nothing.
fn fitted(line: &str, columns: usize) -> String {
    if line.width() <= columns {
        return line.to_owned();
    }
    if columns < CUT {
        return String::new();
    }
    let mut fitted = String::new();
    for grapheme in line.graphemes(true) {
        if fitted.width() + grapheme.width() >= columns {
            break;
        }
        fitted.push_str(grapheme);
    }
    fitted + "…"
}

fn padded(text: &str, columns: usize) -> String {
    text.to_owned() + &" ".repeat(columns.saturating_sub(text.width()))
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    Parlor {
        #[serde(flatten)]
        said: &'a Announcement,
        addresses: Vec<String>,
    },
    Gone {
        id: Uuid,
    },
}

/// A parlor, for programs.
pub(super) fn json(parlor: &Parlor) -> String {
    let addresses = parlor.addresses.iter().map(ToString::to_string).collect();
    written(&Line::Parlor { said: &parlor.said, addresses })
}

/// The end of all parlors of an id, for programs.
pub(super) fn json_gone(id: Uuid) -> String {
    written(&Line::Gone { id })
}

fn written(line: &Line<'_>) -> String {
    // Numbers, digits and texts: there is nothing in it that JSON could not say.
    escape_json(&serde_json::to_string(line).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::hex::Hex;

    fn parlor(name: &str, address: &str, people: u32, open: bool, tls: bool) -> Parlor {
        Parlor {
            said: Announcement {
                id: Uuid::from_u128(7),
                name: crate::protocol::text::Line::lossy(name),
                port: 7878,
                people,
                open,
                fingerprint: tls.then_some(Hex([9; 32])),
            },
            addresses: vec![address.parse().unwrap(), "[fe80::1%eth0]".parse().unwrap()],
        }
    }

    fn listed(columns: Option<usize>) -> String {
        let parlors = [
            parlor("lab", "192.168.1.7", 3, false, true),
            parlor(
                "a name as long as it may be: the reading group of Thursday",
                "10.0.0.12:40404",
                1,
                true,
                false,
            ),
            parlor(
                "読書会 木曜日の夜の部屋と朝の部屋",
                "[fe80::1234:5678:9abc:def0%wlan0]",
                120,
                false,
                false,
            ),
            parlor("", "127.0.0.1", 0, true, true),
        ];
        let columns = Columns(columns);
        let rows = parlors.iter().map(|parlor| columns.parlor(parlor));
        columns.heading().into_iter().chain(rows).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_parlor_has_a_row() {
        insta::assert_snapshot!(listed(Some(80)), @"
        NAME                       PEOPLE      DOOR                ADDRESS
        lab                        3 people    passphrase          192.168.1.7:7878
        a name as long as it may…  1 person    open, no TLS        10.0.0.12:40404
        読書会 木曜日の夜の部屋…   120 people  passphrase, no TLS
          [fe80::1234:5678:9abc:def0%wlan0]:7878
        (without a name)           nobody      open                127.0.0.1:7878
        ");
        insta::assert_snapshot!(listed(None), @"
        NAME                                      PEOPLE      DOOR                ADDRESS
        lab                                       3 people    passphrase          192.168.1.7:7878
        a name as long as it may be: the readin…  1 person    open, no TLS        10.0.0.12:40404
        読書会 木曜日の夜の部屋と朝の部屋         120 people  passphrase, no TLS  [fe80::1234:5678:9abc:def0%wlan0]:7878
        (without a name)                          nobody      open                127.0.0.1:7878
        ");
    }

    #[test]
    fn in_a_narrow_terminal_a_parlor_has_two() {
        insta::assert_snapshot!(listed(Some(50)), @"
        lab
          192.168.1.7:7878  3 people, passphrase
        a name as long as it may be: the reading group of…
          10.0.0.12:40404  1 person, open, no TLS
        読書会 木曜日の夜の部屋と朝の部屋
          [fe80::1234:5678:9abc:def0%wlan0]:7878  120 peo…
        (without a name)
          127.0.0.1:7878  nobody, open
        ");
        assert!(listed(Some(1)).contains("192.168.1.7:7878"));
    }

    #[test]
    fn what_to_type_can_be_typed() {
        assert_eq!(join(&parlor("a", "10.0.0.1", 0, true, true)), "parlor join 10.0.0.1:7878");
        assert_eq!(
            join(&parlor("a", "[fe80::1%eth0]:99", 0, true, false)),
            "parlor join '[fe80::1%eth0]:99'"
        );
    }

    #[test]
    fn programs_read_all_of_it() {
        insta::assert_snapshot!(json(&parlor("lab", "192.168.1.7", 3, false, true)), @r#"{"type":"parlor","id":"00000000-0000-0000-0000-000000000007","name":"lab","port":7878,"people":3,"open":false,"fingerprint":"0909090909090909090909090909090909090909090909090909090909090909","addresses":["192.168.1.7:7878","[fe80::1%eth0]:7878"]}"#);
        insta::assert_snapshot!(json(&parlor("lab", "192.168.1.7", 3, false, false)), @r#"{"type":"parlor","id":"00000000-0000-0000-0000-000000000007","name":"lab","port":7878,"people":3,"open":false,"addresses":["192.168.1.7:7878","[fe80::1%eth0]:7878"]}"#);
        insta::assert_snapshot!(json_gone(Uuid::from_u128(7)), @r#"{"type":"gone","id":"00000000-0000-0000-0000-000000000007"}"#);
    }
}
