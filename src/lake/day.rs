//! One day of one organisation: copies merged, rows sorted, with what follows from their fields.
//!
//! In: the batches that hold events of the day, old and new. Out: sorted rows for the day file and for the
//! tables derived from it, and for each input how many of its rows were new. Rows stay where they are: merging
//! and sorting move numbers of rows, and texts that repeat are codes of the whole day from here to the file.

mod file;
mod merged;
mod row;
mod sorted;
#[cfg(test)]
mod tests;

pub use file::read;
pub(super) use file::write_part;
pub use merged::{Merged, Source, merge_one, merge_sources};
pub use row::{Codes, DayRow};
pub use sorted::Sorted;
