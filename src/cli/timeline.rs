//! `patwatch timeline`: the events of a token, a person, an address or a network, oldest first, with their targets.
//!
//! In: what is sought, a span, and optionally an event with a time around it. Out: a grid. CSV and NDJSON carry the data of
//! each event; secrets in it were masked when it was read.

use super::Context;
use super::args::TimelineArgs;
use super::error::{CliError, Outcome};
use super::find::{Place, find};
use super::gate::Gate;
use super::instants::{Bare, instant};
use super::session::{Found, Session};
use crate::config::limits::parse_time as parse_duration;
use crate::model::network::{network_of, parse as parse_address};
use crate::model::time::{Micros, Window, day_of, day_start, format_time};
use crate::output;
use crate::output::grid::Grid;
use crate::report::TokenReport;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Columns of every event that the rows are made of.
const COLUMNS: &str = "org, event_id, time, action, project, address, network, client, user_agent, token_id, credential, actor, actor_id, details, data";

/// Keys of an event's data that name its target, the most telling first. A name in the data that is only context, such as
/// the project, is not a target unless nothing else is.
const TARGET_KEYS: &[&str] = &[
    "RepoName",
    "PipelineName",
    "ReleaseName",
    "ConnectionName",
    "VariableGroupName",
    "AgentPoolName",
    "FeedName",
    "ExtensionName",
    "GroupName",
    "MemberDisplayName",
    "TargetUser",
    "DisplayName",
    "displayName",
    "PolicyTypeDisplayName",
    "RefName",
    "RunName",
    "ResourceName",
    "SettingName",
    "ConfigName",
    "ProcessName",
    "StageName",
    "NamespaceName",
    "Path",
    "ProjectName",
    "OrganizationName",
];

/// One event of the timeline.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    time: Micros,
    org: String,
    event_id: String,
    action: String,
    target: String,
    project: String,
    address: String,
    client: String,
    token: String,
    actor: String,
    actor_id: String,
    data: Value,
    /// Why `--around` added it; empty for what was sought.
    why: &'static str,
}

pub(super) fn run(context: &Context, args: &TimelineArgs) -> Result<Outcome, CliError> {
    if args.what.trim().is_empty() {
        return Err(CliError::new("nothing is named").hint("name a token, an owner, an address or a network"));
    }
    let since = args.since.as_deref().map(|text| instant("--since", text, Bare::Start)).transpose()?;
    let until = args.until.as_deref().map(|text| instant("--until", text, Bare::Last)).transpose()?;
    let around = match args.around.as_deref() {
        Some([id, time]) => {
            let span = parse_duration(time)
                .map_err(|e| CliError::new(format!("invalid time \"{time}\" for `--around`: {e}")))?;
            Some((id.trim().to_lowercase(), Micros::try_from(span.as_micros()).unwrap_or(Micros::MAX / 4)))
        }
        _ => None,
    };
    let mut session = Session::open(&context.lake, context.config.clone(), &args.selection, &context.ui)?;
    if let Some(since) = since.filter(|since| *since < day_start(session.window.first_day())) {
        let as_of = session.window.as_of;
        session.window = Window::ending(as_of, (day_of(as_of) - day_of(since) + 1).max(1));
    }
    let from = since.unwrap_or_else(|| day_start(session.window.first_day()));
    let to = until.unwrap_or(session.window.as_of).min(session.window.as_of);
    if from > to {
        return Err(CliError::new(format!(
            "the span from {} to {} is empty",
            format_time(from),
            format_time(to)
        ))
        .hint("the run ends at its instant; `--as-of` moves it"));
    }
    let found = session.find(&[], &context.ui)?;
    let names = names(&found);
    let mut rows = sought(&found, &args.what, &names)?;
    rows.retain(|row| (from..=to).contains(&row.time));
    if let Some((id, span)) = &around {
        add_around(&found, &names, id, *span, &mut rows)?;
    }
    rows.sort_by(|a, b| (a.time, &a.org, &a.event_id).cmp(&(b.time, &b.org, &b.event_id)));
    let format = output::find(output::GRIDS, &args.format).map_err(CliError::new)?;
    let style = context.ui.style(args.output.as_deref());
    let mut bytes = Vec::new();
    let full = matches!(args.format.as_str(), "csv" | "ndjson");
    format.write(&grid(&rows, full, around.is_some()), style, &mut bytes)?;
    context.ui.write(args.output.as_deref(), &bytes)?;
    context.ui.info(&format!("events from {} to {}", format_time(from), format_time(to)));
    Ok(Gate::open(args.selection.reading.strict).outcome(&found.report, &session, &context.ui))
}

/// Names of tokens by organisation and id.
type Names = BTreeMap<(String, String), String>;

fn names(found: &Found) -> Names {
    let of = |t: &TokenReport| {
        let key = (t.token.org.clone(), t.token.token_id.clone());
        t.token.name.clone().map(|name| (key, name))
    };
    found.report.tokens.iter().filter_map(of).collect()
}

/// The events of what was named: an address or network, else a person who is no owner, else tokens and their owner.
fn sought(found: &Found, what: &str, names: &Names) -> Result<Vec<Row>, CliError> {
    let what = what.trim();
    if let Some(place) = Place::parse(what) {
        let mut rows = match place {
            Place::Address(ip) => {
                let networks = [network_of(&ip.to_string())];
                events(found, &format!("network IN ({})", list(&networks)), names)?
            }
            Place::Network(cidr) => {
                let known = found
                    .engine
                    .query("SELECT network FROM events WHERE network IS NOT NULL GROUP BY network")?;
                let base = network_of(&cidr.base().to_string());
                let networks: Vec<String> = (0..known.len())
                    .filter_map(|row| known.text(row, "network"))
                    .filter(|network| {
                        let first = network.split('/').next().and_then(parse_address);
                        **network == *base || first.is_some_and(|ip| cidr.contains(ip))
                    })
                    .map(str::to_owned)
                    .collect();
                if networks.is_empty() {
                    Vec::new()
                } else {
                    events(found, &format!("network IN ({})", list(&networks)), names)?
                }
            }
        };
        rows.retain(|row| place.contains(&row.address));
        return Ok(rows);
    }
    let person = what.to_lowercase();
    let is_person = format!("actor = {0} OR actor_id = {0}", quoted(&person));
    let hits = match find(found, what) {
        Ok(hits) => hits,
        Err(error) => {
            let rows = events(found, &is_person, names)?;
            return if rows.is_empty() { Err(error) } else { Ok(rows) };
        }
    };
    if hits.by != "owner" && !hits.is_single() {
        return Err(hits.refuse(what));
    }
    let mut parts: Vec<String> = Vec::new();
    for t in &hits.tokens {
        let t = &t.token;
        parts.push(format!("(org = {} AND token_id = {})", quoted(&t.org), quoted(&t.token_id)));
        let about: Vec<String> = t.life.iter().map(|event| event.event_id.clone()).collect();
        if !about.is_empty() {
            parts.push(format!("event_id IN ({})", list(&about)));
        }
    }
    if hits.by == "owner" {
        parts.push(is_person);
    }
    events(found, &parts.join(" OR "), names)
}

/// Adds what the same address, the same person and that person's other tokens did near an event.
fn add_around(
    found: &Found,
    names: &Names,
    id: &str,
    span: Micros,
    rows: &mut Vec<Row>,
) -> Result<(), CliError> {
    let centre =
        events(found, &format!("event_id = {}", quoted(id)), names)?.into_iter().next().ok_or_else(|| {
            CliError::new(format!("no event \"{id}\" for `--around` in the window"))
                .hint("take an event id from the timeline; `--since` reaches further back")
        })?;
    let tokens: Vec<String> = found
        .report
        .tokens
        .iter()
        .map(|t| &t.token)
        .filter(|t| {
            t.owner.as_deref() == Some(centre.actor.as_str())
                || (!centre.actor_id.is_empty() && t.owner_id.as_deref() == Some(centre.actor_id.as_str()))
        })
        .map(|t| t.token_id.clone())
        .collect();
    let mut parts = Vec::new();
    for (column, value) in
        [("address", &centre.address), ("actor", &centre.actor), ("actor_id", &centre.actor_id)]
    {
        if !value.is_empty() {
            parts.push(format!("{column} = {}", quoted(value)));
        }
    }
    if !tokens.is_empty() {
        parts.push(format!("token_id IN ({})", list(&tokens)));
    }
    let sql_time =
        |time: Micros| format!("TIMESTAMP '{}'", format_time(time).trim_end_matches('Z').replace('T', " "));
    let (from, to) = (centre.time.saturating_sub(span), centre.time.saturating_add(span));
    let (first, last) = (from.max(found.report.window.from), to.min(found.report.window.as_of));
    let near = format!("time >= {} AND time <= {}", sql_time(first), sql_time(last));
    let known: BTreeSet<(String, String)> =
        rows.iter().map(|r| (r.org.clone(), r.event_id.clone())).collect();
    let all = if parts.is_empty() {
        vec![centre.clone()]
    } else {
        events(found, &format!("{near} AND ({})", parts.join(" OR ")), names)?
    };
    for mut row in all {
        if known.contains(&(row.org.clone(), row.event_id.clone())) {
            continue;
        }
        let same_person =
            row.actor == centre.actor || !row.actor_id.is_empty() && row.actor_id == centre.actor_id;
        row.why = if row.event_id == centre.event_id {
            "the event"
        } else if !row.address.is_empty() && row.address == centre.address {
            "same address"
        } else if same_person {
            "same person"
        } else {
            "other token of the person"
        };
        rows.push(row);
    }
    Ok(())
}

fn events(found: &Found, condition: &str, names: &Names) -> Result<Vec<Row>, CliError> {
    let rows = found.engine.query(&format!("SELECT {COLUMNS} FROM events WHERE {condition}"))?;
    let mut out = Vec::with_capacity(rows.len());
    for i in 0..rows.len() {
        let text = |column: &str| rows.text(i, column).unwrap_or_default().to_owned();
        let data: Value =
            rows.text(i, "data").and_then(|t| serde_json::from_str(t).ok()).unwrap_or(Value::Null);
        let token_id = text("token_id");
        let name = names.get(&(text("org"), token_id.clone()));
        let credential = text("credential");
        let client = text("client");
        out.push(Row {
            time: rows.time(i, "time").unwrap_or_default(),
            org: text("org"),
            event_id: text("event_id"),
            action: text("action"),
            target: target(&data).unwrap_or_else(|| text("details")),
            project: text("project"),
            address: text("address"),
            client: if client.is_empty() { text("user_agent") } else { client },
            token: match name {
                Some(name) => format!("{name} ({token_id})"),
                None if token_id.is_empty() => credential,
                None => token_id,
            },
            actor: text("actor"),
            actor_id: text("actor_id"),
            data,
            why: "",
        });
    }
    Ok(out)
}

/// What an event was done to, by the names in its data.
fn target(data: &Value) -> Option<String> {
    let data = data.as_object()?;
    TARGET_KEYS
        .iter()
        .filter_map(|key| data.get(*key)?.as_str())
        .map(str::trim)
        .find(|name| !name.is_empty())
        .map(str::to_owned)
}

fn grid(rows: &[Row], full: bool, around: bool) -> Grid {
    let mut columns = vec!["time", "action", "target", "project", "address", "client", "token", "event id"];
    if full {
        columns[7] = "event_id";
        columns.extend(["org", "actor", "data"]);
    }
    if around {
        columns.push("why");
    }
    let cells = |row: &Row| {
        let mut cells: Vec<Value> = vec![format_time(row.time).into()];
        let texts =
            [&row.action, &row.target, &row.project, &row.address, &row.client, &row.token, &row.event_id];
        cells.extend(texts.map(|text| Value::from(text.as_str())));
        if full {
            cells.extend([row.org.as_str().into(), row.actor.as_str().into(), row.data.clone()]);
        }
        if around {
            cells.push(row.why.into());
        }
        cells
    };
    Grid { columns: columns.into_iter().map(str::to_owned).collect(), rows: rows.iter().map(cells).collect() }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn list(texts: &[String]) -> String {
    texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_target_is_the_most_telling_name_of_the_data() {
        assert_eq!(target(&json!({"ProjectName": "p", "RepoName": "r"})).as_deref(), Some("r"));
        assert_eq!(target(&json!({"ProjectName": "p", "RepoName": " "})).as_deref(), Some("p"));
        assert_eq!(target(&json!({"Count": 3, "RepoName": 7})), None);
        assert_eq!(target(&json!("text")), None);
    }

    #[test]
    fn days_begin_and_end_where_an_option_says() {
        let since = instant("--since", "2026-10-01", Bare::Start).expect("a day");
        assert_eq!(
            instant("--until", "2026-10-01", Bare::Last).expect("a day") - since,
            crate::model::time::DAY - 1
        );
        let error = instant("--since", "soon", Bare::Start).expect_err("no time");
        assert!(error.render().contains("--since"), "{}", error.render());
    }
}
