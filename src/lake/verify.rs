//! Compares every day file with the index, and rebuilds what does not agree.

use super::index::DayEntry;
use super::{Lake, LakeError, day, derive};
use crate::model::hash::sha256;
use crate::model::time::day_text;

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Days looked at.
    pub days: u64,
    /// What was mended.
    pub mended: Vec<String>,
    /// What could not be.
    pub lost: Vec<String>,
}

impl Lake {
    /// Checks every day that the index names; a derived table that is gone or older than its day is made anew.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn verify(&mut self) -> Result<Verified, LakeError> {
        let mut verified = Verified::default();
        let entries: Vec<DayEntry> = self.index.days.clone();
        for entry in entries {
            verified.days += 1;
            let path = self.day_file("events", &entry.org, entry.day);
            let name = format!("{} {}", entry.org, day_text(entry.day));
            let Ok(bytes) = std::fs::read(&path) else {
                verified.lost.push(format!("{name}: the day file is gone; import or pull that day again"));
                self.index.days.retain(|d| *d != entry);
                continue;
            };
            let content = sha256(&bytes);
            let whole = content == entry.content;
            let derived = |t: &&str| self.derived_file(t, &entry.org, entry.day, &content).exists();
            if whole && derive::DAILY.iter().all(derived) {
                continue;
            }
            let Ok(batch) = day::read(&path) else {
                verified.lost.push(format!("{name}: the day file is damaged; import or pull that day again"));
                self.index.days.retain(|d| *d != entry);
                continue;
            };
            let merged = day::merge_one(&batch);
            let sorted = day::Sorted::of(&merged);
            let rows = sorted.rows();
            derive::write_all(self, &entry.org, entry.day, &content, &sorted, &rows)?;
            if let Some(held) = self.index.days.iter_mut().find(|d| **d == entry) {
                held.content = content;
                held.rows = rows.len() as u64;
            }
            verified.mended.push(format!("{name}: derived tables rebuilt"));
        }
        super::view::View::refresh(self)?;
        let path = self.root().join("index.json");
        self.index.write(&path)?;
        Ok(verified)
    }
}
