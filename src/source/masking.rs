//! Credentials in what was read are masked before anything else sees it.
//!
//! In: the rows of a chunk. Out: the same rows with every credential masked, and how many there were. Every input passes
//! here, files and live services alike, so that no secret reaches the lake, an output or a query. What `pull --keep-raw`
//! keeps are the answers as they came.

use super::row::Parsed;
use crate::model::inventory::Texts;
use crate::model::secret::{Masked, mask as mask_text};

/// Masks the credentials in every text of a chunk.
pub(super) fn mask(parsed: &mut Parsed) {
    let mut count = Masked::default();
    let mut unheard = Masked::default();
    for ((org, _), batch) in &mut parsed.batches {
        batch.mask(&mut count);
        // The name of the organisation was counted with the events that it comes from.
        org.texts(&mut |text| mask_text(text, &mut unheard));
    }
    for (org, _) in &mut parsed.orgs_seen {
        org.texts(&mut |text| mask_text(text, &mut unheard));
    }
    rows(&mut parsed.inventory, &mut count);
    rows(&mut parsed.users, &mut count);
    rows(&mut parsed.usage, &mut count);
    parsed.masked = count;
}

fn rows<T: Texts>(rows: &mut [T], count: &mut Masked) {
    rows.iter_mut().for_each(|row| row.texts(&mut |text| mask_text(text, count)));
}
