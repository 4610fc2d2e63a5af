//! A day as a file.
//!
//! In: a sorted day, or batches that wait. Out: the day file, and batches read back from either.

use super::sorted::Sorted;
use crate::lake::LakeError;
use crate::lake::frame::Frame;
use crate::lake::table::Table;
use crate::model::batch::{DictColumn, EventBatch};
use crate::model::time::day_of;
use std::path::Path;

impl Sorted<'_> {
    /// Writes the day file; returns its content id.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path, org: &str) -> Result<String, LakeError> {
        let at = || self.order.iter().map(|&(b, i)| (self.merged.batch(b), i as usize));
        macro_rules! coded {
            ($from:expr, $frame:expr; $($name:ident),+) => {
                $frame$(.coded_text(stringify!($name), &$from.$name.codes, &$from.$name.values))+
            };
        }
        let frame = Frame::new(self.len())
            .same_text("org", org)
            .unique_text("event_id", at().map(|(batch, i)| batch.event_id.get(i)))
            .time("time", self.times.iter().map(|time| Some(*time)))
            .date("date", self.times.iter().map(|time| Some(day_of(*time))));
        let frame = coded!(self.texts, frame; action, area, category, mechanism);
        let frame = coded!(self, frame; class).text("kind", self.kinds.iter().map(|k| k.as_str()));
        let frame = coded!(self, frame; credential, actor);
        let frame = coded!(self.texts, frame; actor_id, actor_upn, actor_name, actor_cuid, actor_client_id)
            .flag("service_actor", self.service.iter().map(|service| Some(*service)))
            .unique_text("correlation_id", at().map(|(batch, i)| batch.correlation_id.get(i)))
            .unique_text("activity_id", at().map(|(batch, i)| batch.activity_id.get(i)))
            .flag("origin", self.origins.iter().map(|origin| Some(*origin)));
        let frame = coded!(self.texts, frame; address);
        let frame = coded!(self, frame; network, client);
        let frame = coded!(self.texts, frame; user_agent, project_id);
        let frame = frame.coded_text("project", &self.named.codes, &self.named.values);
        coded!(self.texts, frame; scope_type, scope_id, scope_name)
            .long_text("details", at().map(|(batch, i)| batch.details.get(i)))
            .long_text("data", at().map(|(batch, i)| batch.data.get(i)))
            .int("shapes", at().map(|(batch, i)| Some(i64::from(batch.shapes[i]))))
            .int("folded", at().map(|(batch, i)| Some(i64::from(batch.folded[i]))))
            .write_hashed(path)
    }
}

/// Writes the rows of batches one after the other, to be read back by [`read`].
///
/// # Errors
/// When the file cannot be written.
pub(in crate::lake) fn write_part(path: &Path, batches: &[&EventBatch]) -> Result<(), LakeError> {
    let at = || batches.iter().flat_map(|batch| (0..batch.len()).map(move |i| (*batch, i)));
    let mut frame = Frame::new(at().count())
        .time("time", at().map(|(batch, i)| Some(batch.time[i])))
        .int("shapes", at().map(|(batch, i)| Some(i64::from(batch.shapes[i]))))
        .int("folded", at().map(|(batch, i)| Some(i64::from(batch.folded[i]))));
    macro_rules! columns {
        ($how:ident: $($name:ident),+ $(,)?) => {
            $( frame = frame.$how(stringify!($name), at().map(|(batch, i)| batch.$name.get(i))); )+
        };
    }
    columns!(text: action, area, category, mechanism, actor_upn, actor_name, actor_id, actor_cuid, actor_client_id,
        address, user_agent, project_id, project, scope_type, scope_id, scope_name);
    columns!(long_text: event_id, correlation_id, activity_id, details, data);
    frame.write(path)?;
    Ok(())
}

/// Reads a day file back as a batch.
///
/// # Errors
/// When the file cannot be read.
pub fn read(path: &Path) -> Result<EventBatch, LakeError> {
    let mut batch = EventBatch::default();
    let names = [EventBatch::COLUMNS, &["time", "shapes", "folded"]].concat();
    let table = Table::read(path, &names)?;
    batch.time = table.ints("time");
    let shapes = table.known_ints("shapes").into_iter();
    batch.shapes = shapes.map(|bits| bits.and_then(|n| u8::try_from(n).ok()).unwrap_or_default()).collect();
    let folded = table.known_ints("folded").into_iter();
    batch.folded = folded.map(|n| n.and_then(|n| u32::try_from(n).ok()).unwrap_or(1)).collect();
    batch.fill(
        |name| {
            let texts = table.texts(name);
            DictColumn::of(texts.codes, texts.texts)
        },
        |name| table.cells(name).into_iter().collect(),
    );
    Ok(batch)
}
