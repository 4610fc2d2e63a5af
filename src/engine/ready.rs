//! Tables that detections share: made once, by whoever needs one first, and let go of after its last reader.
//!
//! In: what the detections about to run read. Out: frames by name, with the columns that any of them wants.

use super::attributed::Tokens;
use super::pack::Detection;
use super::{Columns, Engine, EngineError, calls, check, chosen, flagged, narrow, pack, schema, seen, views};
use polars::prelude as pl;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Tables as detections see them, made once and shared by all of them.
#[derive(Default)]
pub(super) struct Ready {
    pub(super) frames: BTreeMap<&'static str, (Columns, pl::LazyFrame)>,
    /// How many of those still to run read a table; what nobody needs any more goes.
    pub(super) readers: BTreeMap<String, usize>,
    /// What the detections about to run will ask for, so that a table is read once and no column in vain.
    pub(super) expected: BTreeMap<&'static str, Columns>,
    /// The same of the table that is kept by action, a query each.
    pub(super) wants: Vec<chosen::Want>,
    /// That table, once read; the inner nothing says that it would fill too much memory.
    pub(super) chosen: Option<Option<Arc<chosen::Chosen>>>,
    /// The events of PATs, once read; they outlive tables that the analysis hands in.
    pub(super) calls: Option<Arc<calls::Calls>>,
    /// The folds of all months, once joined; they outlive such tables too.
    pub(super) joined: Option<Arc<seen::Joined>>,
    /// Whose a credential is.
    pub(super) tokens: Option<Arc<Tokens>>,
    /// Rows of the tables that lie in files.
    pub(super) counts: BTreeMap<String, usize>,
}

impl Engine {
    /// Learns which columns the detections about to run will ask for.
    pub(crate) fn expect<'a>(&self, detections: impl Iterator<Item = &'a Detection>) {
        let mut expected: BTreeMap<&'static str, Columns> = BTreeMap::new();
        let mut note = |statement: &sqlparser::ast::Statement, tables: &BTreeSet<String>| {
            for def in tables.iter().filter_map(|t| schema::table(t)) {
                let columns = narrow::Words::of(statement, def.name).columns(def);
                expected.entry(def.name).or_default().extend(columns);
            }
        };
        let mut wants = Vec::new();
        let mut readers: BTreeMap<String, usize> = BTreeMap::new();
        for detection in detections {
            if let Ok((statement, mut tables, _)) = check::inspect(&detection.sql) {
                for table in &tables {
                    *readers.entry(table.clone()).or_default() += 1;
                }
                if self.is_narrowed(detection, &statement) {
                    tables.remove(flagged::TABLE);
                }
                note(&statement, &tables);
                if tables.contains(chosen::TABLE) {
                    // A table that is missing is told of when the detection runs.
                    let want = self.want(&statement);
                    wants.extend(want.ok().flatten());
                }
            }
        }
        for view in views::VIEWS {
            if let Ok((statement, tables, _)) = check::inspect(view.sql) {
                note(&statement, &tables);
                // When a view is made is not known here.
                readers.retain(|table, _| !tables.contains(table));
            }
        }
        let mut ready = self.ready();
        ready.expected = expected;
        // A user may ask for what was found, too, and `first_shown` is made of the others.
        for table in [pack::FINDINGS, "seen", "token_dates", "org_seen"] {
            readers.remove(table);
        }
        ready.readers = readers;
        ready.wants = wants;
        ready.chosen = None;
    }

    /// Lets go of the tables that this detection was the last to read.
    pub(super) fn done_with(&self, tables: &BTreeSet<String>) {
        let mut ready = self.ready();
        for table in tables {
            let Some(left) = ready.readers.get_mut(table) else { continue };
            *left -= 1;
            if *left == 0 {
                ready.readers.remove(table);
                ready.frames.remove(table.as_str());
            }
        }
    }

    pub(super) fn ready(&self) -> MutexGuard<'_, Ready> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to hold while a table is made. A table is made of others, never in a circle.
    pub(super) fn making(&self, table: &'static str) -> Arc<Mutex<()>> {
        let mut making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(making.entry(table).or_default())
    }

    /// What is made once: from its place among what is ready, else made by whoever comes first while others wait.
    pub(super) fn once<T: Clone>(
        &self,
        name: &'static str,
        place: fn(&mut Ready) -> &mut Option<T>,
        make: impl FnOnce() -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let making = self.making(name);
        let _making = making.lock().unwrap_or_else(PoisonError::into_inner);
        let held = place(&mut self.ready()).clone();
        if let Some(held) = held {
            return Ok(held);
        }
        let made = make()?;
        *place(&mut self.ready()) = Some(made.clone());
        Ok(made)
    }

    /// Tables depend on each other, so a new one makes all be built anew.
    pub(super) fn forget(&self) {
        {
            let mut ready = self.ready();
            ready.counts.clear();
            ready.frames.clear();
        }
        self.release();
    }

    /// What is held of files is made of these tables.
    pub(super) fn forget_calls(&self, table: &str) {
        if matches!(table, "events" | "lake_uses" | "lake_orphans") {
            self.ready().calls = None;
        }
        if table == "seen" {
            self.ready().joined = None;
        }
        if table == "credentials" {
            self.ready().tokens = None;
        }
    }

    /// Lets go of the events too, once all findings have their ids.
    pub(crate) fn let_go(&self) {
        self.release();
        let mut ready = self.ready();
        (ready.calls, ready.joined) = (None, None);
    }

    /// Lets go of what detections shared; a later query reads anew what it needs.
    pub(crate) fn release(&self) {
        let mut ready = self.ready();
        // Findings of the first detections are for those that count them.
        ready.frames.retain(|name, _| *name == pack::FINDINGS);
        ready.chosen = None;
    }
}
