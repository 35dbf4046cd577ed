//! Tables for people to read.

/// The widest that a column before the last gets, in characters.
const WIDEST: usize = 40;

/// The longest text of the last column.
const LONGEST: usize = 300;

/// Rows below a header, each column as wide as its widest text.
pub(super) struct Table<const COLUMNS: usize> {
    rows: Vec<[String; COLUMNS]>,
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    /// A table with this header.
    pub(super) fn new(header: [&str; COLUMNS]) -> Self {
        Self {
            rows: vec![header.map(str::to_owned)],
        }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, texts: [&str; COLUMNS]) {
        let mut column = 0;
        self.rows.push(texts.map(|text| {
            column += 1;
            shown(text, if column == COLUMNS { LONGEST } else { WIDEST })
        }));
    }

    /// How many rows there are below the header.
    pub(super) fn len(&self) -> usize {
        self.rows.len() - 1
    }

    /// The lines of the table.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        let mut widths = [0; COLUMNS];
        for row in &self.rows {
            for (width, text) in widths.iter_mut().zip(row) {
                *width = text.chars().count().max(*width);
            }
        }
        self.rows.iter().map(move |row| {
            let cells = row.iter().zip(widths).map(|(text, width)| format!("{text:width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
    }
}

/// A text on one line, cut to a length. What stands in it came from others: it must not steer a
/// terminal.
pub(super) fn shown(text: &str, longest: usize) -> String {
    let is_plain = |character: char| !character.is_control() && !is_direction(character);
    let mut shown: String = text
        .chars()
        .take(longest)
        .map(|character| if is_plain(character) { character } else { ' ' })
        .collect();
    if text.chars().nth(longest).is_some() {
        shown.pop();
        shown.push('…');
    }
    shown
}

/// Characters that turn the direction of what follows (Unicode Standard Annex 9, section 2).
fn is_direction(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let mut table = Table::new(["A", "LONGER", "LAST"]);
        table.row(["first", "b", "c"]);
        table.row(["", "ä", ""]);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines, ["A      LONGER  LAST", "first  b       c", "       ä"]);
        assert_eq!(table.len(), 2);
    }

    #[test]
    fn a_text_of_others_steers_no_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb\nc\u{202e}d", 40), "a [2Jb c d");
        assert_eq!(shown("abcdef", 4), "abc…");
        assert_eq!(shown("abcd", 4), "abcd");
    }
}
