//! Whether what a theme writes can be read.
//!
//! The rule is that of WCAG 2: text has a contrast of 4.5 to 1, and what is no text (lines between panes) of 3 to 1. It
//! is measured on the ground that the theme paints. Where the terminal's own ground stays, nobody knows which that is,
//! and it is measured on two between which grounds of that kind lie. A row that is chosen has a ground of its own, and
//! all that may stand in it is measured there.
//!
//! The terminal's sixteen are not measured: only who sits before the terminal knows how they look, and has made them
//! readable. A theme for any ground has nothing else to be sure of; another colour in it is measured on black and on
//! white, with 3 to 1, as no colour has much more on both.

use super::colour::{Ink, Rgb, contrast};
use super::file::{Background, Definition};
use super::{Colours, ROLES, Role};

/// The darkest of dark grounds, and one than which few are lighter.
const DARK: [Rgb; 2] = [[0, 0, 0], [0x28, 0x2c, 0x34]];

/// The lightest of light grounds, and one than which few are darker.
const LIGHT: [Rgb; 2] = [[0xff, 0xff, 0xff], [0xee, 0xee, 0xee]];

/// Contrast that text has.
const TEXT: f32 = 4.5;

/// Contrast that lines and signs have.
const DECORATION: f32 = 3.0;

/// Something that is hard to read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Faint {
    pub(super) what: &'static str,
    pub(super) contrast: f32,
}

/// What is hard to read where there are so many colours.
pub(super) fn faint(theme: &Definition, colours: Colours) -> Vec<Faint> {
    let seen = |ink: Ink| ink.among(colours).map(Ink::rgb);
    let grounds: Vec<Rgb> = match (theme.ground.filter(|_| theme.paint), theme.background) {
        (Some(ground), _) => seen(ground).into_iter().collect(),
        (None, Some(Background::Dark)) => DARK.to_vec(),
        (None, Some(Background::Light)) => LIGHT.to_vec(),
        (None, None) => vec![DARK[0], LIGHT[0]],
    };
    let any = theme.background.is_none() && !theme.paint;
    let on_rows: Vec<Rgb> =
        [Role::Selected, Role::Chosen].iter().filter_map(|role| seen(theme.role(*role).bg?)).collect();
    let own = |ink: &Ink| matches!(ink.among(colours), None | Some(Ink::Index(0..16))) && !theme.paint;
    let least = |ink: Ink, grounds: &mut dyn Iterator<Item = &Rgb>| {
        let ink = seen(ink)?;
        grounds.map(|ground| contrast(ink, *ground)).min_by(f32::total_cmp)
    };
    let mut faint = Vec::new();
    let mut measure = |what: &'static str, ink: Ink, ground: Option<Ink>, needed: f32| {
        let measured = match ground.and_then(seen) {
            Some(ground) => least(ink, &mut [ground].iter()),
            None if own(&ink) => None,
            None if needed < TEXT => least(ink, &mut grounds.iter()),
            None => least(ink, &mut grounds.iter().chain(&on_rows)),
        };
        let needed = if any && ground.is_none() { DECORATION } else { needed };
        if let Some(contrast) = measured.filter(|measured| *measured < needed) {
            faint.push(Faint { what, contrast });
        }
    };
    for (role, name) in ROLES {
        let written = theme.role(role);
        let ink = written.fg.or_else(|| theme.role(Role::Text).fg.filter(|_| written.bg.is_some()));
        if let Some(ink) = ink {
            let needed = if role == Role::Rule { DECORATION } else { TEXT };
            measure(name, ink, written.bg, needed);
        }
    }
    for ink in &theme.people {
        measure("people", *ink, None, TEXT);
    }
    faint
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::built_in;
    use super::super::colour::HUES;
    use super::*;

    #[test]
    fn every_theme_of_ours_can_be_read() {
        for theme in built_in() {
            for colours in [Colours::True, Colours::Many] {
                assert_eq!(faint(theme, colours), [], "{} in {colours:?}", theme.name);
            }
        }
    }

    #[test]
    fn high_contrast_is_seven_to_one() {
        for name in ["high-contrast", "high-contrast-light"] {
            let theme = built_in().iter().find(|theme| theme.name == name).unwrap();
            for colours in [Colours::True, Colours::Many] {
                let ground = theme.ground.unwrap().among(colours).unwrap().rgb();
                let roles = ROLES.iter().filter(|(role, _)| *role != Role::Rule && *role != Role::Qr);
                let inks = roles.filter_map(|(role, _)| theme.role(*role).fg).chain(theme.people.clone());
                for ink in inks {
                    let measured = contrast(ink.among(colours).unwrap().rgb(), ground);
                    assert!(measured >= 7.0, "{name}: {ink:?} has {measured}");
                }
            }
        }
    }

    /// What the terminal's own sixteen can promise: what is read is the terminal's own ink, and what is coloured
    /// has one of the six hues, of which each is read on black or on white even in xterm's palette, and which
    /// terminals change where it is not. Only the QR code says both its colours.
    #[test]
    fn themes_for_any_ground_keep_to_the_six_hues() {
        for theme in built_in().iter().filter(|theme| theme.background.is_none()) {
            for (role, name) in ROLES.iter().filter(|(role, _)| *role != Role::Qr) {
                let written = theme.role(*role);
                assert_eq!(written.bg, None, "{}: {name}", theme.name);
                if matches!(role, Role::Text | Role::Strong | Role::Own | Role::Dim | Role::Selected) {
                    assert_eq!(written.fg, None, "{}: {name}", theme.name);
                }
                for ink in written.fg.iter().chain(&theme.people) {
                    assert!(
                        matches!(ink, Ink::Index(index) if HUES.contains(index)),
                        "{}: {name}",
                        theme.name
                    );
                    let best = contrast(ink.rgb(), [0; 3]).max(contrast(ink.rgb(), [255; 3]));
                    assert!(best >= DECORATION, "{}: {name} has {best}", theme.name);
                }
            }
        }
    }

    #[test]
    fn there_are_enough_colours_for_people_and_no_two_are_one() {
        for theme in built_in().iter().filter(|theme| theme.background.is_some()) {
            for colours in [Colours::True, Colours::Many] {
                // A mention stands beside names, and is none.
                let mut seen = vec![theme.role(Role::Mention).fg.and_then(|ink| ink.among(colours))];
                for ink in &theme.people {
                    let ink = ink.among(colours);
                    assert!(!seen.contains(&ink), "{} in {colours:?}: {ink:?}", theme.name);
                    seen.push(ink);
                }
                assert!(seen.len() > 12, "{}", theme.name);
            }
        }
    }
}
