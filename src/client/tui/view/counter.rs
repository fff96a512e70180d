//! How much of a message is written, when it comes near to what the server takes.

use ratatui::text::Span;

use crate::client::tui::state::State;

/// Percents of what a message may have from which on it is counted aloud.
const FROM: usize = 80;

/// How much is written; nothing while there is room enough.
pub(super) fn counter(state: &State) -> Option<Span<'static>> {
    let (written, max) = (state.composer().text().trim_end().len(), state.text_bytes());
    if written * 100 < max * FROM {
        return None;
    }
    Some(match written.checked_sub(max) {
        Some(over) if over > 0 => {
            let bytes = if over == 1 { "byte" } else { "bytes" };
            Span::styled(format!("{} {bytes} too long", grouped(over)), state.theme.error())
        }
        _ => Span::styled(format!("{} of {} bytes", grouped(written), grouped(max)), state.theme.warning()),
    })
}

/// With a comma at each thousand.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(super::grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
