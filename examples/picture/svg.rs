//! Cells as SVG: what the pictures and the film are drawn with.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, CellWidth};
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier};

/// Width and height of a cell, and where in it the letters stand, in units of the picture.
const CELL: (f32, f32) = (8.4, 18.0);
const BASELINE: f32 = 13.2;
const FONT: f32 = 14.0;
/// Of the window's frame: the bar on top, and around the cells.
const BAR: f32 = 34.0;
const PADDING: f32 = 14.0;

const BACKGROUND: &str = "#12141a";
const FOREGROUND: &str = "#d8dbe2";
/// The sixteen colours, dark.
const SIXTEEN: [&str; 16] = [
    "#1e2028", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d4d7de", "#5c6370",
    "#f0828d", "#acd78d", "#f5d48f", "#7fc3ff", "#da8cf1", "#6acad6", "#ffffff",
];

/// The cells in a window's frame, under this title.
pub(crate) fn picture(buffer: &Buffer, cursor: Position, title: &str) -> Result<String, std::fmt::Error> {
    let mut svg = String::new();
    open(&mut svg, (buffer.area.width, buffer.area.height), title)?;
    for y in 0..buffer.area.height {
        row(&mut svg, buffer, y)?;
    }
    block(&mut svg, cursor)?;
    svg.push_str("</svg>\n");
    Ok(svg)
}

/// A window for so many columns and rows; `</svg>` ends it.
pub(crate) fn open(svg: &mut String, (columns, rows): (u16, u16), title: &str) -> std::fmt::Result {
    let (width, height) =
        (f32::from(columns) * CELL.0 + 2.0 * PADDING, f32::from(rows) * CELL.1 + BAR + PADDING);
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}" role="img" aria-label="parlor in a terminal" font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="{FONT}" xml:space="preserve">"#
    )?;
    writeln!(
        svg,
        r##"<rect x=".5" y=".5" width="{:.0}" height="{:.0}" rx="9" fill="{BACKGROUND}" stroke="#343843"/>"##,
        width - 1.0,
        height - 1.0
    )?;
    for (place, colour) in ["#ff5f57", "#febc2e", "#28c840"].iter().enumerate() {
        let x = 20.0 + 18.0 * f32::from(u8::try_from(place).unwrap_or(0));
        writeln!(svg, r#"<circle cx="{x}" cy="17" r="5.5" fill="{colour}"/>"#)?;
    }
    writeln!(
        svg,
        r##"<text x="{:.0}" y="21.5" fill="#8b90a0" text-anchor="middle">{}</text>"##,
        width / 2.0,
        escaped(title)
    )
}

/// The cursor.
pub(crate) fn block(svg: &mut String, cursor: Position) -> std::fmt::Result {
    let (x, y) = (f32::from(cursor.x) * CELL.0 + PADDING, f32::from(cursor.y) * CELL.1 + BAR);
    writeln!(
        svg,
        r##"<rect x="{x:.1}" y="{:.1}" width="{}" height="{}" fill="#e8c95a" opacity=".9"/>"##,
        y + 1.0,
        CELL.0,
        CELL.1 - 2.0
    )
}

/// One row: runs of cells of one style, each with its place and width, so that no font can push what
/// follows out of its column.
pub(crate) fn row(svg: &mut String, buffer: &Buffer, y: u16) -> std::fmt::Result {
    let mut x = 0;
    while x < buffer.area.width {
        let first = &buffer[(x, y)];
        let style = |x: u16| (buffer[(x, y)].fg, buffer[(x, y)].bg, buffer[(x, y)].modifier);
        let (fg, bg, modifier) = style(x);
        let start = x;
        let mut text = String::new();
        // A wide glyph, or one that joins, stands alone: fonts disagree about these.
        let alone = |symbol: &str| {
            !symbol.is_ascii() && !symbol.chars().all(|c| c.is_alphabetic() && (c as u32) < 0x500)
        };
        if alone(first.symbol()) && !is_line(first.symbol()) {
            text.push_str(first.symbol());
            x += first.cell_width().max(1);
        } else {
            let line = is_line(first.symbol());
            while x < buffer.area.width && style(x) == (fg, bg, modifier) {
                let symbol = buffer[(x, y)].symbol();
                if is_line(symbol) != line || (alone(symbol) && !line) {
                    break;
                }
                text.push_str(symbol);
                x += 1;
            }
        }
        let (left, top) = (f32::from(start) * CELL.0 + PADDING, f32::from(y) * CELL.1 + BAR);
        let wide = f32::from(x - start) * CELL.0;
        let (mut ink, mut paper) = (colour(fg, FOREGROUND), colour(bg, BACKGROUND));
        if modifier.contains(Modifier::REVERSED) {
            std::mem::swap(&mut ink, &mut paper);
        }
        if paper != BACKGROUND {
            writeln!(
                svg,
                r#"<rect x="{left:.1}" y="{top:.1}" width="{wide:.1}" height="{}" fill="{paper}" shape-rendering="crispEdges"/>"#,
                CELL.1
            )?;
        }
        let faint = if modifier.contains(Modifier::DIM) { 0.55 } else { 1.0 };
        if is_line(&text[..text.chars().next().map_or(0, char::len_utf8)]) {
            lines(svg, &text, left, top, &ink, faint)?;
        } else if !text.trim().is_empty() {
            let bold = if modifier.contains(Modifier::BOLD) { r#" font-weight="700""# } else { "" };
            let slanted = if modifier.contains(Modifier::ITALIC) { r#" font-style="italic""# } else { "" };
            // Spaces at the ends are places, not text: not every reader keeps them.
            let spaces = |trimmed: &str| f32::from(u16::try_from(text.len() - trimmed.len()).unwrap_or(0));
            let (before, behind) = (spaces(text.trim_start()), spaces(text.trim_end()));
            let faint = if faint < 1.0 { format!(r#" opacity="{faint}""#) } else { String::new() };
            writeln!(
                svg,
                r#"<text x="{:.1}" y="{:.1}" textLength="{:.1}" lengthAdjust="spacingAndGlyphs" fill="{ink}"{bold}{slanted}{faint}>{}</text>"#,
                left + before * CELL.0,
                top + BASELINE,
                wide - (before + behind) * CELL.0,
                escaped(text.trim())
            )?;
        }
    }
    Ok(())
}

/// Whether a symbol is drawn as a line rather than written, so that it meets its neighbours.
fn is_line(symbol: &str) -> bool {
    matches!(symbol, "│" | "─" | "┴" | "▌" | "▎")
}

fn lines(svg: &mut String, text: &str, left: f32, top: f32, ink: &str, faint: f32) -> std::fmt::Result {
    let mut rect = |x: f32, y: f32, width: f32, height: f32| {
        writeln!(
            svg,
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{ink}" opacity="{faint}"/>"#
        )
    };
    let middle = (CELL.0 / 2.0, CELL.1 / 2.0);
    let many = f32::from(u16::try_from(text.chars().count()).unwrap_or(0));
    if text.contains(['─', '┴']) {
        rect(left, top + middle.1 - 0.5, many * CELL.0, 1.0)?;
    }
    for (place, c) in text.chars().enumerate() {
        let x = left + f32::from(u16::try_from(place).unwrap_or(0)) * CELL.0;
        match c {
            '│' => rect(x + middle.0 - 0.5, top, 1.0, CELL.1)?,
            '┴' => rect(x + middle.0 - 0.5, top, 1.0, middle.1)?,
            '▌' => rect(x, top + 1.0, 3.0, CELL.1 - 2.0)?,
            '▎' => rect(x + 2.0, top + 1.0, 2.5, CELL.1 - 2.0)?,
            _ => {}
        }
    }
    Ok(())
}

fn colour(colour: Color, default: &str) -> String {
    let sixteen = |place: usize| SIXTEEN[place].to_owned();
    match colour {
        Color::Black => sixteen(0),
        Color::Red => sixteen(1),
        Color::Green => sixteen(2),
        Color::Yellow => sixteen(3),
        Color::Blue => sixteen(4),
        Color::Magenta => sixteen(5),
        Color::Cyan => sixteen(6),
        Color::Gray => sixteen(7),
        Color::DarkGray => sixteen(8),
        Color::Indexed(index @ 0..16) => sixteen(usize::from(index)),
        Color::Indexed(index @ 16..232) => {
            let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * u32::from(step) };
            let cube = index - 16;
            format!("#{:02x}{:02x}{:02x}", level(cube / 36), level(cube / 6 % 6), level(cube % 6))
        }
        Color::Indexed(index) => {
            let grey = 8 + 10 * u32::from(index - 232);
            format!("#{grey:02x}{grey:02x}{grey:02x}")
        }
        Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
        _ => default.to_owned(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
