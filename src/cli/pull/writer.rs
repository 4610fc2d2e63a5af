//! Takes pages, commits days.
//!
//! In: pages in the order in which they came, and word that a day is whole. Out: that day in the lake, with the
//! span that it holds; at the end the lists. A killed run leaves whole days and nothing of the day in hand: events
//! of the days around it, which come with the overlap, are merged only where their day is held already.

use super::plan::{Plan, join};
use super::raw::Raw;
use super::shown::Shown;
use crate::lake::Lake;
use crate::lake::import::Import;
use crate::lake::index::{Cover, Ingest};
use crate::lake::snapshot::Facts;
use crate::model::coverage::Basis;
use crate::model::hash::{hex, sha256};
use crate::model::inventory::{InventoryRow, OrgKey, UsageRow, UserRow};
use crate::model::time::{Day, HOUR, Micros, Span, day_start, day_text};
use crate::source::azure_devops::pages::{DayDone, Page, PageKind, Pages, TakeError};
use crate::source::{self, Losses, Options, Parsed, Sink};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// How late usage records may come.
const USAGE_SETTLING: Micros = HOUR;

/// How far the lists go, as their readers told.
#[derive(Debug, Default)]
pub(super) struct Lists {
    pub inventory_complete: bool,
    /// Users, by person key, all of whose tokens came.
    pub complete_for: BTreeSet<String>,
    pub users_complete: bool,
    pub users_listed: u64,
    pub users_failed: u64,
    /// The span asked for, where usage records were.
    pub usage: Option<Span>,
    pub usage_complete: bool,
}

/// What a pull brought.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub events: u64,
    pub tokens: usize,
    pub users: usize,
    pub usage: usize,
    /// What came but could not be taken.
    pub faults: Vec<String>,
}

/// Pages that belong together: those of a window, or of a list.
#[derive(Debug, Default)]
struct Sheaf {
    /// The window that was asked for; audit only.
    asked: Option<Span>,
    chunks: Vec<Parsed>,
    pages: u64,
    hash: Sha256,
    ingest: Ingest,
    /// Why they are not whole, where they are not.
    broken: Option<String>,
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

impl Sheaf {
    fn take(&mut self, page: &Page) {
        let name = format!("{} {} page {}", page.org, page.kind.as_str(), page.number);
        let options = Options { kind: page.kind.hint(), ..Options::default() };
        let mut gather = Gather::default();
        self.pages += 1;
        self.hash.update(&page.bytes);
        match source::read(&name, &mut page.bytes.as_slice(), &options, &mut gather) {
            Ok(outcome) => {
                self.ingest.kind = outcome.kind;
                self.ingest.read += outcome.read;
                self.ingest.rejected += outcome.rejected;
                self.broken = self.broken.take().or(outcome.truncated);
            }
            Err(error) => self.broken = Some(error.to_string()),
        }
        for reject in gather.0.iter().flat_map(|chunk| &chunk.rejected) {
            *self.ingest.reasons.entry(reject.reason.clone()).or_default() += 1;
        }
        self.chunks.append(&mut gather.0);
    }

    /// The record of what was read, hashed as one: the pages in order, end to end.
    fn ingest(&self, name: String) -> Ingest {
        let sha256 = hex(&self.hash.clone().finalize());
        Ingest { name, sha256, truncated: self.broken.clone(), ..self.ingest.clone() }
    }

    fn rejected(&self) -> Option<String> {
        let reasons: Vec<String> =
            self.ingest.reasons.iter().map(|(reason, n)| format!("{n} {reason}")).collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

/// Takes pages of one organisation.
pub(super) struct Writer {
    lake: Lake,
    org: String,
    plan: Plan,
    raw: Option<Raw>,
    shown: Arc<Shown>,
    /// The window in hand.
    window: Sheaf,
    lists: BTreeMap<&'static str, Sheaf>,
    /// End of what is held now.
    held_to: Option<Micros>,
    events: u64,
    faults: Vec<String>,
}

impl Writer {
    pub(super) fn new(
        lake: Lake,
        org: &str,
        plan: &Plan,
        raw: Option<&Path>,
        shown: Arc<Shown>,
    ) -> Result<Self, crate::cli::error::CliError> {
        let raw =
            raw.map(Raw::open).transpose().map_err(|e| crate::cli::error::CliError::new(e.to_string()))?;
        Ok(Self {
            lake,
            org: org.to_owned(),
            plan: *plan,
            raw,
            shown,
            window: Sheaf::default(),
            lists: BTreeMap::new(),
            held_to: None,
            events: 0,
            faults: Vec::new(),
        })
    }

    /// Tells whether a day is held whole, so that late events may be added to it.
    fn holds(&self, day: Day) -> bool {
        let start = day_start(day);
        self.lake.index.covers.iter().any(|c| {
            let span = c.span;
            c.org == self.org
                && c.basis == Basis::Pulled
                && span.from <= start
                && day_start(day + 1) <= span.to
        })
    }

    /// Stores the lists, and returns what the pull came to.
    pub(super) fn finish(mut self, lists: &Lists) -> Result<Kept, TakeError> {
        let mut kept =
            Kept { events: self.events, faults: std::mem::take(&mut self.faults), ..Kept::default() };
        let mut inventory: Vec<InventoryRow> = Vec::new();
        let mut users: Vec<UserRow> = Vec::new();
        let mut usage: Vec<UsageRow> = Vec::new();
        let mut unsound: BTreeSet<&str> = BTreeSet::new();
        for (kind, sheaf) in &mut self.lists {
            for chunk in &mut sheaf.chunks {
                inventory.append(&mut chunk.inventory);
                users.append(&mut chunk.users);
                usage.append(&mut chunk.usage);
            }
            if let Some(why) = sheaf.broken.clone().or_else(|| sheaf.rejected()) {
                unsound.insert(kind);
                kept.faults.push(format!("{kind}: not all of it could be read ({why})"));
            }
        }
        let sound = |kinds: &[PageKind]| !kinds.iter().any(|k| unsound.contains(k.as_str()));
        // What is taken later than the end of the coverage would not exist to a run that stands there.
        let end = if self.plan.past { None } else { self.held_to.map(|to| to - 1) };
        let taken = end.map_or(self.plan.now, |to| self.plan.now.min(to));
        let complete = lists.inventory_complete && sound(&[PageKind::Tokens]);
        let in_part = !complete && sound(&[PageKind::Tokens]);
        let facts = Facts {
            taken,
            complete,
            complete_for: if in_part { lists.complete_for.clone() } else { BTreeSet::new() },
            users_listed: lists.users_listed,
            users_failed: lists.users_failed,
            ..Facts::default()
        };
        let mut new = BTreeMap::new();
        if !inventory.is_empty() || complete {
            let added = self.lake.add_inventory(&self.org, &inventory, facts)?;
            new.insert(PageKind::Tokens.as_str(), added);
            new.insert(PageKind::OwnTokens.as_str(), added);
        }
        if !users.is_empty() {
            let complete = lists.users_complete && sound(&[PageKind::Users, PageKind::Entitlements]);
            let added =
                self.lake.add_users(&self.org, &users, Facts { taken, complete, ..Facts::default() })?;
            new.insert(PageKind::Users.as_str(), added);
            new.insert(PageKind::Entitlements.as_str(), added);
        }
        if let Some(asked) = lists.usage {
            let complete = lists.usage_complete && sound(&[PageKind::Usage]);
            // Nobody documents how far back the records go, so they are whole from the first that came; and the
            // newest may still be on their way.
            let first = usage.iter().map(|row| row.start).min();
            let to = asked.to - USAGE_SETTLING;
            let span = first
                .map(|from| Span { from: from.max(asked.from), to })
                .filter(|s| complete && s.from < s.to);
            if !usage.is_empty() {
                let facts = Facts { taken, complete, span, ..Facts::default() };
                let added = self.lake.add_usage(&self.org, &usage, facts)?;
                new.insert(PageKind::Usage.as_str(), added);
            }
        }
        (kept.tokens, kept.users) = (inventory.iter().filter(|r| r.is_pat()).count(), people(&users));
        kept.usage = usage.len();
        let inputs = self.inputs(&new);
        if inputs.is_empty() {
            self.lake.save()?
        } else {
            self.lake.add_run(inputs)?
        }
        Ok(kept)
    }

    /// The lists as inputs of a run.
    fn inputs(&self, new: &BTreeMap<&str, bool>) -> Vec<Ingest> {
        self.lists
            .iter()
            .map(|(kind, sheaf)| {
                let mut ingest = sheaf.ingest(format!("{} {kind} ({} pages)", self.org, sheaf.pages));
                let rows = ingest.read.saturating_sub(ingest.rejected);
                let added = new.get(kind) == Some(&true);
                (ingest.kept, ingest.duplicate) = if added { (rows, 0) } else { (0, rows) };
                ingest
            })
            .collect()
    }
}

/// Distinct people: Graph and entitlements list the same ones.
fn people(users: &[UserRow]) -> usize {
    let of = |row: &UserRow| if row.descriptor.is_empty() { row.upn.clone() } else { row.descriptor.clone() };
    users.iter().map(of).collect::<BTreeSet<String>>().len()
}

impl Pages for Writer {
    fn page(&mut self, page: Page) -> Result<(), TakeError> {
        if let Some(raw) = &mut self.raw {
            raw.keep(&page, &sha256(&page.bytes), crate::cli::now())?;
        }
        if page.kind == PageKind::Audit {
            // Pages of a window that failed half way are nobody's.
            if self.window.asked != page.span {
                self.window = Sheaf { asked: page.span, ..Sheaf::default() };
            }
            self.window.take(&page);
        } else {
            self.lists.entry(page.kind.as_str()).or_default().take(&page);
        }
        Ok(())
    }

    fn day_done(&mut self, day: DayDone) -> Result<(), TakeError> {
        let mut window = std::mem::take(&mut self.window);
        let name = day_text(day.day);
        if let Some(why) = &window.broken {
            self.faults.push(format!("{name} is not kept: an answer could not be read ({why}); run again"));
            return Ok(());
        }
        let mut losses = Losses::default();
        window.chunks.iter().for_each(|chunk| losses.take(chunk));
        let lost = losses.days(false);
        if let Some(why) = window.rejected() {
            // The overlap with the days around it is theirs.
            let gap = if lost.iter().any(|lost| lost.overlaps(&day.span)) {
                "; the day counts as a gap, and the next pull asks for it again"
            } else {
                ""
            };
            self.shown.warn(&format!("{}: {name}: records that cannot be read: {why}{gap}", self.org));
        }
        let neighbours: BTreeSet<Day> =
            [day.day - 1, day.day + 1].into_iter().filter(|day| self.holds(*day)).collect();
        let whole = self.plan.whole(day.span, day.server_time);
        let (whole, part) = match whole {
            Some(span) if lost.iter().any(|lost| lost.overlaps(&span)) => (None, Some(span)),
            whole => (whole, None),
        };
        if let Some(span) = part {
            self.lake.index.hold(&self.org, span, Basis::Pulled, &lost);
        }
        let whole = whole.map(|span| join(&mut self.lake.index.covers, &self.org, span));
        self.held_to = self.held_to.max(whole.map(|span| span.to));
        let mut import = Import::new(&mut self.lake, Some(self.org.clone())).whole();
        let input =
            import.input(window.ingest(format!("{} audit {name} ({} pages)", self.org, window.pages)));
        let mut seen: BTreeMap<OrgKey, Micros> = BTreeMap::new();
        for chunk in &mut window.chunks {
            for ((org, at), batch) in std::mem::take(&mut chunk.batches) {
                if at == day.day || neighbours.contains(&at) {
                    import.stage(input, org, at, batch)?;
                }
            }
            for (org, newest) in std::mem::take(&mut chunk.orgs_seen) {
                let slot = seen.entry(org).or_insert(newest);
                *slot = newest.max(*slot);
            }
        }
        let seen: Vec<(OrgKey, Micros)> = seen.into_iter().collect();
        let covers: Vec<Cover> = whole
            .map(|span| Cover { org: self.org.clone(), span, basis: Basis::Pulled })
            .into_iter()
            .collect();
        let inputs = import.commit(&seen, &covers, |_, _| {})?.inputs;
        self.events += inputs.iter().map(|i| i.kept).sum::<u64>();
        Ok(())
    }
}
