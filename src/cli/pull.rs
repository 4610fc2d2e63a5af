//! `patwatch pull`: the live services into the lake, a day at a time, and again tomorrow.
//!
//! A day is committed as soon as it is whole, newest first; a run that is killed loses at most the day in hand.
//! Days that an earlier run holds whole are not asked for again, but for an overlap at the newest end.

use super::Context;
use super::args::{LiveArgs, PullArgs};
use super::error::{CliError, Outcome};
use super::ui::Ui;
use crate::lake::Lake;
use crate::lake::import::{Import, hex};
use crate::lake::index::{Cover, Ingest};
use crate::lake::snapshot::Facts;
use crate::model::coverage::Basis;
use crate::model::identity::org_name;
use crate::model::inventory::{InventoryRow, OrgKey, UsageRow, UserRow};
use crate::model::time::{DAY, HOUR, Micros, Span, day_text, parse_time};
use crate::source::azure_devops::audit::{DayWindow, day_windows, read_days};
use crate::source::azure_devops::auth::{Auth, EntraValues};
use crate::source::azure_devops::client::{Client, Settings};
use crate::source::azure_devops::endpoints::Endpoints;
use crate::source::azure_devops::entitlements::read_entitlements;
use crate::source::azure_devops::error::ApiError;
use crate::source::azure_devops::inventory::read_inventory;
use crate::source::azure_devops::pages::{DayDone, Page, Pages, TakeError, deliver};
use crate::source::azure_devops::progress::{Progress, ProgressEvent};
use crate::source::azure_devops::retry::RealTimer;
use crate::source::azure_devops::usage::read_usage;
use crate::source::{self, Options, Parsed, Sink};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// What is asked for around each window: whether its ends are inclusive is not documented.
const OVERLAP: Micros = 5 * 60 * 1_000_000;

/// How far back a day may still gain events after it was read: streams take half an hour, queries are not documented.
const SETTLING: Micros = 6 * HOUR;

pub(super) fn run(context: &Context, args: &PullArgs) -> Result<Outcome, CliError> {
    let now = super::now();
    let until = match args.until.as_deref() {
        Some(text) => {
            parse_time(text).ok_or_else(|| CliError::new(format!("--until \"{text}\" is no time")))?.min(now)
        }
        None => now,
    };
    let days = args.since.trim_end_matches(['d', 'D']).parse::<i64>().ok().filter(|d| (1..=3650).contains(d));
    let days = days.ok_or_else(|| {
        CliError::new(format!("--since \"{}\" is no number of days", args.since)).hint("write it as 90d")
    })?;
    if days > 90 {
        context
            .ui
            .warn("the service keeps 90 days; older days will come back empty and are not counted as held");
    }
    // Only the part that the service still keeps can be called whole.
    let span = Span { from: (until - days * DAY).max(now - 90 * DAY), to: until };
    let runtime = runtime()?;
    let client = runtime.block_on(async { client(&args.live, &context.ui) })?;
    let mut outcome = Outcome::Done;
    for org in &args.org {
        let org = org_name(org);
        let lake = Lake::open(&context.lake)?;
        let _lock = lake.lock()?;
        let ended = runtime.block_on(pull(&client, lake, &org, span, args, &context.ui))?;
        outcome = outcome.max(ended);
    }
    Ok(outcome)
}

/// A runtime for the client; everything else in patwatch is plain threads.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// Builds the client from arguments and environment. Secrets go from the environment into secret types at once.
pub(super) fn client(args: &LiveArgs, ui: &Ui) -> Result<Client, CliError> {
    let text = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    let values = EntraValues {
        tenant_id: text("AZURE_TENANT_ID"),
        client_id: text("AZURE_CLIENT_ID"),
        client_secret: text("AZURE_CLIENT_SECRET").map(Into::into),
        federated_token_file: text("AZURE_FEDERATED_TOKEN_FILE").map(PathBuf::from),
        offers_managed_identity: text("IDENTITY_ENDPOINT").or_else(|| text("MSI_ENDPOINT")).is_some(),
    };
    let auth =
        Auth::from_mode(&args.auth, text("AZURE_DEVOPS_EXT_PAT").map(Into::into), values).map_err(api)?;
    let endpoints = Endpoints::new(|service| text(service.variable())).map_err(api)?;
    let settings = Settings::new(Arc::new(RealTimer::new(super::now)), Arc::new(Shown { ui: ui.clone() }));
    Client::new(auth, endpoints, settings).map_err(api)
}

/// An error of the services with its mend.
pub(super) fn api(error: ApiError) -> CliError {
    let hint = error.hint();
    let error = CliError::from(error);
    if hint.is_empty() { error } else { error.hint(hint) }
}

async fn pull(
    client: &Client,
    lake: Lake,
    org: &str,
    span: Span,
    args: &PullArgs,
    ui: &Ui,
) -> Result<Outcome, CliError> {
    let windows = missing(&lake, org, span);
    let mut outcome = Outcome::Done;
    let mut complain = |what: &str, error: ApiError| {
        let error = api(error);
        ui.err(&format!("{what}: {}", error.render()));
        outcome = Outcome::Incomplete;
    };
    let (outlet, taker) = deliver(Writer::new(lake, org, args.keep_raw.clone()), 4);
    ui.info(&format!("{org}: {} days to read", windows.len()));
    match read_days(client, org, &windows, args.batch_size, &outlet).await {
        Ok(summary) => {
            for (day, error) in summary.failed {
                complain(&format!("{org} {}", day_text(day)), error);
            }
        }
        Err(error) => complain(org, error),
    }
    let mut facts = Facts { taken: span.to, ..Facts::default() };
    match read_inventory(client, org, &outlet).await {
        Ok(summary) => {
            facts.complete = summary.complete;
            facts.users_listed = summary.users_listed;
            facts.users_failed = summary.users_failed;
            if let Some(reason) = summary.reason {
                ui.warn(&format!("{org}: the inventory is partial: {reason}; {}", reason.hint()));
            }
        }
        Err(error) => complain(&format!("{org} inventory"), error),
    }
    let mut people = Vec::new();
    match read_entitlements(client, org, &outlet).await {
        Ok(summary) => people = summary.user_ids,
        Err(error) => ui.warn(&format!("{org}: no user entitlements: {error}; {}", error.hint())),
    }
    let mut usage_span = None;
    if args.usage {
        // The service's own page reaches back about four weeks; nobody documents how far.
        let asked = Span { from: span.to - 28 * DAY, to: span.to };
        let summary = read_usage(client, org, &people, asked, &outlet).await.map_err(api)?;
        if let Some(warning) = &summary.warning {
            ui.warn(&format!("{org}: {warning}"));
        }
        usage_span = summary.is_complete().then_some(asked);
    }
    drop(outlet);
    let writer = taker.finish().await.map_err(|e| CliError::new(format!("{org}: {e}")))?;
    let kept = writer.finish(facts, usage_span).map_err(|e| CliError::new(format!("{org}: {e}")))?;
    ui.info(&format!("{org}: {} new events, {} tokens, {} users", kept.events, kept.tokens, kept.users));
    Ok(outcome)
}

/// Windows that the lake does not hold whole yet. Days near the newest end of an earlier run are read again, since
/// events may arrive late.
fn missing(lake: &Lake, org: &str, span: Span) -> Vec<DayWindow> {
    let mut held: Vec<Span> = lake
        .index
        .covers
        .iter()
        .filter(|c| c.org == org && c.basis == Basis::Pulled)
        .map(|c| c.span)
        .collect();
    let newest = held.iter().map(|s| s.to).max().unwrap_or(Micros::MIN);
    held.retain(|s| s.from < s.to);
    day_windows(span, OVERLAP)
        .into_iter()
        .filter(|window| {
            let whole = held.iter().any(|s| s.from <= window.span.from && window.span.to <= s.to);
            !whole || window.span.to > newest - SETTLING
        })
        .collect()
}

/// What a pull brought.
struct Kept {
    events: u64,
    tokens: usize,
    users: usize,
}

/// Takes pages, commits days.
struct Writer {
    lake: Lake,
    org: String,
    raw: Option<PathBuf>,
    /// Pages of the day in hand.
    day: Vec<(Parsed, Ingest)>,
    inventory: Vec<InventoryRow>,
    users: Vec<UserRow>,
    usage: Vec<UsageRow>,
    events: u64,
}

/// Gathers the chunks of one page.
#[derive(Default)]
struct Gather(Vec<Parsed>);

impl Sink for Gather {
    fn chunk(&mut self, chunk: Parsed) -> std::io::Result<()> {
        self.0.push(chunk);
        Ok(())
    }
}

impl Writer {
    fn new(lake: Lake, org: &str, raw: Option<PathBuf>) -> Self {
        Self {
            lake,
            org: org.to_owned(),
            raw,
            day: Vec::new(),
            inventory: Vec::new(),
            users: Vec::new(),
            usage: Vec::new(),
            events: 0,
        }
    }

    /// Keeps the answer as it came, named by what it is and hashed.
    fn keep(&self, page: &Page, sha256: &str) -> Result<(), TakeError> {
        let Some(folder) = &self.raw else { return Ok(()) };
        let day =
            page.span.map_or_else(|| "all".to_owned(), |s| day_text(crate::model::time::day_of(s.from)));
        let name =
            format!("{}-{}-{day}-{:05}-{}.json", self.org, page.kind.as_str(), page.number, &sha256[..12]);
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join(name.replace(['/', '\\'], "_")), &page.bytes)?;
        Ok(())
    }

    fn finish(mut self, facts: Facts, usage_span: Option<Span>) -> Result<Kept, TakeError> {
        if !self.inventory.is_empty() || facts.complete {
            self.lake.add_inventory(&self.org, &self.inventory, facts)?;
        }
        let whole = Facts { complete: true, ..facts };
        if !self.users.is_empty() {
            self.lake.add_users(&self.org, &self.users, whole)?;
        }
        if !self.usage.is_empty() || usage_span.is_some() {
            self.lake.add_usage(&self.org, &self.usage, Facts { span: usage_span, ..whole })?;
        }
        self.lake.save()?;
        Ok(Kept {
            events: self.events,
            tokens: self.inventory.iter().filter(|r| r.is_pat()).count(),
            users: self.users.len(),
        })
    }
}

impl Pages for Writer {
    fn page(&mut self, page: Page) -> Result<(), TakeError> {
        let sha256 = hex(&Sha256::digest(&page.bytes));
        self.keep(&page, &sha256)?;
        let name = format!("{} {} page {}", self.org, page.kind.as_str(), page.number);
        let mut gather = Gather::default();
        let outcome = source::read(&name, &mut page.bytes.as_slice(), &Options::default(), &mut gather)?;
        let mut reasons = BTreeMap::new();
        for chunk in &gather.0 {
            for reject in &chunk.rejected {
                *reasons.entry(reject.reason.clone()).or_default() += 1;
            }
        }
        let ingest = Ingest {
            name,
            sha256,
            kind: outcome.kind,
            read: outcome.read,
            rejected: outcome.rejected,
            reasons,
            truncated: outcome.truncated,
            ..Ingest::default()
        };
        for mut chunk in gather.0 {
            self.inventory.append(&mut chunk.inventory);
            self.users.append(&mut chunk.users);
            self.usage.append(&mut chunk.usage);
            self.day.push((chunk, ingest.clone()));
        }
        Ok(())
    }

    fn day_done(&mut self, day: DayDone) -> Result<(), TakeError> {
        let pages = std::mem::take(&mut self.day);
        let mut import = Import::new(&mut self.lake, Some(self.org.clone()));
        let mut seen: BTreeMap<OrgKey, Micros> = BTreeMap::new();
        for (chunk, ingest) in pages {
            let input = import.input(ingest);
            for ((org, day), batch) in chunk.batches {
                import.stage(input, org, day, batch)?;
            }
            for (org, newest) in chunk.orgs_seen {
                let slot = seen.entry(org).or_insert(newest);
                *slot = newest.max(*slot);
            }
        }
        let seen: Vec<(OrgKey, Micros)> = seen.into_iter().collect();
        // Held is what the service could have known when it answered, by its own clock.
        let to = day.server_time.map_or(day.span.to, |server| day.span.to.min(server));
        let span = Span { from: day.span.from, to };
        let cover = Cover { org: self.org.clone(), span, basis: Basis::Pulled };
        let inputs = import.commit(&seen, &[cover], |_, _| {})?;
        self.events += inputs.iter().map(|i| i.kept).sum::<u64>();
        self.lake.amend_run(inputs)?;
        Ok(())
    }
}

/// Progress as lines on stderr.
struct Shown {
    ui: Ui,
}

impl Progress for Shown {
    fn event(&self, event: ProgressEvent<'_>) {
        match event {
            ProgressEvent::DayDone { org, day } => self.ui.info(&format!("{org}: {} held", day_text(day))),
            ProgressEvent::DayFailed { org, day, why } => {
                self.ui.warn(&format!("{org}: {}: {why}", day_text(day)))
            }
            ProgressEvent::Waiting { host, why, time } => {
                self.ui.detail(&format!("waiting {:.1} s for {host} ({why:?})", time.as_secs_f64()));
            }
            ProgressEvent::User { org, done, total } => {
                self.ui.detail(&format!("{org}: tokens of {done} of {total} users"));
            }
            ProgressEvent::Warning { text } => self.ui.warn(text),
            _ => {}
        }
    }
}
