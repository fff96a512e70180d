//! A QR code out of characters, for telephones to read from the screen.

use qrcode::{Color, EcLevel, QrCode};

/// Squares of margin on each side, without which readers may not find the code: four, says the standard.
const QUIET: usize = 4;

/// A text as the rows of a QR code, two rows of squares in each row of half blocks. `None` if it is too long for one,
/// which is beyond 2,953 bytes. 106 bytes fit into 23 rows of 45 columns, 230 into 31 rows of 61.
///
/// The light squares are drawn and the dark ones left out, which looks as it should where text is light on dark. Whoever can
/// set colours sets white on black: there are readers that do not know what to do with a negative.
///
/// The lowest level of error correction (L), because it makes the smallest code, and a screen is neither torn nor stained.
pub fn qr(text: &str) -> Option<Vec<String>> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let (width, colors) = (code.width(), code.to_colors());
    let side = width + 2 * QUIET;
    let light = |x: usize, y: usize| {
        let inside = (QUIET..QUIET + width).contains(&x) && (QUIET..QUIET + width).contains(&y);
        y < side && (!inside || colors[(y - QUIET) * width + x - QUIET] == Color::Light)
    };
    let half = |x, y| match (light(x, y), light(x, y + 1)) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    };
    Some((0..side).step_by(2).map(|y| (0..side).map(|x| half(x, y)).collect()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is drawn, as squares: `true` is light.
    fn squares(rows: &[String]) -> Vec<Vec<bool>> {
        let half = |row: &String, chars: [char; 2]| row.chars().map(|c| chars.contains(&c)).collect();
        rows.iter().flat_map(|row| [half(row, ['█', '▀']), half(row, ['█', '▄'])]).collect()
    }

    #[test]
    fn the_squares_are_those_of_the_code_within_a_margin() {
        let text = "parlor://192.168.1.7:7878/#%E4%BC%9A%E8%AD%B0?fp=AAECAwQFBgcICQoLDA0ODw&p=amber-otter-river-stone";
        let rows = qr(text).unwrap();
        let drawn = squares(&rows);
        let code = QrCode::with_error_correction_level(text, EcLevel::L).unwrap();
        let side = code.width() + 8;
        assert!(rows.iter().all(|row| row.chars().count() == side));
        for y in 0..side {
            for x in 0..side {
                let margin = |at: usize| !(4..side - 4).contains(&at);
                let light = margin(x) || margin(y) || code[(x - 4, y - 4)] == Color::Light;
                assert_eq!(drawn[y][x], light, "{x} {y}");
            }
        }
        // The number of rows is odd; what is below the last one is not drawn.
        assert!(drawn[side].iter().all(|light| !light));
    }

    #[test]
    fn it_is_as_large_as_it_must_be() {
        let size = |bytes| qr(&"x".repeat(bytes)).map(|rows| (rows.len(), rows[0].chars().count()));
        assert_eq!(size(106), Some((23, 45)));
        assert_eq!(size(230), Some((31, 61)));
        assert!(size(2953).is_some());
        assert_eq!(size(2954), None);
    }

    #[test]
    fn the_smallest_code_looks_like_one() {
        insta::assert_snapshot!(qr("parlor").unwrap().join("\n"), @"
        █████████████████████████████
        █████████████████████████████
        ████ ▄▄▄▄▄ █▀▄█▀▄█ ▄▄▄▄▄ ████
        ████ █   █ █▀▄█▀██ █   █ ████
        ████ █▄▄▄█ █▀▀ ▄ █ █▄▄▄█ ████
        ████▄▄▄▄▄▄▄█▄█ ▀ █▄▄▄▄▄▄▄████
        ████▄ ▄ ▄▀▄▄▄ ▀█ ▄█ █▄▀▄▀████
        ████▄█ ▄▀█▄█ █▀▄█▄█▀   ▄█████
        ██████▄█▄▄▄▄ ▀█ ▀ ▀▀▄▄▀▀▀████
        ████ ▄▄▄▄▄ █▄ ▄▀ ▀  ▀▀▀▄▀████
        ████ █   █ █ █ █ ██▄▀▀█▄█████
        ████ █▄▄▄█ █ ▀▄▄█▄██▀▀ ██████
        ████▄▄▄▄▄▄▄█▄▄█▄█▄██▄██▄█████
        █████████████████████████████
        ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀
        ");
    }
}
