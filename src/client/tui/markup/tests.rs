//! Whole messages.

use proptest::prelude::*;

use super::*;
use crate::client::tui::styled::Token;
use crate::client::tui::wrap::tests::odd_text;

fn texts(text: &str, width: usize) -> Vec<String> {
    rows(text, width).into_iter().map(|row| row.text).collect()
}

#[test]
fn what_has_no_markers_is_as_it_was() {
    for text in
        ["good morning\n  did the build pass? (3 min)", "a\n\nb - c > d # e 1. f", "你好！家里", "at 10: yes"]
    {
        assert!(is_plain(text), "{text}");
        assert_eq!(rows(text, 12), plain(text, 12));
    }
    for text in ["snake_case", "2*3*4", ">_<", "-1", "10:30", "#lobby", "3 of them", "std::io"] {
        assert!(!is_plain(text), "{text}");
        assert_eq!(rows(text, 40), plain(text, 40), "{text}");
    }
}

#[test]
fn quotes_and_lists_hang() {
    assert_eq!(texts("> one two three\nfour", 10), ["▌ one two", "▌ three", "four"]);
    assert_eq!(texts(">> one two", 10), ["▌ ▌ one", "▌ ▌ two"]);
    assert_eq!(texts("- one two three", 10), ["• one two", "  three"]);
    assert_eq!(texts("  - one two", 10), ["  • one", "    two"]);
    assert_eq!(texts("10. one two", 10), ["10. one", "    two"]);
    assert_eq!(texts("> - one two", 12), ["▌ • one two"]);
    assert_eq!(texts("> > > - one", 8), ["▌ ▌ ▌ •", "one"]);
}

#[test]
fn code_is_cut_and_not_wrapped() {
    assert_eq!(
        texts("```\nlet a  =  1;\n\n\tb\n```\nok", 10),
        ["│ let a  =", "│   1;", "│", "│     b", "ok"]
    );
    assert_eq!(texts("```\nabcd\n```", 3), ["abc", "d"]);
    let row = &rows("```rust\nlet a\n```", 20)[0];
    let keyword = Look { kind: Kind::Block(Token::Keyword), ..Look::default() };
    assert!(row.looks.contains(&("│ ".len().."│ let".len(), keyword)), "{row:?}");
}

#[test]
fn looks_go_on_in_the_next_row() {
    let bold = Look { bold: true, ..Look::default() };
    let rows = rows("a **bold move** b", 8);
    assert_eq!(rows[0], Styled { text: "a bold".to_owned(), looks: vec![(2..6, bold)] });
    assert_eq!(rows[1], Styled { text: "move b".to_owned(), looks: vec![(0..4, bold)] });
}

#[test]
fn headings_are_bold_and_as_typed() {
    let heading = &rows("# Big *news*", 20)[0];
    assert_eq!(heading.text, "# Big news");
    assert!(heading.looks.iter().all(|(_, look)| look.bold));
    assert_eq!(rows("#lobby", 20), plain("#lobby", 20));
}

#[test]
fn an_act_begins_with_a_name_that_is_no_markup() {
    let row = &act("_bob_", "says *hi*", 40)[0];
    assert_eq!(row.text, "_bob_ says hi");
    assert_eq!(row.looks[0], (0..5, Look { kind: Kind::Name, ..Look::default() }));
}

/// Texts full of markers. `#` stands for the language of a block, which goes away with its fence.
fn marked_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        odd_text(),
        "[*_~]{1,3}|`x|x`|``x|x``",
        Just("\n```#\n".to_owned()),
        Just("\n```\n".to_owned()),
        Just("\n> ".to_owned()),
        Just("\n  - ".to_owned()),
        Just("\n1. ".to_owned()),
        Just(" [a](https://b.c/d_e_) ".to_owned()),
        Just(" https://b.c/d*e* ".to_owned()),
        "[a-z]{1,9}",
        " ",
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_row_is_too_wide_and_nothing_but_markers_is_lost(text in marked_text(), width in 1_usize..60) {
        let rows = rows(&text, width);
        for row in &rows {
            prop_assert!(wrap::columns(&row.text) <= width, "{row:?} in {width}");
            prop_assert_eq!(row.pieces().map(|(piece, _)| piece).collect::<String>(), row.text.clone());
        }
        let visible = |c: &char| wrap::columns_of(c.encode_utf8(&mut [0; 4])) > 0 && !c.is_whitespace();
        let counted = |c: &char| visible(c) && !"*_~`[]()>-#•│▌".contains(*c);
        if width >= 8 {
            let shown: String = rows.iter().flat_map(|row| row.text.chars()).filter(counted).collect();
            prop_assert_eq!(shown, text.chars().filter(counted).collect::<String>());
        }
    }
}
