//! One day of one organisation: copies merged, rows sorted, with what follows from their fields.
//!
//! In: the batches that hold events of the day, old and new. Out: sorted rows for the day file and for the
//! tables derived from it, and for each batch how many of its rows were new.

use super::frame::{Frame, Table};
use super::{LakeError, merge};
use crate::model::batch::EventBatch;
use crate::model::event::EventRow;
use crate::model::mechanism::{Mechanism, MechanismKind};
use crate::model::time::day_of;
use crate::model::{client, identity, network};
use hashbrown::HashMap;
use std::path::Path;

/// One event with what follows from its fields.
#[derive(Debug, Clone, Copy)]
pub struct DayRow<'a> {
    /// The event.
    pub row: EventRow<'a>,
    /// Bits of all shapes it arrived in.
    pub shapes: u8,
    /// Mechanism class, such as `PAT_Unscoped`.
    pub class: &'a str,
    /// Mechanism kind.
    pub kind: MechanismKind,
    /// Visible part of the credential, lower case.
    pub credential: &'a str,
    /// UPN in lower case, else name, else id.
    pub actor: &'a str,
    /// Made by the service itself.
    pub service_actor: bool,
    /// /24 or /48 of the address.
    pub network: &'a str,
    /// Product behind the user agent.
    pub client: &'a str,
}

impl DayRow<'_> {
    /// Tells whether the event began its cascade.
    #[must_use]
    pub fn origin(&self) -> bool {
        self.row.event_id == self.row.correlation_id
    }
}

/// The rows of a day as merged, before what follows from them is looked up.
#[derive(Debug)]
pub struct Merged<'a> {
    rows: Vec<(EventRow<'a>, u8)>,
    /// New events by batch: the rows of batch `i` that no earlier batch held.
    pub kept: Vec<u64>,
    /// Whether anything differs from batch 0, the day as it is on disk.
    pub changed: bool,
}

/// Merges the copies of each event over `batches`, of which the first is the day as it is on disk.
#[must_use]
pub fn merge_batches<'a>(batches: &[&'a EventBatch]) -> Merged<'a> {
    let mut order: Vec<(u128, u32, u32)> = Vec::with_capacity(batches.iter().map(|b| b.len()).sum());
    for (b, batch) in batches.iter().enumerate() {
        for i in 0..batch.len() {
            order.push((guid_number(batch.event_id.get(i)), number(b), number(i)));
        }
    }
    order.sort_unstable();
    let mut merged =
        Merged { rows: Vec::with_capacity(order.len()), kept: vec![0; batches.len()], changed: false };
    for copies in order.chunk_by(|a, b| a.0 == b.0) {
        let at = |&(_, b, i): &(u128, u32, u32)| {
            let (batch, i) = (batches[b as usize], i as usize);
            (batch.row(i), batch.shapes[i])
        };
        let (mut row, mut shapes) = at(&copies[0]);
        let before = (row, shapes);
        for copy in &copies[1..] {
            let (other, bits) = at(copy);
            merge::merge(&mut row, &other);
            shapes |= bits;
        }
        let source = copies[0].1 as usize;
        merged.kept[source] += 1;
        // The first shape is a view on the bits, not content of its own.
        row.shape = before.0.shape;
        merged.changed |= source != 0 || before != (row, shapes);
        merged.rows.push((row, shapes));
    }
    merged
}

fn number(i: usize) -> u32 {
    u32::try_from(i).unwrap_or(u32::MAX)
}

/// Reads the hex digits of a GUID as a number; sources let only GUIDs through.
fn guid_number(guid: &str) -> u128 {
    guid.bytes().filter_map(|c| char::from(c).to_digit(16)).fold(0, |n, d| n << 4 | u128::from(d))
}

/// What follows from the texts of a day, each distinct text looked at once.
#[derive(Debug, Default)]
pub struct Lookups<'a> {
    credentials: HashMap<&'a str, String>,
    networks: HashMap<&'a str, String>,
    actors: HashMap<(&'a str, &'a str, &'a str), String>,
}

impl<'a> Lookups<'a> {
    /// Looks at every distinct mechanism, address and actor of `merged`.
    #[must_use]
    pub fn of(merged: &Merged<'a>) -> Self {
        let mut lookups = Self::default();
        for (row, _) in &merged.rows {
            lookups
                .credentials
                .entry(row.mechanism)
                .or_insert_with(|| Mechanism::parse(row.mechanism).credential.to_ascii_lowercase());
            lookups.networks.entry(row.address).or_insert_with(|| network::network_of(row.address));
            let id = if row.actor_id.is_empty() { row.actor_client_id } else { row.actor_id };
            lookups
                .actors
                .entry((row.actor_upn, row.actor_name, id))
                .or_insert_with(|| identity::actor_label(row.actor_upn, row.actor_name, id));
        }
        lookups
    }
}

/// Returns the rows with what follows from them, sorted by credential, time and event id.
#[must_use]
pub fn rows<'a>(merged: &'a Merged<'a>, lookups: &'a Lookups<'a>) -> Vec<DayRow<'a>> {
    let text = |map: Option<&'a String>| map.map_or("", String::as_str);
    let mut rows: Vec<DayRow<'a>> = merged
        .rows
        .iter()
        .map(|&(row, shapes)| {
            let mechanism = Mechanism::parse(row.mechanism);
            let id = if row.actor_id.is_empty() { row.actor_client_id } else { row.actor_id };
            DayRow {
                row,
                shapes,
                class: mechanism.class,
                kind: mechanism.kind,
                credential: text(lookups.credentials.get(row.mechanism)),
                actor: text(lookups.actors.get(&(row.actor_upn, row.actor_name, id))),
                service_actor: identity::is_service_actor(
                    row.actor_upn,
                    row.actor_name,
                    row.actor_id,
                    row.mechanism,
                ),
                network: text(lookups.networks.get(row.address)),
                client: client::client_of(row.user_agent),
            }
        })
        .collect();
    rows.sort_by(|a, b| {
        (a.credential, a.row.time, a.row.event_id).cmp(&(b.credential, b.row.time, b.row.event_id))
    });
    rows
}

/// Writes the day file; returns its bytes.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, org: &str, rows: &[DayRow<'_>]) -> Result<Vec<u8>, LakeError> {
    let mut frame = Frame::new(rows.len()).text("org", rows.iter().map(|_| org));
    macro_rules! text {
        ($($name:literal: $get:expr),+ $(,)?) => {
            $( frame = frame.text($name, rows.iter().map($get)); )+
        };
    }
    text! { "event_id": |r| r.row.event_id }
    frame = frame
        .time("time", rows.iter().map(|r| Some(r.row.time)))
        .date("date", rows.iter().map(|r| Some(day_of(r.row.time))));
    text! {
        "action": |r| r.row.action,
        "area": |r| r.row.area,
        "category": |r| r.row.category,
        "mechanism": |r| r.row.mechanism,
        "class": |r| r.class,
        "kind": |r| r.kind.as_str(),
        "credential": |r| r.credential,
        "actor": |r| r.actor,
        "actor_id": |r| r.row.actor_id,
        "actor_upn": |r| r.row.actor_upn,
        "actor_name": |r| r.row.actor_name,
        "actor_cuid": |r| r.row.actor_cuid,
        "actor_client_id": |r| r.row.actor_client_id,
    }
    frame = frame.flag("service_actor", rows.iter().map(|r| Some(r.service_actor)));
    text! { "correlation_id": |r| r.row.correlation_id, "activity_id": |r| r.row.activity_id }
    frame = frame.flag("origin", rows.iter().map(|r| Some(r.origin())));
    text! {
        "address": |r| r.row.address,
        "network": |r| r.network,
        "client": |r| r.client,
        "user_agent": |r| r.row.user_agent,
        "project_id": |r| r.row.project_id,
        "project": |r| r.row.project,
        "scope_type": |r| r.row.scope_type,
        "scope_id": |r| r.row.scope_id,
        "scope_name": |r| r.row.scope_name,
        "details": |r| r.row.details,
        "data": |r| r.row.data,
    }
    frame
        .int("shapes", rows.iter().map(|r| Some(i64::from(r.shapes))))
        .int("folded", rows.iter().map(|r| Some(i64::from(r.row.folded))))
        .write(path)
}

/// Reads a day file back as a batch.
///
/// # Errors
/// When the file cannot be read.
pub fn read(path: &Path) -> Result<EventBatch, LakeError> {
    let table = Table::read(path)?;
    let mut batch = EventBatch::default();
    let (time, shapes, folded) = (table.int("time"), table.int("shapes"), table.int("folded"));
    macro_rules! columns {
        ($($name:ident),+ $(,)?) => {
            $( let $name = table.text(stringify!($name)); let $name = $name.cells(); )+
            for i in 0..table.height() {
                let row = EventRow {
                    time: time[i].unwrap_or_default(),
                    folded: folded[i].and_then(|n| u32::try_from(n).ok()).unwrap_or(1),
                    $($name: $name[i],)+
                    ..EventRow::EMPTY
                };
                batch.push_merged(&row, shapes[i].and_then(|n| u8::try_from(n).ok()).unwrap_or_default());
            }
        };
    }
    columns!(
        event_id,
        action,
        area,
        category,
        mechanism,
        actor_upn,
        actor_name,
        actor_id,
        actor_cuid,
        actor_client_id,
        correlation_id,
        activity_id,
        address,
        user_agent,
        project_id,
        project,
        scope_type,
        scope_id,
        scope_name,
        details,
        data,
    );
    Ok(batch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_survives_writing_and_reading() {
        let mut batch = EventBatch::default();
        for i in 0..3 {
            let id = format!("00000000-0000-0000-0000-00000000000{i}");
            batch.push(&EventRow {
                event_id: &id,
                time: 1_000_000 + i,
                action: "A.B",
                mechanism: "PAT authorizationId: AAAAAAAA-0000-0000-0000-000000000001",
                address: "10.0.0.1",
                data: "{\"k\":\"=1\"}",
                ..EventRow::EMPTY
            });
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.parquet");
        let merged = merge_batches(&[&batch]);
        let lookups = Lookups::of(&merged);
        write(&path, "o", &rows(&merged, &lookups)).unwrap();
        let again = read(&path).unwrap();
        for i in 0..3 {
            assert_eq!(again.row(i), batch.row(i));
        }
        let both = merge_batches(&[&again, &batch]);
        assert_eq!((both.kept.as_slice(), both.changed), ([3, 0].as_slice(), false));
    }
}
