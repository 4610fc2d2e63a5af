//! Writes the organisation to a folder: events in several shapes, usage, truth, data card; its lists are written beside
//! them by [`super::lists`].

use std::io::Write as _;
use std::path::Path;

use serde_json::Value;

use super::LabError;
use super::labels::Label;
use super::lists;
use super::log::Event;
use super::shapes::{self, Shape};
use super::simulate::SimulateOptions;
use super::tokens::Token;
use super::usage::Usage;
use super::world::World;
use crate::model::time::{day_start, day_text, format_time, parse_time};

/// Entries on one page of the query API, as the portal loads them.
const PAGE: usize = 200;
/// Records in one Event Grid delivery file.
const DELIVERY: usize = 400;

/// How far a stretch reaches into its neighbours, as a share of the window.
const OVERLAP: f64 = 0.012;

/// Which part of the window each shape covers in the sample; the parts overlap, so that one event comes twice.
const API: [(f64, f64); 2] = [(0.0, 0.36), (0.54, 1.0)];
const LOG_ANALYTICS: (f64, f64) = (0.33, 0.50);
const EXPORT: (f64, f64) = (0.47, 0.57);
const EVENT_GRID: (f64, f64) = (0.92, 1.0);

/// Writes everything; returns the names of the files, in order.
pub(super) fn write(
    world: &World,
    options: &SimulateOptions,
    tokens: &[Token],
    events: &[Event],
    labels: &[Label],
    usage: Option<&Usage>,
    out: &Path,
) -> Result<Vec<String>, LabError> {
    let mut folder = Folder { out, names: Vec::new() };
    std::fs::create_dir_all(out).map_err(|source| LabError::Write { path: out.to_owned(), source })?;
    let part = |share: (f64, f64)| -> Vec<&Event> {
        let (from, to) = (world.at(share.0), world.at(share.1));
        events.iter().filter(|event| event.time >= from && event.time < to).collect()
    };
    if options.shapes.is_empty() {
        sample_layout(world, &part, &mut folder)?;
    } else {
        for (at, shape) in options.shapes.iter().enumerate() {
            // One shape after the other, each a day or so into its neighbours.
            let width = 1.0 / options.shapes.len() as f64;
            let from = (at as f64 * width - OVERLAP).max(0.0);
            let to = ((at + 1) as f64 * width + OVERLAP).min(1.0);
            packed(world, *shape, at + 1, &part((from, to)), &mut folder)?;
        }
    }
    if options.list_days.is_empty() {
        lists::write(world, tokens, world.end, "", &mut folder)?;
    }
    for day in &options.list_days {
        let under = format!("lists-{}/", day_text(*day));
        lists::write(world, tokens, day_start(day + 1).min(world.end), &under, &mut folder)?;
    }
    if let Some(usage) = usage {
        let rows: String = usage.rows.iter().map(|row| format!("{row}\n")).collect();
        folder.gzip("usage-records.ndjson.gz", rows.as_bytes())?;
    }
    let truth: Vec<Value> = labels.iter().map(Label::json).collect();
    folder.lines("truth.json", &truth)?;
    let card = card(world, options, tokens, events, labels);
    folder.bytes("DATA-CARD.md", card.as_bytes())?;
    Ok(folder.names)
}

/// The layout of `sample-data`: four shapes, most of it plain text, for reading.
fn sample_layout<'e>(
    world: &World,
    part: &dyn Fn((f64, f64)) -> Vec<&'e Event>,
    folder: &mut Folder<'_>,
) -> Result<(), LabError> {
    let mut number = 0;
    for share in API {
        let mut newest_first = part(share);
        newest_first.reverse();
        let pages = newest_first.chunks(PAGE).count();
        for (at, page) in newest_first.chunks(PAGE).enumerate() {
            number += 1;
            let body = shapes::api_page(world, page, at + 1 < pages);
            folder.json(&format!("audit-api-{number:04}.json"), &body)?;
        }
    }
    let rows: String = part(LOG_ANALYTICS)
        .iter()
        .map(|event| format!("{}\n", shapes::log_analytics(world, event)))
        .collect();
    folder.gzip("audit-log-analytics.ndjson.gz", rows.as_bytes())?;
    let entries: Vec<Value> = part(EXPORT).iter().rev().map(|event| shapes::export(world, event)).collect();
    folder.json("audit-export.json", &Value::Array(entries))?;
    for (at, delivery) in part(EVENT_GRID).chunks(DELIVERY).enumerate() {
        let records: Vec<Value> = delivery.iter().map(|event| shapes::event_grid(world, event)).collect();
        folder.json(&format!("audit-event-grid-{:03}.json", at + 1), &Value::Array(records))?;
    }
    Ok(())
}

/// Writes one stretch in one shape, packed with gzip.
fn packed(
    world: &World,
    shape: Shape,
    number: usize,
    events: &[&Event],
    folder: &mut Folder<'_>,
) -> Result<(), LabError> {
    let name = |ending: &str| format!("audit-{number}-{}.{ending}.gz", shape.as_str());
    let lines = |row: &dyn Fn(&Event) -> Value| -> Vec<u8> {
        events.iter().flat_map(|event| format!("{}\n", row(event)).into_bytes()).collect()
    };
    match shape {
        Shape::Api => {
            let newest_first: Vec<&Event> = events.iter().rev().copied().collect();
            let pages = newest_first.chunks(PAGE).count();
            for (at, page) in newest_first.chunks(PAGE).enumerate() {
                let body = shapes::api_page(world, page, at + 1 < pages);
                folder.gzip(&name(&format!("{:04}.json", at + 1)), format!("{body}\n").as_bytes())?;
            }
            Ok(())
        }
        Shape::LogAnalytics => {
            folder.gzip(&name("ndjson"), &lines(&|event| shapes::log_analytics(world, event)))
        }
        Shape::Splunk => folder.gzip(&name("ndjson"), &lines(&|event| shapes::splunk(world, event))),
        Shape::Export => {
            let list: Vec<Value> = events.iter().rev().map(|event| shapes::export(world, event)).collect();
            folder.gzip(&name("json"), format!("{}\n", Value::Array(list)).as_bytes())
        }
        Shape::Csv => {
            let newest_first: Vec<&Event> = events.iter().rev().copied().collect();
            folder.gzip(&name("csv"), &shapes::csv(world, &newest_first))
        }
        Shape::EventGrid => {
            let list: Vec<Value> = events.iter().map(|event| shapes::event_grid(world, event)).collect();
            folder.gzip(&name("json"), format!("{}\n", Value::Array(list)).as_bytes())
        }
    }
}

/// The folder being filled.
pub(super) struct Folder<'a> {
    out: &'a Path,
    names: Vec<String>,
}

impl Folder<'_> {
    fn bytes(&mut self, name: &str, content: &[u8]) -> Result<(), LabError> {
        let path = self.out.join(name);
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        made.and_then(|()| std::fs::write(&path, content))
            .map_err(|source| LabError::Write { path, source })?;
        self.names.push(name.to_owned());
        Ok(())
    }

    pub(super) fn json(&mut self, name: &str, body: &Value) -> Result<(), LabError> {
        self.bytes(name, format!("{body}\n").as_bytes())
    }

    /// An array with one element a line, so that a change shows as a line.
    fn lines(&mut self, name: &str, rows: &[Value]) -> Result<(), LabError> {
        let rows: Vec<String> = rows.iter().map(Value::to_string).collect();
        self.bytes(name, format!("[\n{}\n]\n", rows.join(",\n")).as_bytes())
    }

    fn gzip(&mut self, name: &str, content: &[u8]) -> Result<(), LabError> {
        // No name and no time in the header: the same bytes each time.
        let mut encoder = flate2::GzBuilder::new().mtime(0).write(Vec::new(), flate2::Compression::new(6));
        let packed = encoder.write_all(content).and_then(|()| encoder.finish());
        let packed = packed.map_err(|source| LabError::Write { path: self.out.join(name), source })?;
        self.bytes(name, &packed)
    }
}

/// The page that says what is real in the data and what is not.
fn card(
    world: &World,
    options: &SimulateOptions,
    tokens: &[Token],
    events: &[Event],
    labels: &[Label],
) -> String {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for label in labels {
        let key = format!("{} | {}", label.family, label.scenario);
        match counts.iter_mut().find(|(name, _)| *name == key) {
            Some((_, n)) => *n += 1,
            None => counts.push((key, 1)),
        }
    }
    counts.sort();
    let table: String = counts.iter().map(|(key, n)| format!("| {key} | {n} |\n")).collect();
    debug_assert!(parse_time(&format_time(world.start)).is_some());
    let mut more = String::new();
    if options.org != super::simulate::SAMPLE.org {
        more.push_str(&format!(" --name {}", options.org));
    }
    if !options.shapes.is_empty() {
        let names: Vec<&str> = options.shapes.iter().map(|shape| shape.as_str()).collect();
        more.push_str(&format!(" --shapes {}", names.join(",")));
    }
    if !options.list_days.is_empty() {
        let days: Vec<String> = options.list_days.iter().map(|day| day_text(*day)).collect();
        more.push_str(&format!(" --list-days {}", days.join(",")));
    }
    let export = if options.shapes.iter().any(|shape| matches!(shape, Shape::Csv | Shape::Splunk)) {
        "- The CSV export and the Splunk envelope: no public sample shows either.\n"
    } else {
        ""
    };
    let usage = if options.usage {
        more.push_str(" --usage");
        "- The Usage records: their columns follow a third-party client of 2018, one bucket a day stands for many, and\n  \
         they cover the whole window, which needs somebody to save that page for three months."
    } else {
        "- The owner's Usage page is not simulated, so no token can be shown unused."
    };
    format!(
        "# Data card: {org}\n\n\
         A made-up Azure DevOps organisation with labels, written by `patwatch simulate --seed {seed} --tokens {asked} --days {days}{more}`.\n\
         {n} tokens, {people} users, {events} audit events from {from} to {to}.\n\n\
         ## What is real in it\n\n\
         - The shapes: pages of the query API, rows of Azure Monitor Logs, the portal's JSON export, Event Grid records,\n  \
           tokenadmin pages, Graph users. Field names, casing, enums, null and missing fields follow published samples.\n\
         - The mechanism text is cut at 64 characters; entry ids begin with reversed ticks; storage key and CUID differ in\n  \
           the version nibble; a cascade shares the correlation id of its origin; the service writes under its own name.\n\
         - What leaves a trace and what does not: reads, clones and pushes leave none.\n\n\
         ## What is not\n\n\
         - Every name, GUID and address. Addresses lie in ranges reserved for tests and shared use.\n\
         - The rhythm of work, the share of each kind of token, the size of attacks: plausible, not measured.\n\
         - The content of `data` for `Token.*` events, which no public sample shows unmasked.\n\
         - Two all-organisation tokens whose ids agree in 28 characters, so that a cut mechanism fits both: chance would not.\n\
         {export}{usage}\n\n\
         ## Gaps and overlaps\n\n\
         No shape holds {gap_from} to {gap_to}. Neighbouring shapes overlap by days, so the same event comes twice.\n\n\
         ## Labels (`truth.json`)\n\n\
         | family | scenario | labels |\n|---|---|---|\n{table}\n\
         A token that is not labelled is benign. Look-alikes of attacks are there on purpose: moved servers, upgraded and\n\
         replaced clients, rotations, holidays, monthly jobs, weekly sweeps over all projects, bots that bypass policies by trade.\n",
        org = world.org,
        seed = options.seed,
        n = tokens.len(),
        asked = options.tokens,
        days = options.days,
        people = world.people.len(),
        events = events.len(),
        from = format_time(world.start),
        to = format_time(world.end),
        gap_from = format_time(world.gap.from),
        gap_to = format_time(world.gap.to),
    )
}
