//! Text for a terminal: cleaned of what a terminal would obey, in tables of the given width.
//!
//! In: cells. Out: lines. Whether colour may be used and how wide it is, the caller decides. What runs patwatch may read
//! along: agents of pipelines obey what looks like a command of theirs in the output of a step, see [`disarmed`].

use super::{Result, Style};
use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, TableComponent,
    Width, presets,
};
use std::borrow::Cow;
use std::io;

/// Returns `text` with control, direction and invisible characters written out as `\u{..}`, so that data
/// can neither move the cursor nor pretend to be other data, and with commands to agents disarmed.
#[must_use]
pub fn clean(text: &str) -> String {
    disarmed(&written_out(text, is_deceptive)).into_owned()
}

/// Returns `text` with a blank inside of whatever an agent of pipelines takes for a command, so that a token called
/// `##vso[task.setvariable ...]` sets no variable: it is shown as `# #vso[...`.
///
/// Azure Pipelines looks for `##vso[` and `##[` anywhere in a line, TeamCity for `##teamcity[`, GitHub Actions for
/// `::command` after the blanks at the start of a line, where a wrapped cell may come to stand.
#[must_use]
pub fn disarmed(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let mut done = 0;
    for at in memchr::memchr2_iter(b'#', b':', bytes) {
        if bytes.get(at + 1) == Some(&bytes[at]) && is_command(bytes[at], &bytes[at + 2..]) {
            out.push_str(&text[done..=at]);
            out.push(' ');
            done = at + 1;
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

/// Tells whether two of `sign` and then `rest` begin a command. Groups of an IPv6 address are none.
fn is_command(sign: u8, rest: &[u8]) -> bool {
    let word = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'-').count();
    match sign {
        b'#' => rest.get(word) == Some(&b'['),
        _ => {
            rest.first().is_some_and(u8::is_ascii_alphabetic)
                && !rest[..word].iter().all(u8::is_ascii_hexdigit)
        }
    }
}

/// Returns `text` with every character that `hides` written out as `\u{..}`; no printable ASCII may.
#[must_use]
pub fn written_out(text: &str, hides: impl Fn(char) -> bool) -> Cow<'_, str> {
    // Most texts are plain, and to see that takes no look at each character.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) || !text.contains(&hides) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if hides(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// Tells whether a character acts on a terminal or a reader without being seen.
#[must_use]
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// How a cell is painted where colour is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// As it is.
    Plain,
    /// Something to act on now.
    Alarm,
    /// Something to look at.
    Warn,
    /// Something in order.
    Calm,
    /// Of less weight than the rest.
    Dim,
    /// A heading.
    Strong,
}

/// One cell: text, paint, and whether it is a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What is shown; cleaned when drawn.
    pub text: String,
    /// How.
    pub paint: Paint,
    /// Numbers stand at the right.
    pub number: bool,
}

impl Item {
    /// Returns a plain cell.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self::painted(text, Paint::Plain)
    }

    /// Returns a painted cell.
    #[must_use]
    pub fn painted(text: impl Into<String>, paint: Paint) -> Self {
        Self { text: text.into(), paint, number: false }
    }

    /// Returns a number.
    #[must_use]
    pub fn number(n: impl ToString) -> Self {
        Self { text: n.to_string(), paint: Paint::Plain, number: true }
    }
}

/// Returns a table with a rule under its head and none between its rows.
#[must_use]
pub fn table(head: &[&str], rows: &[Vec<Item>], style: Style) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).force_no_tty();
    table
        .set_style(TableComponent::HeaderLines, '─')
        .set_style(TableComponent::MiddleHeaderIntersections, '─');
    if style.color {
        table.enforce_styling();
    }
    match style.width {
        Some(width) => {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.max(20));
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    table.set_header(head.iter().map(|h| {
        let cell = Cell::new(clean(h));
        if style.color { cell.add_attribute(Attribute::Bold) } else { cell }
    }));
    for row in rows {
        table.add_row(row.iter().map(|item| cell(item, style)));
    }
    if let Some(width) = style.width {
        for (column, wide) in table.column_iter_mut().zip(kept_whole(head, rows, usize::from(width))) {
            if let Some(wide) = wide {
                column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(wide)));
            }
        }
    }
    let lines: Vec<String> = table.lines().map(|l| l.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// Returns the width of each column that need not wrap: dates, numbers and grades stay on one line where the
/// rest still finds room.
fn kept_whole(head: &[&str], rows: &[Vec<Item>], width: usize) -> Vec<Option<u16>> {
    const PADDING: usize = 2;
    const ROOM: usize = 12;
    let widest = |column: usize| {
        let cells =
            rows.iter().filter_map(|row| row.get(column)).map(|item| clean(&item.text).chars().count());
        let word = head[column].split(' ').map(|w| w.chars().count());
        cells.chain(word).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..head.len()).map(widest).collect();
    for most in [13, 10, 6] {
        let (short, long): (Vec<usize>, Vec<usize>) = widths.iter().partition(|w| **w <= most);
        let needed: usize = short.iter().map(|w| w + PADDING).sum::<usize>() + long.len() * ROOM;
        if needed <= width {
            let fixed = |w: &usize| (*w <= most).then(|| u16::try_from(w + PADDING).unwrap_or(u16::MAX));
            return widths.iter().map(fixed).collect();
        }
    }
    vec![None; head.len()]
}

/// Returns labels and values in two columns without rules.
#[must_use]
pub fn facts(rows: &[Vec<Item>], style: Style) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).force_no_tty();
    if style.color {
        table.enforce_styling();
    }
    if let Some(width) = style.width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.max(20));
    }
    for row in rows {
        table.add_row(row.iter().map(|item| cell(item, style)));
    }
    let lines: Vec<String> = table.lines().map(|l| l.trim_end().to_owned()).collect();
    lines.join("\n")
}

fn cell(item: &Item, style: Style) -> Cell {
    let mut cell = Cell::new(clean(&item.text));
    if item.number {
        cell = cell.set_alignment(CellAlignment::Right);
    }
    if !style.color {
        return cell;
    }
    match item.paint {
        Paint::Plain => cell,
        Paint::Alarm => cell.fg(Color::Red).add_attribute(Attribute::Bold),
        Paint::Warn => cell.fg(Color::Yellow),
        Paint::Calm => cell.fg(Color::Green),
        Paint::Dim => cell.add_attribute(Attribute::Dim),
        Paint::Strong => cell.add_attribute(Attribute::Bold),
    }
}

/// Writes a heading over what follows.
///
/// # Errors
/// Those of the writer.
pub fn heading(text: &str, style: Style, to: &mut dyn io::Write) -> Result {
    let text = clean(text);
    if style.color {
        writeln!(to, "\u{1b}[1m{text}\u{1b}[0m")?;
    } else {
        writeln!(to, "{text}")?;
    }
    Ok(())
}

/// Writes a paragraph, cleaned and wrapped at the width.
///
/// # Errors
/// Those of the writer.
pub fn paragraph(text: &str, style: Style, to: &mut dyn io::Write) -> Result {
    let text = clean(text);
    let Some(width) = style.width else {
        writeln!(to, "{text}")?;
        return Ok(());
    };
    let (width, mut column) = (usize::from(width.max(20)), 0);
    for word in text.split(' ') {
        let long = word.chars().count();
        if column > 0 && column + 1 + long > width {
            writeln!(to)?;
            column = 0;
        }
        if column > 0 {
            write!(to, " ")?;
            column += 1;
        }
        write!(to, "{word}")?;
        column += long;
    }
    writeln!(to)?;
    Ok(())
}

/// Returns the paint of a severity.
#[must_use]
pub fn severity_paint(severity: crate::model::finding::Severity) -> Paint {
    use crate::model::finding::Severity;
    match severity {
        Severity::Critical | Severity::High => Paint::Alarm,
        Severity::Medium => Paint::Warn,
        Severity::Low => Paint::Plain,
        Severity::Info => Paint::Dim,
    }
}

/// Returns the paint of an advice.
#[must_use]
pub fn action_paint(action: crate::model::verdict::Action) -> Paint {
    use crate::model::verdict::Action;
    match action {
        Action::Revoke => Paint::Alarm,
        Action::Reduce | Action::AskOwner => Paint::Warn,
        Action::Watch => Paint::Plain,
        Action::None => Paint::Dim,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_escape_sequence_is_shown_not_obeyed() {
        assert_eq!(clean("a\u{1b}[31mb\r\n\u{202e}c"), "a\\u{1b}[31mb\\u{d}\\u{a}\\u{202e}c");
        let plain = Style { color: false, width: Some(40) };
        let out = table(&["name"], &[vec![Item::painted("x\u{1b}]0;owned\u{7}", Paint::Alarm)]], plain);
        assert!(!out.contains('\u{1b}'), "{out}");
    }

    #[test]
    fn agents_of_pipelines_find_no_command() {
        for (text, shown) in [
            ("##vso[task.setvariable variable=x]y", "# #vso[task.setvariable variable=x]y"),
            ("a ###[error]b", "a ## #[error]b"),
            ("##TeamCity[x]", "# #TeamCity[x]"),
            ("::add-mask::x", ": :add-mask: :x"),
            (":::error file=a::b", ":: :error file=a::b"),
            ("C## and fe80::a1 and 2001:db8::/32, ::1", "C## and fe80::a1 and 2001:db8::/32, ::1"),
        ] {
            assert_eq!(clean(text), shown);
        }
    }

    #[test]
    fn width_is_kept() {
        let row = vec![Item::plain("word ".repeat(30)), Item::number(7)];
        let out = table(&["text", "n"], &[row], Style { color: false, width: Some(50) });
        assert!(out.lines().all(|l| l.chars().count() <= 50), "{out}");
    }

    proptest! {
        #[test]
        fn nothing_deceptive_survives(text in any::<String>()) {
            prop_assert!(!clean(&text).chars().any(is_deceptive));
            prop_assert_eq!(disarmed(&clean(&text)).into_owned(), clean(&text));
            let mut out = Vec::new();
            paragraph(&text, Style { color: false, width: Some(30) }, &mut out).expect("memory");
            let out = String::from_utf8(out).expect("UTF-8");
            prop_assert!(!out.chars().any(|c| c != '\n' && is_deceptive(c)));
        }
    }
}
