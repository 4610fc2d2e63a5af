//! Rows of tokens: which row is whose, and the rows of `activity` that are some token's, read once for all detections.
//!
//! In: `credentials` and the day files. Out: the column `token_id` of rows, and a table of the rows that have one, with
//! the columns that any detection wants. What would fill too much memory is not kept.

use super::days::Part;
use super::schema::TableDef;
use super::{Columns, Engine, EngineError, Rows, guarded};
use crate::model::names::Names;
use hashbrown::HashMap;
use pl::{IntoLazy as _, NamedFrom as _};
use polars::prelude as pl;

/// The table whose rows of tokens are kept apart: three in ten rows are nobody's, and most detections pass over them.
pub(super) const TABLE: &str = "activity";
/// Bytes that they may fill.
const BUDGET: usize = 1 << 30;

/// Tokens by organisation and credential.
pub(super) struct Tokens {
    column: pl::Series,
    texts: Vec<String>,
    rows: HashMap<(String, String), u32>,
}

impl Tokens {
    /// The token of each row: its place in the column to take from.
    pub(super) fn of(&self, part: &Part) -> Vec<Option<u32>> {
        let (orgs, credentials) = (part.texts("org"), part.texts("credential"));
        let mut known: HashMap<(u32, u32), Option<u32>> = HashMap::new();
        let keys = orgs.codes.iter().zip(&credentials.codes);
        keys.map(|(org, credential)| {
            *known.entry((*org, *credential)).or_insert_with(|| {
                let text = |texts: &[String], code: u32| texts[code as usize].clone();
                self.rows.get(&(text(&orgs.texts, *org), text(&credentials.texts, *credential))).copied()
            })
        })
        .collect()
    }

    /// Every token, by place.
    pub(super) fn texts(&self) -> Vec<String> {
        self.texts.clone()
    }

    /// The column `token_id` of rows.
    pub(super) fn take(&self, rows: impl Iterator<Item = Option<u32>>) -> Result<pl::Column, EngineError> {
        let rows: pl::IdxCa = rows.collect();
        Ok(self.column.take(&rows)?.into())
    }
}

impl Engine {
    /// Which credential is which token's.
    pub(super) fn tokens_by_credential(&self) -> Result<Tokens, EngineError> {
        let mut rows: HashMap<(String, String), u32> = HashMap::new();
        let mut names = Names::default();
        if let Some(source) = self.sources.get("credentials") {
            let columns = ["org", "credential", "token_id"].map(pl::col);
            let frame = source.frame.clone().select(columns);
            let told = Rows::from_frame(&guarded(|| Ok(frame.collect()?))?)?;
            for row in 0..told.len() {
                let text = |name| told.text(row, name).map(str::to_owned);
                if let (Some(org), Some(credential), Some(token)) =
                    (text("org"), text("credential"), text("token_id"))
                {
                    rows.entry((org, credential)).or_insert_with(|| names.number(&token));
                }
            }
        }
        let column = pl::Series::new("token_id".into(), names.texts());
        Ok(Tokens { column, texts: names.texts().to_vec(), rows })
    }

    /// The rows that are some token's; nothing where they were too many to keep.
    pub(super) fn of_tokens(
        &self,
        def: &TableDef,
        columns: &Columns,
    ) -> Result<Option<pl::LazyFrame>, EngineError> {
        let wanted = {
            let ready = self.ready();
            match &ready.of_tokens {
                Some(None) => return Ok(None),
                Some(Some((held, frame))) if held.is_superset(columns) => return Ok(Some(frame.clone())),
                Some(Some(_)) => return Ok(None),
                None => ready.token_columns.union(columns).copied().collect::<Columns>(),
            }
        };
        let tokens = self.tokens_by_credential()?;
        let mut read: Columns = wanted.clone();
        read.extend(["org", "credential"]);
        read.remove("token_id");
        let read: Vec<&'static str> = read.into_iter().collect();
        let (mut whole, mut failed): (Option<pl::DataFrame>, Option<EngineError>) = (None, None);
        let mut bytes = 0;
        self.each_day(
            TABLE,
            &read,
            |part| rows_of_tokens(def, part, &wanted, &tokens),
            |made| match made {
                Ok(frame) if bytes <= BUDGET => {
                    bytes += frame.width() * frame.height() * 16;
                    match &mut whole {
                        Some(whole) => {
                            failed =
                                whole.vstack_mut_owned(frame).err().map(EngineError::from).or(failed.take())
                        }
                        None => whole = Some(frame),
                    }
                }
                Ok(_) => whole = None,
                Err(error) => failed = Some(error),
            },
        )?;
        if let Some(error) = failed {
            return Err(error);
        }
        let kept = whole.filter(|_| bytes <= BUDGET).map(|frame| (wanted, frame.lazy()));
        let frame = kept.as_ref().map(|(_, frame)| frame.clone());
        self.ready().of_tokens = Some(kept);
        Ok(frame)
    }
}

fn rows_of_tokens(
    def: &TableDef,
    part: &Part,
    wanted: &Columns,
    tokens: &Tokens,
) -> Result<pl::DataFrame, EngineError> {
    let own = tokens.of(part);
    let rows: Vec<pl::IdxSize> = own
        .iter()
        .enumerate()
        .filter(|(_, token)| token.is_some())
        .map(|(row, _)| pl::IdxSize::try_from(row).unwrap_or_default())
        .collect();
    part.rows(def, wanted, &pl::IdxCa::from_vec("rows".into(), rows), |rows| {
        tokens.take(rows.iter().map(|row| own[row.unwrap_or_default() as usize]))
    })
}
