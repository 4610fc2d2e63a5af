//! Rows of a query as Parquet: the frame that a query gave in, the bytes of a file out.
//!
//! Types are those that `query --tables` documents, so that what the engine uses inside (categories, narrow or
//! unsigned numbers, spans of time) reaches no reader.

use super::rows::Rows;
use super::schema::Kind;
use super::{Engine, EngineError, EngineErrorKind};
use polars::prelude as pl;

impl Engine {
    /// Runs an ad hoc query; returns its rows as a Parquet file.
    ///
    /// # Errors
    /// When the check refuses it, it fails, or its rows have no form in Parquet.
    pub fn query_parquet(&self, sql: &str) -> Result<Vec<u8>, EngineError> {
        self.answer(sql, to_bytes)
    }
}

fn to_bytes(frame: pl::DataFrame) -> Result<Vec<u8>, EngineError> {
    // What an answer may not hold, such as lists, is refused here in the same words.
    let kinds = Rows::from_frame(&frame.head(Some(0)))?.columns;
    let columns = frame.columns().iter().zip(&kinds).map(|(column, told)| plain(column, told.kind));
    let mut frame = pl::DataFrame::new(frame.height(), columns.collect::<pl::PolarsResult<_>>()?)?;
    let mut bytes = Vec::new();
    pl::ParquetWriter::new(&mut bytes).finish(&mut frame).map_err(|e| {
        EngineError::new(EngineErrorKind::Query, format!("the rows cannot be written as Parquet: {e}"), "")
    })?;
    Ok(bytes)
}

/// A column in the type that stands for its kind.
fn plain(column: &pl::Column, kind: Kind) -> pl::PolarsResult<pl::Column> {
    use pl::DataType as D;
    let micros = pl::TimeUnit::Microseconds;
    match kind {
        Kind::Bool => column.cast(&D::Boolean),
        // As everywhere, a span is given in whole seconds.
        Kind::Int if matches!(column.dtype(), D::Duration(_)) => {
            let micros = column.cast(&D::Duration(micros))?.cast(&D::Int64)?;
            let seconds: pl::Int64Chunked =
                micros.i64()?.iter().map(|m| m.map(|m| m.div_euclid(1_000_000))).collect();
            Ok(pl::IntoColumn::into_column(pl::IntoSeries::into_series(
                seconds.with_name(column.name().clone()),
            )))
        }
        Kind::Int => column.cast(&D::Int64),
        Kind::Float => column.cast(&D::Float64),
        Kind::Text => column.cast(&D::String),
        Kind::Time => column.cast(&D::Datetime(micros, None)),
        Kind::Date => column.cast(&D::Date),
    }
}
