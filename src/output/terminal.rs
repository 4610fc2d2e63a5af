//! Text for a terminal: cleaned of what a terminal would obey, in tables of the given width.
//!
//! In: cells. Out: lines. Whether colour may be used and how wide it is, the caller decides. What runs patwatch may read
//! along: agents of pipelines obey what looks like a command of theirs in the output of a step, see [`disarmed`].

use super::{Result, Style, not_run};
pub use crate::model::invisible::is_deceptive;
use crate::report::Report;
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
    let whole = style.width.map(|width| kept_whole(head, rows, usize::from(width)));
    match (style.width, &whole) {
        // Columns of a few letters each say nothing any more.
        (Some(width), Some(None)) => stacked(head, rows, style, usize::from(width.max(20))),
        _ => drawn(head, rows, style, &whole.flatten().unwrap_or_default()),
    }
}

/// Draws a table; `fixed` are the widths of columns that do not wrap.
fn drawn(head: &[&str], rows: &[Vec<Item>], style: Style, fixed: &[Option<u16>]) -> String {
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
    for (column, wide) in table.column_iter_mut().zip(fixed) {
        if let Some(wide) = wide {
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(*wide)));
        }
    }
    let lines: Vec<String> = table.lines().map(|l| l.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// Returns a table whose last column has at least `room` columns and whose other cells are not broken; a record a row
/// where the width does not allow that.
#[must_use]
pub fn roomy_table(head: &[&str], rows: &[Vec<Item>], style: Style, room: usize) -> String {
    const PADDING: usize = 2;
    let Some(width) = style.width.map(|width| usize::from(width.max(20))) else {
        return table(head, rows, style);
    };
    let widest = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let cells = cells.map(|item| clean(&item.text).chars().count());
        cells.chain([head[column].chars().count()]).max().unwrap_or_default() + PADDING
    };
    let others: Vec<usize> = (0..head.len().saturating_sub(1)).map(widest).collect();
    if others.iter().sum::<usize>() + room + PADDING > width {
        return stacked(head, rows, style, width);
    }
    drawn(head, rows, style, &others.iter().map(|w| u16::try_from(*w).ok()).collect::<Vec<_>>())
}

/// Returns a record a row, where a table has no room: short cells in a line, each long one below; many cells are named
/// one by one.
fn stacked(head: &[&str], rows: &[Vec<Item>], style: Style, width: usize) -> String {
    /// Beyond so many columns nobody knows by its place what a cell is.
    const MANY: usize = 10;
    const LONG: usize = 40;
    let mut lines: Vec<String> = Vec::new();
    let mut put = |words: Vec<(String, Paint)>| {
        let (mut line, mut column) = (String::new(), 0);
        for (word, paint) in words {
            // A word that no line holds is cut where the line ends.
            let letters: Vec<char> = word.chars().collect();
            for piece in letters.chunks(width.saturating_sub(2).max(1)) {
                if column > 0 && column + 1 + piece.len() > width {
                    lines.push(std::mem::take(&mut line));
                    column = 0;
                }
                let gap = if column == 0 { "" } else { " " };
                line.push_str(gap);
                line.push_str(&painted(&piece.iter().collect::<String>(), paint, style));
                column += gap.len() + piece.len();
            }
        }
        if !line.is_empty() {
            lines.push(line);
        }
    };
    let words = |text: &str, paint: Paint| -> Vec<(String, Paint)> {
        text.split_whitespace().map(|word| (word.to_owned(), paint)).collect()
    };
    let named = head.len() > MANY;
    if !named {
        put(head.iter().flat_map(|h| words(&clean(h), Paint::Strong)).collect());
        put(vec![("─".repeat(width - 2), Paint::Plain)]);
    }
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            put(vec![(" ".to_owned(), Paint::Plain)]);
        }
        let mut short = Vec::new();
        for (item, head) in row.iter().zip(head) {
            let text = clean(&item.text);
            if named {
                let mut all = words(&format!("{}:", clean(head)), Paint::Strong);
                all.extend(words(&text, item.paint));
                put(all);
            } else if text.chars().count() <= LONG {
                short.extend(words(&text, item.paint));
            } else {
                put(std::mem::take(&mut short));
                put(words(&text, item.paint));
            }
        }
        put(short);
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

fn painted(text: &str, paint: Paint, style: Style) -> String {
    let code = match paint {
        _ if !style.color => return text.to_owned(),
        Paint::Plain => return text.to_owned(),
        Paint::Alarm => "1;31",
        Paint::Warn => "33",
        Paint::Calm => "32",
        Paint::Dim => "2",
        Paint::Strong => "1",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// Returns the width of each column that need not wrap: dates, numbers and grades stay on one line where the
/// rest still finds room; nothing where there is no room for words.
fn kept_whole(head: &[&str], rows: &[Vec<Item>], width: usize) -> Option<Vec<Option<u16>>> {
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
            return Some(widths.iter().map(fixed).collect());
        }
    }
    // Two columns always find room.
    (head.len() < 3).then(|| vec![None; head.len()])
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
    writeln!(to, "{}", painted(&clean(text), Paint::Strong, style))?;
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

/// Writes the detections that failed, above everything else.
///
/// # Errors
/// Those of the writer.
pub fn failures(report: &Report, style: Style, to: &mut dyn io::Write) -> Result {
    let Some(text) = not_run::heading(report) else { return Ok(()) };
    heading(&text, style, to)?;
    for (name, reason) in not_run::failed(report) {
        paragraph(&format!("{name}: {reason}"), style, to)?;
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
        let plain = Style { width: Some(40), ..Style::default() };
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
        let out = table(&["text", "n"], &[row], Style { width: Some(50), ..Style::default() });
        assert!(out.lines().all(|l| l.chars().count() <= 50), "{out}");
    }

    #[test]
    fn where_columns_have_no_room_each_row_is_a_record() {
        let plain = Style { width: Some(40), ..Style::default() };
        let id = "0efda40d-3c61-450c-93d8-adbcc0d2dd11";
        let cells = ["critical", "high", "PAT-A010", "contoso", id, "ann@contoso.example", "2026-01-01"];
        let mut row: Vec<Item> = cells.into_iter().map(Item::plain).collect();
        row.push(Item::plain("It was used 3 times after it was revoked, from a network that is new."));
        let head = ["severity", "confidence", "detection", "org", "subject", "owner", "last", "message"];
        let out = table(&head, &[row.clone(), row], plain);
        assert!(out.lines().all(|l| l.chars().count() <= 40), "{out}");
        assert_eq!(out.matches(id).count(), 2, "ids stay whole: {out}");
        assert!(out.contains("critical high PAT-A010 contoso") && out.contains("\n\ncritical"), "{out}");
        let names: Vec<String> = (0..12).map(|n| format!("c{n}")).collect();
        let head: Vec<&str> = names.iter().map(String::as_str).collect();
        let row: Vec<Item> = (0..12).map(|n| Item::plain(format!("value {n}"))).collect();
        let out = table(&head, &[row], plain);
        assert!(out.starts_with("c0: value 0\nc1: value 1\n"), "{out}");
    }

    proptest! {
        #[test]
        fn nothing_deceptive_survives(text in any::<String>()) {
            prop_assert!(!clean(&text).chars().any(is_deceptive));
            prop_assert_eq!(disarmed(&clean(&text)).into_owned(), clean(&text));
            let mut out = Vec::new();
            paragraph(&text, Style { width: Some(30), ..Style::default() }, &mut out).expect("memory");
            let out = String::from_utf8(out).expect("UTF-8");
            prop_assert!(!out.chars().any(|c| c != '\n' && is_deceptive(c)));
        }
    }
}
