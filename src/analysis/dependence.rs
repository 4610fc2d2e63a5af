//! What depends on a token: automation or a person, the places that seem to hold it, and whom to ask.
//!
//! In: one token and the folds of its events in the window. Out: a [`Dependence`]. It speaks of audited events
//! alone; a place that only reads is not among them, and the sentences say so.

use super::facts::Fold;
use crate::model::client::is_product;
use crate::model::lineage::{Dependence, Integration, Worker};
use crate::model::names::Names;
use crate::model::noun::counted;
use crate::model::time::{day_start, parse_day};
use crate::model::token::{OwnerState, Token};
use hashbrown::HashMap;
use std::collections::{BTreeMap, BTreeSet};

/// The day on which Microsoft ends tokens for all organisations (facts, section 0, item 9).
pub const GLOBAL_END: &str = "2026-12-01";

/// Places listed; the rest is in the activity.
const MOST_PLACES: usize = 8;
/// Names listed for each.
const MOST_NAMES: usize = 4;
/// Active days under which hours and regularity tell nothing.
const FEW_DAYS: usize = 5;

/// Clients that no person drives by hand.
const MACHINES: &[&str] = &[
    "Terraform provider",
    "Go SDK",
    "Node SDK",
    "Python SDK",
    "Azure DevOps job agent",
    "Pipelines agent plugin",
    "Pipelines agent",
    "git in Pipelines agent",
    ".NET client",
    "python-requests",
    "Go net/http",
    "axios",
    "NuGet",
    "npm",
];

/// Answers for one token.
#[must_use]
pub fn judge(token: &Token, folds: &[&Fold], names: &Names, as_of: i64) -> Dependence {
    let (worker, reason) = worker(folds, names);
    let integrations = integrations(folds, names);
    Dependence {
        worker,
        reason,
        ask: ask(token, folds, names),
        move_to: move_to(worker, &integrations),
        ends_for_all: ends_for_all(token, folds, as_of),
        integrations,
    }
}

/// Hours of the day with an event, by day.
fn hours_by_day(folds: &[&Fold]) -> BTreeMap<i32, u32> {
    let mut days: BTreeMap<i32, u32> = BTreeMap::new();
    // Folds come a day at a time.
    for of_day in folds.chunk_by(|a, b| a.day == b.day) {
        *days.entry(of_day[0].day).or_default() |= of_day.iter().fold(0, |bits, fold| bits | fold.hour_bits);
    }
    days
}

/// The hour that most days share, with the number of those days.
fn usual_hour(days: &BTreeMap<i32, u32>) -> (usize, usize) {
    let counts = (0..24).map(|h| (h, days.values().filter(|bits| *bits >> h & 1 == 1).count()));
    counts.max_by_key(|(h, n)| (*n, std::cmp::Reverse(*h))).unwrap_or_default()
}

fn weekend(day: i32) -> bool {
    // 1970-01-01 was a Thursday.
    (day + 3).rem_euclid(7) >= 5
}

fn worker(folds: &[&Fold], names: &Names) -> (Worker, String) {
    if folds.is_empty() {
        return (Worker::Unclear, "No audited event in the window shows who works with it.".to_owned());
    }
    let total: i64 = folds.iter().map(|f| f.n).sum();
    let clients = counts(folds.iter().map(|f| (f.client, f.n)));
    let by = |fits: &dyn Fn(&str) -> bool| -> i64 {
        clients.iter().filter(|(client, _)| fits(names.text(**client))).map(|(_, n)| n).sum()
    };
    let machine = by(&|c| MACHINES.contains(&c));
    let unknown = by(&|c| !c.is_empty() && !is_product(c));
    let browser = by(&|c| c == "browser");
    let days = hours_by_day(folds);
    let hours: BTreeSet<usize> = (0..24).filter(|h| days.values().any(|bits| bits >> h & 1 == 1)).collect();
    let weekends = days.keys().filter(|d| weekend(**d)).count();
    let (hour, on) = usual_hour(&days);
    let shape = format!(
        "{}, {weekends} of them at weekends; {} of the day; {hour:02}:00 UTC on {on} of the days",
        counted(days.len(), "active day"),
        counted(hours.len(), "hour")
    );
    let enough = days.len() >= FEW_DAYS;
    if browser * 2 > total {
        return (Worker::Person, format!("Most of its events came from a browser ({shape})."));
    }
    if machine * 2 > total {
        return (
            Worker::Automation,
            format!("Most of its events came from clients that machines use ({shape})."),
        );
    }
    if enough && on * 5 >= days.len() * 4 && hours.len() <= 3 {
        return (Worker::Automation, format!("It works by the clock ({shape})."));
    }
    if enough && hours.len() >= 18 && weekends > 0 {
        return (Worker::Automation, format!("It works around the clock ({shape})."));
    }
    let span = hours.last().zip(hours.first()).map_or(24, |(last, first)| last - first);
    if enough && weekends == 0 && span <= 11 && hours.len() > 3 {
        return (Worker::Person, format!("It works in office hours on working days alone ({shape})."));
    }
    if unknown * 2 > total {
        return (
            Worker::Unclear,
            format!("Most of its events came from clients that patwatch does not know ({shape})."),
        );
    }
    let why =
        if enough { "Hours and clients fit a person and a machine" } else { "Too few active days to tell" };
    (Worker::Unclear, format!("{why} ({shape})."))
}

fn integrations(folds: &[&Fold], names: &Names) -> Vec<Integration> {
    let mut places: HashMap<(u32, u32), Vec<&Fold>> = HashMap::new();
    for fold in folds {
        places.entry((fold.client, fold.network)).or_default().push(fold);
    }
    let mut places: Vec<(i64, &str, &str, Vec<&Fold>)> = places
        .into_iter()
        .map(|((client, network), folds)| {
            (folds.iter().map(|f| f.n).sum(), names.text(client), names.text(network), folds)
        })
        .collect();
    places.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| (a.1, a.2).cmp(&(b.1, b.2))));
    places.truncate(MOST_PLACES);
    places
        .into_iter()
        .map(|(events, client, network, folds)| {
            let days = hours_by_day(&folds);
            let first = days.keys().next().copied().unwrap_or_default();
            let last = days.keys().next_back().copied().unwrap_or_default();
            Integration {
                client: client.to_owned(),
                network: network.to_owned(),
                projects: top(folds.iter().map(|f| (f.project, f.n)), names),
                actions: top(folds.iter().map(|f| (f.action, f.n)), names),
                events: u64::try_from(events).unwrap_or(0),
                days: (first, last),
                cadence: cadence(&days, last - first + 1),
            }
        })
        .collect()
}

fn counts(values: impl Iterator<Item = (u32, i64)>) -> HashMap<u32, i64> {
    let mut counts = HashMap::new();
    for (value, n) in values {
        *counts.entry(value).or_default() += n;
    }
    counts
}

fn top(values: impl Iterator<Item = (u32, i64)>, names: &Names) -> Vec<String> {
    let named = counts(values).into_iter().map(|(value, n)| (names.text(value), n));
    let mut list: Vec<(&str, i64)> = named.filter(|(value, _)| !value.is_empty()).collect();
    list.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    list.into_iter().take(MOST_NAMES).map(|(value, _)| value.to_owned()).collect()
}

fn cadence(days: &BTreeMap<i32, u32>, span: i32) -> String {
    let active = days.len();
    let often = if active == 1 {
        "on one day".to_owned()
    } else if usize::try_from(span).is_ok_and(|span| active * 5 >= span * 4) {
        format!("nearly every day ({active} of {span})")
    } else if days.keys().all(|d| !weekend(*d)) && usize::try_from(span).is_ok_and(|s| active * 7 >= s * 4) {
        format!("on most working days ({active} in {span} days)")
    } else {
        format!("on {active} of {span} days")
    };
    let (hour, on) = usual_hour(days);
    if active >= FEW_DAYS && on * 5 >= active * 4 {
        format!("{often}, mostly at {hour:02}:00 UTC")
    } else {
        often
    }
}

fn ask(token: &Token, folds: &[&Fold], names: &Names) -> String {
    let projects = top(folds.iter().map(|f| (f.project, f.n)), names);
    let of_projects = if projects.is_empty() {
        "the administrators of the organisation".to_owned()
    } else {
        format!("the administrators of {}", projects.join(", "))
    };
    match (token.owner_state, &token.owner) {
        (OwnerState::Removed | OwnerState::Disabled, Some(owner)) => {
            format!("{owner} is {}: ask {of_projects}", token.owner_state)
        }
        (_, Some(owner)) => owner.clone(),
        (_, None) => format!("the owner is not known: ask {of_projects}"),
    }
}

fn move_to(worker: Worker, places: &[Integration]) -> Option<String> {
    let uses = |clients: &[&str]| places.iter().any(|p| clients.contains(&p.client.as_str()));
    if uses(&[
        "Pipelines agent",
        "Pipelines agent plugin",
        "git in Pipelines agent",
        "Azure DevOps job agent",
    ]) {
        return Some(
            "Pipelines seem to hold it: inside a job the job's own access token or a service connection does the same work; agents can register with a service principal."
                .to_owned(),
        );
    }
    match worker {
        Worker::Automation => Some(
            "A service principal, or a managed identity where it runs in Azure, can do this work with Entra tokens that live for an hour; a service principal cannot own a PAT and needs none."
                .to_owned(),
        ),
        Worker::Person => Some(
            "A person can sign in instead: az login for the command line, Git Credential Manager for git; both use Entra tokens."
                .to_owned(),
        ),
        Worker::Unclear => None,
    }
}

fn ends_for_all(token: &Token, folds: &[&Fold], as_of: i64) -> Option<String> {
    if token.all_orgs != Some(true) {
        return None;
    }
    let over = parse_day(GLOBAL_END).is_some_and(|day| day_start(day) <= as_of);
    let seen = folds.iter().any(|f| parse_day(GLOBAL_END).is_some_and(|day| f.day >= day));
    Some(if over && seen {
        format!(
            "Tokens for all organisations should have stopped working on {GLOBAL_END}; this one is still seen after that day."
        )
    } else if over {
        format!(
            "Tokens for all organisations should have stopped working on {GLOBAL_END}, whatever their own end date."
        )
    } else {
        format!("Microsoft ends tokens for all organisations on {GLOBAL_END}, whatever their own end date.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::tests_support::token;

    const CLIENTS: [&str; 3] = ["Terraform provider", "curl", "browser"];

    fn names() -> Names {
        let mut names = Names::default();
        for text in CLIENTS.iter().chain(&["Git.RepositoryCreated", "203.0.113.0/24", "Payments"]) {
            names.number(text);
        }
        names
    }

    fn fold(day: i32, hours: &[usize], client: &str) -> Fold {
        let mut names = names();
        Fold {
            key: 0,
            day,
            action: names.number("Git.RepositoryCreated"),
            network: names.number("203.0.113.0/24"),
            client: names.number(client),
            project: names.number("Payments"),
            n: i64::try_from(hours.len()).expect("small"),
            hour_bits: hours.iter().map(|h| 1_u32 << h).sum(),
        }
    }

    fn judged(folds: &[Fold]) -> Dependence {
        judge(&token("vso.code"), &folds.iter().collect::<Vec<_>>(), &names(), 0)
    }

    #[test]
    fn machines_are_told_by_client_clock_and_hours() {
        let of = |folds: Vec<Fold>| judged(&folds).worker;
        assert_eq!(of(vec![fold(1, &[3], "Terraform provider")]), Worker::Automation);
        assert_eq!(of((0..20).map(|d| fold(d, &[3], "curl")).collect()), Worker::Automation);
        assert_eq!(
            of((0..20).map(|d| fold(d, &(0..24).collect::<Vec<_>>(), "curl")).collect()),
            Worker::Automation
        );
        // Days 4 to 8 and 11 to 15 are working days.
        let office = [4, 5, 6, 7, 8, 11, 12, 13].map(|d| fold(d, &[8 + d as usize % 5, 14], "curl"));
        assert_eq!(of(office.to_vec()), Worker::Person);
        assert_eq!(of(vec![fold(4, &[10], "browser")]), Worker::Person);
        assert_eq!(of(vec![fold(4, &[10], "curl")]), Worker::Unclear);
        assert_eq!(of(vec![]), Worker::Unclear);
    }

    #[test]
    fn a_place_is_a_client_in_a_network_with_its_cadence() {
        let mut folds: Vec<Fold> = (0..20).map(|d| fold(d, &[3], "Terraform provider")).collect();
        folds.push(fold(7, &[12], "curl"));
        let d = judged(&folds);
        assert_eq!(d.integrations.len(), 2);
        let first = &d.integrations[0];
        assert_eq!((first.client.as_str(), first.events), ("Terraform provider", 20));
        assert_eq!(first.cadence, "nearly every day (20 of 20), mostly at 03:00 UTC");
        assert_eq!(d.integrations[1].cadence, "on one day");
        assert!(d.move_to.expect("automation").contains("service principal"));
    }

    #[test]
    fn a_client_that_nobody_knows_is_not_called_a_machine() {
        let mut names = names();
        let tool = names.number("my-tool");
        let one = Fold { client: tool, ..fold(4, &[10], "curl") };
        let judged = judge(&token("vso.code"), &[&one], &names, 0);
        assert_eq!(judged.worker, Worker::Unclear);
        assert!(judged.reason.contains("clients that patwatch does not know"), "{}", judged.reason);
        // The clock decides for an unknown client as for any other.
        let nightly: Vec<Fold> = (0..20).map(|d| Fold { client: tool, ..fold(d, &[3], "curl") }).collect();
        let judged = judge(&token("vso.code"), &nightly.iter().collect::<Vec<_>>(), &names, 0);
        assert_eq!(judged.worker, Worker::Automation);
        assert!(judged.reason.starts_with("It works by the clock"), "{}", judged.reason);
    }

    #[test]
    fn a_global_token_seen_after_the_end_of_such_tokens_is_said_to_be() {
        let global = Token { all_orgs: Some(true), ..token("vso.code") };
        let end = parse_day(GLOBAL_END).expect("a day");
        let said = |day, as_of| judge(&global, &[&fold(day, &[3], "curl")], &names(), as_of).ends_for_all;
        assert!(said(end - 1, day_start(end - 1)).expect("said").starts_with("Microsoft ends"));
        let over = said(end - 1, day_start(end)).expect("said");
        assert!(over.contains("should have stopped") && !over.contains("still seen"), "{over}");
        assert!(said(end, day_start(end)).expect("said").contains("still seen"));
    }

    #[test]
    fn who_is_gone_is_not_asked_and_global_tokens_carry_their_end() {
        let gone = Token { owner_state: OwnerState::Removed, all_orgs: Some(true), ..token("vso.code") };
        let d = judge(&gone, &[&fold(1, &[1], "curl")], &names(), 0);
        assert_eq!(d.ask, "ann@x.example is removed: ask the administrators of Payments");
        assert!(d.ends_for_all.expect("global").contains("2026-12-01"));
    }
}
