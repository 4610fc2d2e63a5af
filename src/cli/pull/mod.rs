//! `patwatch pull`: the live services into the lake, a day at a time, and again tomorrow.
//!
//! In: organisations, how far back, a way to sign in. Out: days committed as soon as each is whole ([`plan`] says
//! which are asked for, [`writer`] commits them), snapshots of tokens, users and usage records, and on request
//! the answers as they came ([`raw`]). What fails for one organisation or one list does not stop the others.

mod plan;
mod raw;
mod shown;
mod writer;

use super::Context;
use super::args::PullArgs;
use super::error::{CliError, Outcome, message};
use super::live::{client, runtime};
use super::ui::Ui;
use crate::lake::Lake;
use crate::model::identity::org_name;
use crate::model::noun::counted;
use crate::model::time::{DAY, Span, day_text, format_time};
use crate::source::azure_devops::audit::{AuditSummary, read_days};
use crate::source::azure_devops::client::Client;
use crate::source::azure_devops::entitlements::read_entitlements;
use crate::source::azure_devops::error::ApiError;
use crate::source::azure_devops::inventory::{InventorySummary, read_inventory};
use crate::source::azure_devops::pages::{Outlet, deliver};
use crate::source::azure_devops::retry::RetryPolicy;
use crate::source::azure_devops::usage::read_usage;
use plan::Plan;
use shown::Shown;
use std::collections::BTreeSet;
use std::sync::Arc;
use writer::{Lists, Writer};

/// Bytes of answers that may wait to be parsed: enough for the pages that arrive while a day is committed.
const QUEUE: usize = 64 << 20;

/// How far back usage records are asked for. Nobody documents how far the service keeps them.
const USAGE_DAYS: i64 = 28;

pub(super) fn run(context: &Context, args: &PullArgs) -> Result<Outcome, CliError> {
    let ui = &context.ui;
    let plan = Plan::new(&args.since, args.until.as_deref(), super::now())?;
    if plan.span.from < plan.oldest {
        ui.warn(&format!(
            "the service keeps 90 days; what lies before {} is asked for, but whatever comes of it is not counted as whole",
            format_time(plan.oldest)
        ));
    }
    if plan.past {
        ui.info(
            "tokens and users are listed as they are now; a run that stands at --until does not see them",
        );
    }
    let shown = Arc::new(Shown::new(ui));
    let runtime = runtime()?;
    let client = runtime.block_on(async { client(&args.live, RetryPolicy::default(), shown.clone()) })?;
    // Locked first and opened then: what another patwatch has just written must not be written over.
    let _lock = Lake::open(&context.lake)?.lock()?;
    let mut outcome = Outcome::Done;
    let mut done = BTreeSet::new();
    for org in args.org.iter().map(|org| org_name(org)) {
        if !done.insert(org.clone()) {
            continue;
        }
        let lake = Lake::open(&context.lake)?;
        let one = Pull { client: &client, org: &org, plan: &plan, args, ui, shown: &shown, outcome };
        outcome = match runtime.block_on(one.run(lake)) {
            Ok(ended) => ended,
            Err(error) => {
                shown.clear();
                ui.err(&error.render());
                Outcome::Incomplete
            }
        };
    }
    Ok(outcome)
}

/// The pull of one organisation.
struct Pull<'a> {
    client: &'a Client,
    org: &'a str,
    plan: &'a Plan,
    args: &'a PullArgs,
    ui: &'a Ui,
    shown: &'a Arc<Shown>,
    outcome: Outcome,
}

impl Pull<'_> {
    async fn run(mut self, lake: Lake) -> Result<Outcome, CliError> {
        let org = self.org;
        let windows = self.plan.missing(&lake.index.covers, org);
        self.ui.info(&format!("{org}: {} to ask for", days(windows.len())));
        let writer = Writer::new(lake, org, self.plan, self.args.keep_raw.as_deref(), self.shown.clone())?;
        let (outlet, taker) = deliver(writer, QUEUE);
        let audit = read_days(self.client, org, &windows, self.args.batch_size, &outlet).await;
        self.shown.clear();
        let mut lists = Lists::default();
        if self.audited(audit) {
            lists = self.lists(&outlet).await;
        }
        self.shown.clear();
        drop(outlet);
        let writer = taker.finish().await.map_err(|e| CliError::new(format!("{org}: {e}")))?;
        let kept = writer.finish(&lists).map_err(|e| CliError::new(format!("{org}: {e}")))?;
        for fault in &kept.faults {
            self.ui.err(&message(&format!("error: {org}: {fault}")));
            self.outcome = Outcome::Incomplete;
        }
        self.ui.info(&format!(
            "{org}: {}, {}, {}{}; {}",
            counted(kept.events, "new event"),
            counted(kept.tokens, "token"),
            counted(kept.users, "user"),
            if self.args.usage {
                format!(", {}", counted(kept.usage, "usage record"))
            } else {
                String::new()
            },
            self.shown.traffic()
        ));
        Ok(self.outcome)
    }

    /// Says what failed; tells whether it makes sense to go on with the lists.
    fn audited(&mut self, audit: Result<AuditSummary, ApiError>) -> bool {
        match audit {
            Ok(summary) => {
                for (day, error) in summary.failed {
                    self.complain(&day_text(day), error);
                }
                if !summary.skipped.is_empty() {
                    let left = days(summary.skipped.len());
                    self.ui.warn(&format!("{}: {left} not tried; run again to go on", self.org));
                }
                true
            }
            // The taker's own error comes when it is asked for.
            Err(ApiError::Stopped) => false,
            Err(error) => {
                let hopeless = matches!(error, ApiError::SignIn { .. } | ApiError::Organisation { .. });
                self.complain("", error);
                !hopeless
            }
        }
    }

    /// Reads tokens, users and usage records.
    async fn lists(&mut self, outlet: &Outlet) -> Lists {
        let (client, org) = (self.client, self.org);
        let mut lists = Lists::default();
        let mut asked: BTreeSet<String> = BTreeSet::new();
        match read_inventory(client, org, outlet).await {
            Ok(summary) => {
                self.listed(&summary);
                lists.inventory_complete = summary.complete;
                lists.users_complete = true;
                lists.users_listed = summary.users_listed;
                lists.users_failed = summary.users_failed;
                lists.complete_for = summary.complete_for;
                asked.extend(summary.owners);
            }
            Err(ApiError::Stopped) => return lists,
            Err(error) => self.complain("inventory", error),
        }
        match read_entitlements(client, org, outlet).await {
            Ok(summary) => asked.extend(summary.user_ids),
            Err(ApiError::Stopped) => return lists,
            Err(error) => {
                lists.users_complete = false;
                let hint = error.hint();
                self.ui.warn(&format!("{org}: no state and last access of users: {error}\n  hint: {hint}"));
            }
        }
        if self.args.usage {
            let to = self.plan.span.to;
            let span = Span { from: to - USAGE_DAYS * DAY, to };
            let users: Vec<String> = asked.into_iter().collect();
            match read_usage(client, org, &users, span, outlet).await {
                Ok(summary) => {
                    if let Some(warning) = &summary.warning {
                        self.ui.warn(&format!("{org}: {warning}"));
                    }
                    // A user who was not asked about cannot be said to have called nothing.
                    let everybody = lists.users_complete && lists.inventory_complete;
                    lists.usage_complete = summary.is_complete() && everybody;
                    lists.usage = Some(span);
                }
                Err(_) => return lists,
            }
        }
        lists
    }

    /// Says how far the inventory goes.
    fn listed(&mut self, summary: &InventorySummary) {
        let org = self.org;
        for (user, error) in &summary.failures {
            self.ui.detail(&format!("{org}: the tokens of {user} are not listed: {error}"));
        }
        if summary.complete {
            return;
        }
        let reason = summary.reason.as_ref().or(summary.failures.first().map(|(_, error)| error));
        let why = reason.map_or_else(
            || "Graph lists no user".to_owned(),
            |error| format!("{error}\n  hint: {}", error.hint()),
        );
        let what = if summary.own_only {
            "only your own tokens are listed".to_owned()
        } else {
            self.outcome = Outcome::Incomplete;
            format!(
                "the tokens of {} of {} are not listed",
                summary.users_failed,
                counted(summary.users_failed + summary.users_listed, "user")
            )
        };
        self.ui.warn(&format!("{org}: the inventory is partial, {what}: {why}"));
    }

    fn complain(&mut self, what: &str, error: ApiError) {
        let hint = error.hint();
        let what = if what.is_empty() { String::new() } else { format!(" {what}") };
        self.ui.err(&CliError::new(format!("{}{what}: {error}", self.org)).hint(hint).render());
        self.outcome = Outcome::Incomplete;
    }
}

fn days(n: usize) -> String {
    counted(n, "day")
}
