//! Which row is whose: tokens by organisation and credential.
//!
//! In: `credentials`. Out: the column `token_id` of rows of day files.

use super::collect::collect;
use super::{Columns, Engine, EngineError, Rows, tables};
use crate::lake::table::Table;
use crate::model::names::Names;
use hashbrown::HashMap;
use polars::prelude as pl;
use std::sync::Arc;

/// Tokens by organisation and credential.
pub(super) struct Tokens {
    column: pl::Series,
    names: Names,
    /// By organisation and credential.
    places: HashMap<String, HashMap<String, u32>>,
}

impl Tokens {
    /// The token of each row: its place in the column to take from.
    pub(super) fn of(&self, part: &Table) -> Vec<Option<u32>> {
        let (orgs, credentials) = (part.texts("org"), part.texts("credential"));
        let mut known: HashMap<(u32, u32), Option<u32>> = HashMap::new();
        let find = |(org, credential): (u32, u32)| {
            self.find(orgs.texts.text(org), credentials.texts.text(credential))
        };
        // Rows of one credential stand together.
        let mut last = ((u32::MAX, u32::MAX), None);
        let keys = orgs.codes.iter().copied().zip(credentials.codes.iter().copied());
        keys.map(|key| {
            if key != last.0 {
                last = (key, *known.entry(key).or_insert_with(|| find(key)));
            }
            last.1
        })
        .collect()
    }

    /// The place of a credential's token.
    pub(super) fn find(&self, org: &str, credential: &str) -> Option<u32> {
        self.places.get(org)?.get(credential).copied()
    }

    /// Every token, by place.
    pub(super) const fn names(&self) -> &Names {
        &self.names
    }

    /// The column `token_id` of rows.
    pub(super) fn take(&self, rows: impl Iterator<Item = Option<u32>>) -> Result<pl::Column, EngineError> {
        let rows: pl::IdxCa = rows.collect();
        Ok(self.column.take(&rows)?.into())
    }
}

/// The columns of a day file that are read for those that are wanted, and `more`: whose a row is, is no column there.
pub(super) fn columns_to_read(wanted: &Columns, more: &[&'static str]) -> Vec<&'static str> {
    let mut read = wanted.clone();
    read.extend(["org", "credential"]);
    read.extend(more);
    read.remove("token_id");
    read.into_iter().collect()
}

impl Engine {
    /// Which credential is which token's; told once.
    pub(super) fn tokens_by_credential(&self) -> Result<Arc<Tokens>, EngineError> {
        self.once("tokens by credential", |ready| &mut ready.tokens, || self.read_tokens().map(Arc::new))
    }

    fn read_tokens(&self) -> Result<Tokens, EngineError> {
        let mut places: HashMap<String, HashMap<String, u32>> = HashMap::new();
        let mut names = Names::default();
        if let Some(source) = self.sources.get("credentials") {
            let columns = ["org", "credential", "token_id"].map(pl::col);
            let frame = source.frame.clone().select(columns);
            let told = Rows::from_frame(&collect(|| Ok(frame))?)?;
            for row in 0..told.len() {
                let text = |name| told.text(row, name);
                if let (Some(org), Some(credential), Some(token)) =
                    (text("org"), text("credential"), text("token_id"))
                {
                    let own = places.entry_ref(org).or_default();
                    own.entry_ref(credential).or_insert_with(|| names.number(token));
                }
            }
        }
        let column = tables::texts(&names).with_name("token_id".into());
        Ok(Tokens { column, names, places })
    }
}
