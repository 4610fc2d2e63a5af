//! Rows that the engine gives back: columns of own cells, so that no Polars type leaves the engine.
//!
//! In: a Polars frame (inside the engine only). Out: [`Rows`].

use super::schema::Kind;
use super::{EngineError, EngineErrorKind};
use crate::model::time::{Day, Micros, day_text, format_time};
use polars::prelude as pl;

/// One value.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Cell {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// Integer.
    Int(i64),
    /// Float.
    #[serde(with = "bits")]
    Float(f64),
    /// Text.
    Text(String),
    /// Instant.
    Time(Micros),
    /// Day.
    Date(Day),
}

/// A float between processes: as its bits, since JSON has no NaN and no infinity.
mod bits {
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(value.to_bits())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        u64::deserialize(deserializer).map(f64::from_bits)
    }
}

impl Cell {
    /// Tells whether there is no value.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns the text of a text cell.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Returns a number as an integer; a float only when it is whole.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            Self::Float(x) if x.fract() == 0.0 && x.abs() < 9e15 => format!("{x:.0}").parse().ok(),
            Self::Bool(b) => Some(i64::from(*b)),
            _ => None,
        }
    }

    /// Returns an instant; a day stands for its midnight.
    #[must_use]
    pub fn as_time(&self) -> Option<Micros> {
        match self {
            Self::Time(time) => Some(*time),
            Self::Date(day) => Some(crate::model::time::day_start(*day)),
            _ => None,
        }
    }

    /// Returns the value as JSON; times as RFC 3339, days as `YYYY-MM-DD`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(b) => (*b).into(),
            Self::Int(n) => (*n).into(),
            Self::Float(x) => (*x).into(),
            Self::Text(text) => text.as_str().into(),
            Self::Time(time) => format_time(*time).into(),
            Self::Date(day) => day_text(*day).into(),
        }
    }
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Bool(b) => f.pad(if *b { "true" } else { "false" }),
            Self::Int(n) => write!(f, "{n}"),
            // Two digits are enough for a reader; JSON keeps them all.
            Self::Float(x) if x.fract() == 0.0 => write!(f, "{x:.0}"),
            Self::Float(x) => write!(f, "{x:.2}"),
            Self::Text(text) => f.pad(text),
            Self::Time(time) => f.pad(&format_time(*time)),
            Self::Date(day) => f.pad(&day_text(*day)),
        }
    }
}

/// Name and type of a column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Type.
    pub kind: Kind,
}

/// The answer to a query.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Rows {
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Cells, one vector a column.
    pub cells: Vec<Vec<Cell>>,
}

const NULL: Cell = Cell::Null;

impl Rows {
    /// Counts rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.first().map_or(0, Vec::len)
    }

    /// Tells whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the position of a column.
    #[must_use]
    pub fn index(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }

    /// Returns a cell; null when there is no such column or row.
    #[must_use]
    pub fn get(&self, row: usize, name: &str) -> &Cell {
        self.index(name).and_then(|c| self.cells[c].get(row)).unwrap_or(&NULL)
    }

    /// Returns a text cell.
    #[must_use]
    pub fn text(&self, row: usize, name: &str) -> Option<&str> {
        self.get(row, name).as_text()
    }

    /// Returns an integer cell.
    #[must_use]
    pub fn int(&self, row: usize, name: &str) -> Option<i64> {
        self.get(row, name).as_int()
    }

    /// Returns a number as a float.
    #[must_use]
    pub fn float(&self, row: usize, name: &str) -> Option<f64> {
        match self.get(row, name) {
            Cell::Float(x) => Some(*x),
            #[allow(clippy::cast_precision_loss)] // counts stay far below 2^53
            Cell::Int(n) => Some(*n as f64),
            _ => None,
        }
    }

    /// Returns a flag.
    #[must_use]
    pub fn bool(&self, row: usize, name: &str) -> Option<bool> {
        if let Cell::Bool(b) = self.get(row, name) { Some(*b) } else { None }
    }

    /// Returns an instant.
    #[must_use]
    pub fn time(&self, row: usize, name: &str) -> Option<Micros> {
        self.get(row, name).as_time()
    }

    /// Returns a day.
    #[must_use]
    pub fn date(&self, row: usize, name: &str) -> Option<Day> {
        if let Cell::Date(day) = self.get(row, name) { Some(*day) } else { None }
    }

    /// Goes through the rows, each as its cells in column order.
    pub fn iter(&self) -> impl Iterator<Item = Vec<&Cell>> {
        (0..self.len()).map(|row| self.cells.iter().map(|column| &column[row]).collect())
    }

    pub(super) fn from_frame(frame: &pl::DataFrame) -> Result<Self, EngineError> {
        let mut rows = Self::default();
        for column in frame.columns() {
            let (kind, cells) = cells_of(column)?;
            rows.columns.push(Column { name: column.name().to_string(), kind });
            rows.cells.push(cells);
        }
        Ok(rows)
    }
}

fn cells_of(column: &pl::Column) -> Result<(Kind, Vec<Cell>), EngineError> {
    use pl::DataType as D;
    fn of<T>(values: impl Iterator<Item = Option<T>>, make: impl Fn(T) -> Cell) -> Vec<Cell> {
        values.map(|v| v.map_or(Cell::Null, &make)).collect()
    }
    let cells = match column.dtype() {
        D::Null => (Kind::Text, vec![Cell::Null; column.len()]),
        D::Boolean => (Kind::Bool, of(column.bool()?.iter(), Cell::Bool)),
        D::Float32 | D::Float64 => (Kind::Float, of(column.cast(&D::Float64)?.f64()?.iter(), Cell::Float)),
        d if d.is_integer() => (Kind::Int, of(column.cast(&D::Int64)?.i64()?.iter(), Cell::Int)),
        D::Datetime(_, _) => {
            let micros = column.cast(&D::Datetime(pl::TimeUnit::Microseconds, None))?.cast(&D::Int64)?;
            (Kind::Time, of(micros.i64()?.iter(), Cell::Time))
        }
        D::Date => (Kind::Date, of(column.cast(&D::Int32)?.i32()?.iter(), Cell::Date)),
        // A span has no type of its own here: it is given in seconds.
        D::Duration(_) => {
            let micros = column.cast(&D::Duration(pl::TimeUnit::Microseconds))?.cast(&D::Int64)?;
            (Kind::Int, of(micros.i64()?.iter(), |m| Cell::Int(m.div_euclid(1_000_000))))
        }
        D::List(_) => {
            return Err(EngineError::new(
                EngineErrorKind::Query,
                format!("column \"{}\" came out as a list of values", column.name()),
                "Inside GROUP BY, mixing a key or a constant with an aggregate makes a list: aggregate in a CTE first and compute in the SELECT outside, or use STRING_AGG.",
            ));
        }
        _ => (Kind::Text, of(column.cast(&D::String)?.str()?.iter(), |s: &str| Cell::Text(s.to_owned()))),
    };
    Ok(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_through_a_pipe_as_they_are() {
        let column = |name: &str, kind| Column { name: name.to_owned(), kind };
        let rows = Rows {
            columns: vec![column("a", Kind::Float), column("b \"c\"", Kind::Text)],
            cells: vec![
                vec![Cell::Float(0.1 + 0.2), Cell::Float(f64::INFINITY), Cell::Null, Cell::Int(i64::MIN)],
                vec![Cell::Text("\u{0}\n\"é".to_owned()), Cell::Bool(true), Cell::Time(-1), Cell::Date(7)],
            ],
        };
        let text = serde_json::to_string(&rows).expect("JSON");
        assert!(!text.contains('\n'), "one line");
        assert_eq!(serde_json::from_str::<Rows>(&text).expect("rows"), rows);
        let nan = serde_json::to_string(&Cell::Float(f64::NAN)).expect("JSON");
        assert!(matches!(serde_json::from_str(&nan), Ok(Cell::Float(x)) if x.is_nan()));
    }
}
