//! Rows of the lake's day files without SQL: what is counted or looked up row by row, and would cost too much as
//! a table of cells.
//!
//! In: a table and names of columns. Out: the files' rows as columns, texts as codes, read by several threads and
//! handed on newest day first.

use super::collect::collect;
use super::{Cut, Engine, EngineError, EngineErrorKind, Source, schema, tables};
use crate::lake::LakeError;
pub use crate::lake::table::Table;
use crate::lake::view::day_of_file;
use crate::model::time::{Day, day_of};
use polars::prelude as pl;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;

pub(super) fn damaged(error: LakeError) -> EngineError {
    EngineError::new(EngineErrorKind::Damaged, error.to_string(), "Run `patwatch lake verify`.")
}

/// So many results may be ahead of the one that is taken, or one more than there are threads: they keep those busy, and
/// no more is in memory.
const AHEAD: usize = 4;

/// Makes results by several threads and takes them in order by this one, while those that follow are made.
fn in_order<T: Send, E>(
    count: usize,
    make: impl Fn(usize) -> T + Sync,
    mut take: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    if rayon::current_thread_index().is_some() {
        // One of the threads that would do the work must not wait for it.
        return (0..count).try_for_each(|at| take(make(at)));
    }
    let (send, receive) = std::sync::mpsc::channel();
    rayon::in_place_scope(|scope| {
        let begin = |at: usize| {
            let (send, make) = (send.clone(), &make);
            if at < count {
                scope.spawn(move |_| {
                    let made = std::panic::catch_unwind(AssertUnwindSafe(|| make(at)));
                    // Nobody takes it any more where one before it failed.
                    let _ = send.send((at, made));
                });
            }
        };
        let ahead = AHEAD.max(rayon::current_num_threads() + 1);
        (0..ahead).for_each(begin);
        let mut early = BTreeMap::new();
        for at in 0..count {
            while !early.contains_key(&at) {
                let Ok((at, made)) = receive.recv() else { return Ok(()) };
                early.insert(at, made);
            }
            match early.remove(&at) {
                Some(Ok(made)) => take(made)?,
                Some(Err(panic)) => std::panic::resume_unwind(panic),
                None => {}
            }
            begin(at + ahead);
        }
        Ok(())
    })
}

impl Engine {
    /// Goes through the files of a table, newest day first: `make` digests each, several at a time, and `take` gets
    /// what it made, in order.
    ///
    /// # Errors
    /// When the table was not handed in or a file cannot be read.
    pub fn each_day<T: Send>(
        &self,
        table: &str,
        columns: &[&'static str],
        make: impl Fn(&Table) -> T + Sync,
        take: impl FnMut(T),
    ) -> Result<(), EngineError> {
        self.each_day_from(None, table, columns, make, take)
    }

    /// The same, where row groups without any value in the text column `from` may be left out.
    pub(super) fn each_day_from<T: Send>(
        &self,
        from: Option<&'static str>,
        table: &str,
        columns: &[&'static str],
        make: impl Fn(&Table) -> T + Sync,
        mut take: impl FnMut(T),
    ) -> Result<(), EngineError> {
        let (Some(source), Some(def)) = (self.sources.get(table), schema::table(table)) else {
            return Err(Self::missing(table));
        };
        if source.files.is_empty() {
            take(make(&self.part(def, source, None, columns)?));
            return Ok(());
        }
        let mut files: Vec<&PathBuf> = source.files.iter().collect();
        files.sort_by_key(|file| std::cmp::Reverse(day_of_file(file)));
        let one = |at: usize| {
            let file = files[at];
            let part = match from {
                Some(from) if self.sees_whole(source, day_of_file(file)) => {
                    Table::read_groups(file, columns, |group| !group.is_without(from)).map_err(damaged)
                }
                _ => self.part(def, source, Some(file), columns),
            };
            part.map(|part| make(&part))
        };
        in_order(files.len(), one, |made| {
            take(made?);
            Ok(())
        })
    }

    /// Tells whether the run sees every row of a day's file; a fold of days holds nothing that a run does not see.
    fn sees_whole(&self, source: &Source, day: Option<Day>) -> bool {
        let (first, last) = (self.window.first_day(), day_of(self.window.as_of));
        let is_fold = source.cut == Cut::None && !source.files.is_empty();
        day.map_or(is_fold, |day| (source.cut == Cut::None || day >= first) && day < last)
    }

    /// The rows of a file that the run sees; without a file, those of the table in memory.
    pub(super) fn part(
        &self,
        def: &schema::TableDef,
        source: &Source,
        file: Option<&PathBuf>,
        columns: &[&'static str],
    ) -> Result<Table, EngineError> {
        let day = file.and_then(|f| day_of_file(f));
        if let (true, Some(file)) = (self.sees_whole(source, day), file) {
            return Table::read(file, columns).map_err(damaged);
        }
        // Through a plan, which cuts what the run does not see.
        let files: Vec<PathBuf> = file.into_iter().cloned().collect();
        let frame = if files.is_empty() { source.frame.clone() } else { tables::scan(def, &files)? };
        let source = Source { frame, files, cut: source.cut, needs_token: false };
        let frame = self.of_source(def, &source)?;
        let frame = frame.select(columns.iter().map(|c| pl::col(*c)).collect::<Vec<_>>());
        let frame = collect(|| Ok(frame))?;
        let mut table = Table::of(frame);
        table.day = day;
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_taken_in_order_and_the_first_fault_ends_it() {
        let mut taken = Vec::new();
        let take = |n| {
            if n >= 60 {
                return Err(n);
            }
            taken.push(n);
            Ok(())
        };
        let made = in_order(50, |at| at * 2, take);
        assert_eq!((made, taken.len()), (Err(60), 30));
        assert!(taken.iter().enumerate().all(|(at, n)| at * 2 == *n));
        let inside = rayon::scope(|_| in_order(3, |at| at, |_| Err::<(), &str>("fault")));
        assert_eq!(inside, Err("fault"));
        let panics = std::panic::catch_unwind(|| in_order(9, |at| assert!(at < 5), |()| Ok::<(), ()>(())));
        assert!(panics.is_err());
    }
}
