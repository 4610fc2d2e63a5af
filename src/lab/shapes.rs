//! One event, written as each source writes it: API page, portal export as JSON and CSV, Log Analytics row,
//! Event Grid record, Splunk envelope.

use std::str::FromStr;

use serde_json::{Map, Value, json};

use super::LabError;
use super::log::{Actor, Event};
use super::world::World;
use crate::model::identity::ZERO_GUID;
use crate::model::time::{Micros, SECOND, format_time};

/// A source of audit events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Pages of the query API.
    Api,
    /// Rows of Azure Monitor Logs.
    LogAnalytics,
    /// The portal's export as JSON.
    Export,
    /// The portal's export as CSV.
    Csv,
    /// Event Grid records.
    EventGrid,
    /// Splunk's event collector.
    Splunk,
}

impl Shape {
    /// Every shape.
    pub const ALL: &'static [Self] =
        &[Self::Api, Self::LogAnalytics, Self::Export, Self::Csv, Self::EventGrid, Self::Splunk];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::LogAnalytics => "log-analytics",
            Self::Export => "export",
            Self::Csv => "csv",
            Self::EventGrid => "event-grid",
            Self::Splunk => "splunk",
        }
    }
}

impl FromStr for Shape {
    type Err = LabError;

    fn from_str(text: &str) -> Result<Self, LabError> {
        Self::ALL.iter().copied().find(|shape| shape.as_str() == text).ok_or_else(|| LabError::Options {
            what: format!("there is no shape \"{text}\""),
            hint: "choose among api, log-analytics, export, csv, event-grid, splunk",
        })
    }
}

/// Ticks from year 1 to 1970, in tenths of a microsecond.
const EPOCH_TICKS: i64 = 621_355_968_000_000_000;
/// The last tick of year 9999, from which ids count backwards.
const LAST_TICK: i64 = 3_155_378_975_999_999_999;

/// Time of an event to a tenth of a microsecond, as `2026-08-01T10:00:00.1234567`.
fn fine_time(event: &Event) -> String {
    let seconds = format_time(event.time.div_euclid(SECOND) * SECOND);
    format!("{}.{:06}{}", &seconds[..19], event.time.rem_euclid(SECOND), event.fine)
}

/// Time to a millisecond, cut, as streams carry it.
fn coarse_time(time: Micros) -> String {
    let seconds = format_time(time.div_euclid(SECOND) * SECOND);
    format!("{}.{:03}", &seconds[..19], time.rem_euclid(SECOND) / 1_000)
}

/// The id as the query API gives it.
pub(super) fn api_id(event: &Event) -> String {
    let ticks = EPOCH_TICKS + event.time * 10 + i64::from(event.fine);
    // The middle part is the service that wrote the entry, not the actor.
    let service = match event.action.area {
        "Auditing" => 0x64,
        "Git" => 0x02,
        "Release" => 0x0d,
        "Token" => 0x19,
        _ => 0x02,
    };
    format!("{};{};{}", LAST_TICK - ticks, service_id(service), event.id)
}

fn service_id(number: u8) -> String {
    format!("000000{number:02x}-0000-8888-8000-000000000000")
}

/// The columns that all shapes share, under their PascalCase names, in the order of the portal's export.
fn columns(world: &World, event: &Event) -> Vec<(&'static str, Value)> {
    let (cuid, user_id, upn, name) = match event.actor {
        Actor::Person(index) => {
            let person = &world.people[index];
            (person.cuid.clone(), person.user_id.clone(), person.upn.clone(), person.name.clone())
        }
        Actor::Service(number) => {
            let name = "Azure DevOps Service".to_owned();
            (ZERO_GUID.to_owned(), service_id(number), name.clone(), name)
        }
    };
    let project = event.project.map(|at| &world.projects[at]);
    vec![
        ("Id", json!(event.id)),
        ("CorrelationId", json!(event.correlation)),
        ("ActivityId", json!(event.activity)),
        ("ActorCUID", json!(cuid)),
        ("ActorUserId", json!(user_id)),
        ("ActorClientId", json!(ZERO_GUID)),
        ("ActorUPN", json!(upn)),
        ("AuthenticationMechanism", json!(event.mechanism)),
        ("Timestamp", Value::Null),
        ("ScopeType", Value::Null),
        ("ScopeDisplayName", json!(world.org)),
        ("ScopeId", json!(world.org_id)),
        ("ProjectId", json!(project.map_or(ZERO_GUID, |p| &p.id))),
        ("ProjectName", json!(project.map(|p| &p.name))),
        ("IpAddress", json!(event.address)),
        ("UserAgent", json!(event.user_agent)),
        ("ActionId", json!(event.action.id)),
        ("Data", Value::Object(event.payload.data.clone())),
        ("Details", json!(event.payload.details)),
        ("Area", json!(event.action.area)),
        ("Category", json!(event.action.category.display())),
        ("CategoryDisplayName", json!(event.action.category.display())),
        ("ActorDisplayName", json!(name)),
    ]
}

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(str::is_empty)
}

/// An entry of an API page.
pub(super) fn api(world: &World, event: &Event) -> Value {
    let mut entry = Map::new();
    for (name, value) in columns(world, event) {
        let value = match name {
            "Id" => json!(api_id(event)),
            "Timestamp" => json!(format!("{}+00:00", fine_time(event))),
            "ScopeType" => json!("organization"),
            "ScopeDisplayName" => json!(format!("{} (Organization)", world.org)),
            "Category" => json!(event.action.category.display().to_lowercase()),
            _ => value,
        };
        let mut key = name.to_owned();
        key[..1].make_ascii_lowercase();
        entry.insert(key, value);
    }
    let image = match event.actor {
        Actor::Person(index) => json!(format!(
            "https://dev.azure.com/{}/_apis/GraphProfile/MemberAvatars/{}",
            world.org, world.people[index].descriptor
        )),
        Actor::Service(_) => Value::Null,
    };
    entry.insert("actorImageUrl".to_owned(), image);
    Value::Object(entry)
}

/// A page of the query API; `events` newest first.
pub(super) fn api_page(world: &World, events: &[&Event], has_more: bool) -> Value {
    json!({
        "decoratedAuditLogEntries": events.iter().map(|event| api(world, event)).collect::<Vec<_>>(),
        "continuationToken": events.last().map(|event| api_id(event)),
        "hasMore": has_more,
    })
}

/// The columns of the portal's export, filled as it fills them.
fn exported(world: &World, event: &Event) -> impl Iterator<Item = (&'static str, Value)> {
    columns(world, event).into_iter().map(|(name, value)| {
        let value = match name {
            "Id" => json!(api_id(event)),
            "Timestamp" => json!(format!("{}Z", fine_time(event))),
            "ScopeType" => json!("Organization"),
            "ScopeDisplayName" => json!(format!("{} (Organization)", world.org)),
            _ => value,
        };
        (name, value)
    })
}

/// An entry of the portal's JSON export: empty fields are left out.
pub(super) fn export(world: &World, event: &Event) -> Value {
    let entry = exported(world, event).filter(|(_, value)| !is_blank(value));
    Value::Object(entry.map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The portal's CSV export: the same columns under a header, `Data` as JSON text. No public sample shows it.
pub(super) fn csv(world: &World, events: &[&Event]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for (at, event) in events.iter().enumerate() {
        let row: Vec<(&str, Value)> = exported(world, event).collect();
        if at == 0 {
            // Writing to memory does not fail.
            let _ = writer.write_record(row.iter().map(|(name, _)| *name));
        }
        let _ = writer.write_record(row.iter().map(|(_, value)| match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }));
    }
    writer.into_inner().unwrap_or_default()
}

/// A record as Splunk's event collector takes it. No public sample shows it: the envelope is Splunk's own,
/// the event inside is expected to be the same object as in the other streams.
pub(super) fn splunk(world: &World, event: &Event) -> Value {
    let time = event.time.div_euclid(1_000) as f64 / 1_000.0;
    let inner = event_grid(world, event)["data"].take();
    json!({"time": time, "host": "auditservice", "source": "AzureDevOps", "sourcetype": "_json", "event": inner})
}

/// A row of Azure Monitor's table `AzureDevOpsAuditing`.
pub(super) fn log_analytics(world: &World, event: &Event) -> Value {
    let mut row: Map<String, Value> = columns(world, event)
        .into_iter()
        .map(|(name, value)| match name {
            "Timestamp" => ("TimeGenerated".to_owned(), json!(format!("{}0000Z", coarse_time(event.time)))),
            "ActionId" => ("OperationName".to_owned(), value),
            "ScopeType" => (name.to_owned(), json!("Enterprise")),
            _ => (name.to_owned(), value),
        })
        .collect();
    row.insert("SourceSystem".to_owned(), json!("Azure"));
    row.insert("TenantId".to_owned(), json!(world.tenant_id));
    row.insert("Type".to_owned(), json!("AzureDevOpsAuditing"));
    Value::Object(row)
}

/// A record of an Event Grid topic: integer enums, empty fields left out.
pub(super) fn event_grid(world: &World, event: &Event) -> Value {
    let time = format!("{}Z", coarse_time(event.time));
    let data = columns(world, event).into_iter().filter_map(|(name, value)| {
        let value = match name {
            "Timestamp" => json!(time),
            "ScopeType" => json!(4),
            "Category" => json!(event.action.category as u8),
            _ => value,
        };
        (!is_blank(&value)).then(|| (name.to_owned(), value))
    });
    let data: Map<String, Value> = data.collect();
    json!({
        "id": event.id, "subject": "AzureDevOps/Auditing", "data": data, "eventType": "AzureDevOpsAuditEvent",
        "dataVersion": "1.0", "metadataVersion": "1", "eventTime": time,
        "topic": "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/audit/providers/Microsoft.EventGrid/topics/audit",
    })
}
