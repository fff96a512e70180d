//! Colours: how they are written, what they look like, and which of fewer comes nearest.

use std::sync::LazyLock;

use ratatui::style::Color;

use super::Colours;

/// Red, green and blue.
pub(super) type Rgb = [u8; 3];

/// A colour as a theme names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Rgb(Rgb),
    /// One of the 256. The first sixteen are the terminal's own, whatever they look like there.
    Index(u8),
}

/// What the first sixteen are called, and how xterm shows them where nobody has changed them.
const SIXTEEN: [(&str, Rgb, Color); 16] = [
    ("black", [0, 0, 0], Color::Black),
    ("red", [205, 0, 0], Color::Red),
    ("green", [0, 205, 0], Color::Green),
    ("yellow", [205, 205, 0], Color::Yellow),
    ("blue", [0, 0, 238], Color::Blue),
    ("magenta", [205, 0, 205], Color::Magenta),
    ("cyan", [0, 205, 205], Color::Cyan),
    ("white", [229, 229, 229], Color::Gray),
    ("bright-black", [127, 127, 127], Color::DarkGray),
    ("bright-red", [255, 0, 0], Color::LightRed),
    ("bright-green", [0, 255, 0], Color::LightGreen),
    ("bright-yellow", [255, 255, 0], Color::LightYellow),
    ("bright-blue", [92, 92, 255], Color::LightBlue),
    ("bright-magenta", [255, 0, 255], Color::LightMagenta),
    ("bright-cyan", [0, 255, 255], Color::LightCyan),
    ("bright-white", [255, 255, 255], Color::White),
];

/// Of these, those that terminals make readable on dark as on light: not the greys, and not the bright ones.
pub(super) const HUES: std::ops::RangeInclusive<u8> = 1..=6;

/// The steps of the colour cube, the indices 16 to 231.
const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// Below this distance from grey, in OKLab, a colour has no hue to speak of: what is written in it is grey, beige, slate.
const GREY: f32 = 0.045;

/// What there is to choose from where there are 256: without the first sixteen, of which nobody knows how they look.
static PALETTE: LazyLock<Vec<(u8, [f32; 3])>> =
    LazyLock::new(|| (16..=255).map(|index| (index, oklab(Ink::Index(index).rgb()))).collect());

impl Ink {
    /// Reads `#rrggbb`, an index, or one of the sixteen names.
    pub(super) fn parse(word: &str) -> Option<Self> {
        if let Some(digits) = word.strip_prefix('#') {
            let all_hex = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            let [_, red, green, blue] =
                u32::from_str_radix(digits, 16).ok().filter(|_| all_hex)?.to_be_bytes();
            return Some(Self::Rgb([red, green, blue]));
        }
        let named =
            SIXTEEN.iter().position(|(name, ..)| *name == word).and_then(|place| u8::try_from(place).ok());
        named.or_else(|| word.parse().ok()).map(Self::Index)
    }

    /// What it looks like.
    pub(super) fn rgb(self) -> Rgb {
        match self {
            Self::Rgb(rgb) => rgb,
            Self::Index(index @ 0..16) => SIXTEEN.get(usize::from(index)).map_or([0; 3], |(_, rgb, _)| *rgb),
            Self::Index(index @ 16..232) => {
                let place = usize::from(index) - 16;
                [place / 36, place / 6 % 6, place % 6].map(|step| STEPS.get(step).copied().unwrap_or(0))
            }
            Self::Index(index) => [8 + 10 * (index - 232); 3],
        }
    }

    /// The nearest that there is where there are so many colours.
    pub(super) fn among(self, colours: Colours) -> Option<Self> {
        match (colours, self) {
            (Colours::None, _) => None,
            (Colours::True, _) | (_, Self::Index(0..16)) | (Colours::Many, Self::Index(_)) => Some(self),
            (Colours::Many, Self::Rgb(rgb)) => Some(nearest(rgb)),
            (Colours::Sixteen, _) => hue(self.rgb()),
        }
    }

    /// As the terminal is told of it.
    pub(super) fn color(self) -> Color {
        match self {
            Self::Rgb([red, green, blue]) => Color::Rgb(red, green, blue),
            Self::Index(index) => {
                SIXTEEN.get(usize::from(index)).map_or(Color::Indexed(index), |(.., color)| *color)
            }
        }
    }
}

/// The one of the 256 that looks most like it.
fn nearest(rgb: Rgb) -> Ink {
    let wanted = oklab(rgb);
    let distance = |known: &[f32; 3]| known.iter().zip(wanted).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
    let near = PALETTE.iter().min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)));
    near.map_or(Ink::Rgb(rgb), |(index, _)| Ink::Index(*index))
}

/// The one of the six whose hue is nearest. A grey is none of them: it is the terminal's own ink.
fn hue(rgb: Rgb) -> Option<Ink> {
    let [_, a, b] = oklab(rgb);
    if a.hypot(b) < GREY {
        return None;
    }
    let turn = |index: u8| {
        let [_, x, y] = oklab(Ink::Index(index).rgb());
        // The cosine between the two: the more, the nearer.
        (a * x + b * y) / x.hypot(y)
    };
    HUES.max_by(|one, other| turn(*one).total_cmp(&turn(*other))).map(Ink::Index)
}

fn linear(channel: u8) -> f32 {
    let part = f32::from(channel) / 255.0;
    if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
}

/// Lightness and two axes of colour, in which distances are about what eyes see: OKLab, by Björn Ottosson.
fn oklab(rgb: Rgb) -> [f32; 3] {
    let [red, green, blue] = rgb.map(linear);
    let cone = |r: f32, g: f32, b: f32| (r * red + g * green + b * blue).cbrt();
    let long = cone(0.412_221_47, 0.536_332_54, 0.051_445_993);
    let medium = cone(0.211_903_5, 0.680_699_5, 0.107_396_96);
    let short = cone(0.088_302_46, 0.281_718_84, 0.629_978_7);
    [
        0.210_454_26 * long + 0.793_617_8 * medium - 0.004_072_047 * short,
        1.977_998_5 * long - 2.428_592_2 * medium + 0.450_593_7 * short,
        0.025_904_037 * long + 0.782_771_77 * medium - 0.808_675_77 * short,
    ]
}

/// How well one colour is read on the other, by WCAG 2: from 1, not at all, to 21.
pub(super) fn contrast(one: Rgb, other: Rgb) -> f32 {
    let luminance = |rgb: Rgb| {
        let [red, green, blue] = rgb.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read() {
        assert_eq!(Ink::parse("#0aF0ff"), Some(Ink::Rgb([10, 240, 255])));
        assert_eq!(Ink::parse("244"), Some(Ink::Index(244)));
        assert_eq!(Ink::parse("bright-black"), Some(Ink::Index(8)));
        for wrong in ["", "#", "#fff", "#+12345", "#12345é", "256", "-1", "blu", "Blue"] {
            assert_eq!(Ink::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn fewer_colours_come_near() {
        let among = |word: &str, colours| Ink::parse(word).unwrap().among(colours);
        assert_eq!(among("#5f87af", Colours::Many), Some(Ink::Index(67)));
        assert_eq!(among("#777777", Colours::Many), Some(Ink::Index(243)));
        assert_eq!(among("#123456", Colours::True), Some(Ink::Rgb([0x12, 0x34, 0x56])));
        assert_eq!(among("#123456", Colours::None), None);
        for (word, index) in
            [("#ff847d", 1), ("#7cd591", 2), ("#eeb154", 3), ("#8ea5ec", 4), ("#fe8cc5", 5), ("#59d4cd", 6)]
        {
            assert_eq!(among(word, Colours::Sixteen), Some(Ink::Index(index)), "{word}");
        }
        assert_eq!(among("#9ba0a7", Colours::Sixteen), None);
        assert_eq!(among("bright-red", Colours::Sixteen), Some(Ink::Index(9)));
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 0.01);
        assert!((contrast([0x77; 3], [255; 3]) - 4.48).abs() < 0.01);
        assert!((contrast([9; 3], [9; 3]) - 1.0).abs() < 0.01);
    }
}
