//! Texts for a terminal: whatever a file calls itself, nothing that it holds reaches the terminal as a
//! command.

/// The text with control characters, line ends, and what is invisible or turns the direction of writing, as
/// escapes.
pub fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\'' => out.push(c),
            c => out.extend(c.escape_debug()),
        }
    }
    out
}

/// At most `most` characters of a text, [`safe`], and its size if there are more.
pub fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}… ({})", safe(&text[..end]), size(text.len() as u64)),
        None => safe(text),
    }
}

/// A number of bytes.
pub fn size(bytes: u64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"];
    let power = (bytes.max(1).ilog10() / 3) as usize;
    match power {
        0 => format!("{bytes} {}", units[0]),
        _ => format!("{:.1} {}", bytes as f64 / 1000f64.powi(power as i32), units[power]),
    }
}

/// Rows of a table, each cell but the last padded to the width of its column, with a margin.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |c: usize| rows.iter().filter_map(|r| r.get(c)).map(|t| t.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(t, w)| format!("{t:w$}")).collect();
        out.push_str(format!("  {}", cells.join("  ")).trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_would_obey_is_left() {
        assert_eq!(safe("a\u{1b}[2Jb\r\n\u{7}\u{9b}"), r"a\u{1b}[2Jb\r\n\u{7}\u{9b}");
        assert_eq!(safe("abc\u{202e}def\u{200b}"), r"abc\u{202e}def\u{200b}");
        assert_eq!(safe("größe 'x' \"y\" \\"), "größe 'x' \"y\" \\\\");
    }

    #[test]
    fn long_texts_are_cut_between_characters_and_say_how_long_they_are() {
        assert_eq!(short("äöü", 3), "äöü");
        assert_eq!(short("äöü", 2), "äö… (6 bytes)");
    }

    #[test]
    fn sizes_are_in_the_largest_unit_that_fits() {
        let sizes = [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (2_500_000, "2.5 MB")];
        for (bytes, text) in sizes {
            assert_eq!(size(bytes), text);
        }
        assert_eq!(size(u64::MAX), "18.4 EB");
    }
}
