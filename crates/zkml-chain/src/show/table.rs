//! Plain text tables and numbers for people.

use std::io::{self, Write};

/// How a column is aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Prints rows in columns as wide as their widest cell, two spaces apart.
///
/// # Errors
/// What the writer returns.
pub fn print(out: &mut dyn Write, align: &[Align], rows: &[Vec<String>]) -> io::Result<()> {
    let width = |c: usize| rows.iter().filter_map(|r| r.get(c)).map(|s| visible(s)).max().unwrap_or(0);
    let widths: Vec<usize> = (0..align.len()).map(width).collect();
    for row in rows {
        let mut line = String::new();
        for ((cell, width), align) in row.iter().zip(&widths).zip(align) {
            let gap = " ".repeat(width.saturating_sub(visible(cell)));
            match align {
                Align::Left => line.extend([cell.as_str(), &gap, "  "]),
                Align::Right => line.extend([&gap, cell.as_str(), "  "]),
            }
        }
        writeln!(out, "  {}", line.trim_end())?;
    }
    Ok(())
}

/// Characters that take room on a terminal: all but colour codes.
fn visible(text: &str) -> usize {
    let (mut count, mut escape) = (0, false);
    for c in text.chars() {
        match (escape, c) {
            (false, '\x1b') => escape = true,
            (true, 'm') => escape = false,
            (true, _) => {}
            (false, _) => count += 1,
        }
    }
    count
}

/// `1234567` as `1,234,567`.
#[must_use]
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes with a unit of powers of ten: `2.3 kB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

/// Seconds with sensible digits: `0.28 s`, `12.4 s`, `3 min 20 s`.
#[must_use]
pub fn seconds(s: f64) -> String {
    match s {
        s if s < 10.0 => format!("{s:.2} s"),
        s if s < 100.0 => format!("{s:.1} s"),
        s => format!("{} min {:02} s", s as u64 / 60, s as u64 % 60),
    }
}

/// Numbers as people read them: one alone, several in brackets, many shortened.
#[must_use]
pub fn numbers(values: &[f64]) -> String {
    let number = |v: &f64| format!("{v:.5}");
    match values {
        [one] => number(one),
        few if few.len() <= 16 => format!("[{}]", few.iter().map(number).collect::<Vec<_>>().join(", ")),
        many => {
            let first: Vec<String> = many.iter().take(8).map(number).collect();
            format!("[{}, … {} more]", first.join(", "), many.len() - 8)
        }
    }
}

/// `1×28×28`.
#[must_use]
pub fn shape(dims: &[usize]) -> String {
    match dims {
        [] => "scalar".into(),
        dims => dims.iter().map(usize::to_string).collect::<Vec<_>>().join("×"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(
            (size(999), size(2_345), size(5_000_000)),
            ("999 B".into(), "2.3 kB".into(), "5.0 MB".into())
        );
        assert_eq!((seconds(0.284), seconds(200.0)), ("0.28 s".into(), "3 min 20 s".into()));
    }

    #[test]
    fn columns_line_up() {
        let rows = [["gas", "\x1b[2m1\x1b[0m"], ["µ", "1,000"]].map(|r| r.map(String::from).to_vec());
        let mut out = Vec::new();
        print(&mut out, &[Align::Left, Align::Right], &rows).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "  gas      \x1b[2m1\x1b[0m\n  µ    1,000\n");
    }
}
