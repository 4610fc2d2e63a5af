//! Lists that files hold, with the organisation they belong to, into the lake.
//!
//! In: the rows of every input of an import, and what its pages say of their end. Out: one list of PATs, one of users and
//! one of usage records an organisation. A list names an organisation row by row, by `--org`, or by the organisations that
//! its tokens are for; rows of another organisation than the list's are partial there.

use super::error::{CliError, message};
use super::ui::Ui;
use crate::analysis::inventory::{Part, complete_owners};
use crate::lake::Lake;
use crate::lake::index::Ingest;
use crate::lake::snapshot::Facts;
use crate::model::identity::org_name;
use crate::model::inventory::{InventoryRow, UsageRow, UserRow};
use crate::model::noun::counted;
use crate::model::time::{Micros, Span, format_time};
use crate::source::{KindHint, PageEnds};
use std::collections::{BTreeMap, BTreeSet};

/// Lists that one input held, kept until the organisations are known.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// Number of the input.
    pub input: usize,
    /// The organisation that `--org` gives it.
    pub org: Option<String>,
    pub inventory: Vec<InventoryRow>,
    pub users: Vec<UserRow>,
    pub usage: Vec<UsageRow>,
    /// What its first known record was.
    pub kind: Option<KindHint>,
    /// Whether its pages say that they are the last.
    pub ends: PageEnds,
    /// Whether its last page says that more follow.
    pub goes_on: bool,
    /// Whether every record of it was read.
    pub whole: bool,
}

impl Lists {
    pub(super) fn is_empty(&self) -> bool {
        self.inventory.is_empty() && self.users.is_empty() && self.usage.is_empty()
    }
}

/// When the lists were taken and which spans they declare, as the command line says.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Declared {
    pub taken: Option<Micros>,
    pub usage: Option<Span>,
    /// The users files list everybody.
    pub users_complete: bool,
}

/// Finds the organisation of a row.
#[derive(Debug, Default)]
pub(super) struct Placer {
    /// Organisations that the audit files of this import name.
    pub named: BTreeSet<String>,
    /// Names of organisations by id.
    pub scopes: BTreeMap<String, String>,
    /// Organisations of the lake.
    pub known: Vec<String>,
}

/// Why a row is not kept: in three words, and in a sentence.
type Misplaced = (&'static str, String);

const UNKNOWN: &str = "organisation unknown";

impl Placer {
    /// The organisation of rows that name none.
    fn default_org(&self, list: &Lists, what: &str) -> Result<String, Misplaced> {
        if let Some(org) = &list.org {
            return Ok(org.clone());
        }
        let orgs: Vec<&String> =
            if self.named.is_empty() { self.known.iter().collect() } else { self.named.iter().collect() };
        match orgs.as_slice() {
            [only] => Ok((*only).clone()),
            [] => Err((UNKNOWN, format!("{what} names no organisation; name it with --org"))),
            [a, b, ..] => Err((
                UNKNOWN,
                format!(
                    "{what} names no organisation, and it could be {a} or {b}; name it with --org, or with --org NAME=PATH where files of several are read"
                ),
            )),
        }
    }

    /// The one organisation of this run that a token is for, by the ids that it targets.
    fn target(&self, row: &InventoryRow) -> Option<&String> {
        let targets: BTreeSet<&String> =
            row.targets.listed().into_iter().flatten().filter_map(|t| self.scopes.get(t)).collect();
        if targets.len() == 1 { targets.into_iter().next() } else { None }
    }
}

/// The organisation that a row names, where a folder can be named after it and `--org` does not say otherwise.
fn named_org(list: &Lists, written: &str, what: &str) -> Result<String, Misplaced> {
    let org = org_name(written);
    if let Some(said) = list.org.as_ref().filter(|said| **said != org) {
        return Err((
            "organisation contradicts --org",
            format!(
                "{what} names the organisation \"{org}\" but --org says \"{said}\"; --org only fills in where a file names none"
            ),
        ));
    }
    if Lake::can_hold(&org) {
        return Ok(org);
    }
    let short: String = org.chars().take(40).collect();
    Err((UNKNOWN, format!("the organisation's name \"{short}...\" is too long")))
}

/// The rows of one organisation, each with its input.
#[derive(Debug, Default)]
struct Placed {
    inventory: Vec<(usize, InventoryRow)>,
    users: Vec<(usize, UserRow)>,
    usage: Vec<(usize, UsageRow)>,
    /// Inputs that are lists of this organisation; other inputs only bring rows that are for it.
    own: BTreeSet<usize>,
}

/// Stores what the inputs listed; returns how many inputs could not be placed.
pub(super) fn store(
    lake: &mut Lake,
    lists: &mut [Lists],
    inputs: &mut [Ingest],
    placer: &Placer,
    declared: Declared,
    ui: &Ui,
) -> Result<u64, CliError> {
    let mut failed = 0;
    let mut placed: BTreeMap<String, Placed> = BTreeMap::new();
    for list in &mut *lists {
        let ingest = &mut inputs[list.input];
        let lost = place(list, &ingest.name, placer, &mut placed);
        for (reason, (rows, why)) in &lost {
            ui.err(&message(&format!("error: {why}")));
            ingest.rejected += rows;
            *ingest.reasons.entry((*reason).to_owned()).or_default() += rows;
        }
        failed += u64::from(!lost.is_empty());
        // A row that went nowhere may have been anybody's.
        list.whole &= lost.is_empty();
    }
    for (org, rows) in placed {
        store_of(lake, &org, rows, lists, inputs, declared, ui)?;
    }
    for input in inputs {
        input.duplicate = input.read.saturating_sub(input.kept + input.rejected);
    }
    Ok(failed)
}

/// Puts the rows of one input to their organisations; returns what could not be placed, by reason.
fn place(
    list: &Lists,
    what: &str,
    placer: &Placer,
    placed: &mut BTreeMap<String, Placed>,
) -> BTreeMap<&'static str, (u64, String)> {
    let mut lost: BTreeMap<&'static str, (u64, String)> = BTreeMap::new();
    let mut lose = |(reason, why): Misplaced| lost.entry(reason).or_insert((0, why)).0 += 1;
    let fallback = placer.default_org(list, what);
    // Tokens for one organisation say whose list it is, where nothing else does: the global ones next to them are of it.
    let targets: BTreeSet<&String> = list.inventory.iter().filter_map(|row| placer.target(row)).collect();
    let home = match targets.first() {
        Some(only) if targets.len() == 1 && list.org.is_none() => Ok((*only).clone()),
        _ => fallback.clone(),
    };
    // Where the tokens say one organisation and the import another, it is a list of neither.
    if let Ok(home) = &home
        && fallback.as_ref().ok().is_none_or(|other| other == home)
    {
        placed.entry(home.clone()).or_default().own.insert(list.input);
    }
    for row in &list.inventory {
        let org = match (&row.org, placer.target(row)) {
            (Some(org), _) => named_org(list, org, what),
            (None, Some(target)) => Ok(target.clone()),
            (None, None) => home.clone(),
        };
        match org {
            Ok(org) => placed.entry(org).or_default().inventory.push((list.input, row.clone())),
            Err(why) => lose(why),
        }
    }
    let named = |org: &Option<String>| match org {
        Some(org) => named_org(list, org, what),
        None => fallback.clone(),
    };
    for row in &list.users {
        match named(&row.org) {
            Ok(org) => placed.entry(org).or_default().users.push((list.input, row.clone())),
            Err(why) => lose(why),
        }
    }
    for row in &list.usage {
        match named(&row.org) {
            Ok(org) => placed.entry(org).or_default().usage.push((list.input, row.clone())),
            Err(why) => lose(why),
        }
    }
    lost
}

/// Stores the lists of one organisation.
fn store_of(
    lake: &mut Lake,
    org: &str,
    placed: Placed,
    lists: &[Lists],
    inputs: &mut [Ingest],
    declared: Declared,
    ui: &Ui,
) -> Result<(), CliError> {
    let newest = lake.index.days.iter().filter(|d| d.org == org).map(|d| d.last_time).max();
    let dated = |assumed: Option<Micros>| Facts {
        taken: declared.taken.or(newest).or(assumed).unwrap_or_default(),
        undated: declared.taken.is_none(),
        ..Facts::default()
    };
    let has_tokens = !placed.inventory.is_empty();
    if has_tokens {
        let parts: Vec<Part<'_>> =
            placed.own.iter().filter_map(|input| part(*input, lists, &placed)).collect();
        let owners =
            placed.inventory.iter().filter_map(|(_, r)| r.user_id.as_deref()).collect::<BTreeSet<_>>();
        let facts = Facts {
            complete_for: complete_owners(&parts),
            users_listed: owners.len() as u64,
            ..dated(placed.inventory.iter().filter_map(|(_, r)| r.valid_from).max())
        };
        let taken = format_time(facts.taken);
        let (from, rows): (Vec<usize>, Vec<InventoryRow>) = placed.inventory.into_iter().unzip();
        let new = lake.add_inventory(org, &rows, facts)?;
        count(inputs, &from, &rows, new);
        ui.detail(&format!("{org}: inventory of {}, taken {taken}", counted(rows.len(), "row")));
    }
    if !placed.users.is_empty() {
        let (from, rows): (Vec<usize>, Vec<UserRow>) = placed.users.into_iter().unzip();
        let of_org: Vec<&Lists> = lists.iter().filter(|l| from.contains(&l.input)).collect();
        let complete = every_user(&of_org, declared.users_complete);
        if !complete && has_tokens {
            ui.info(&format!(
                "{org}: the users files do not state that they list every user, so a list of PATs cannot be measured against \
                 them. Add `--users-complete` if they do, import the user entitlements, whose last page states it, or use \
                 `pull`"
            ));
        }
        let new = lake.add_users(org, &rows, Facts { complete, ..dated(None) })?;
        count(inputs, &from, &rows, new);
    }
    if !placed.usage.is_empty() {
        // First to last record is no declaration: a file with one record at each end would rule out all between.
        let last = placed.usage.iter().map(|(_, r)| r.end).max();
        let (from, rows): (Vec<usize>, Vec<UsageRow>) = placed.usage.into_iter().unzip();
        let mut parts = lists.iter().filter(|l| from.contains(&l.input) || l.kind == Some(KindHint::Usage));
        let complete = parts.all(|l| l.whole && !l.goes_on);
        if declared.usage.is_some() && !complete {
            ui.warn(&format!(
                "{org}: not every usage record could be read, so no span is declared for them and they rule nothing out; repair the file and import it again"
            ));
        }
        let facts = Facts { complete, span: declared.usage.filter(|_| complete), ..dated(last) };
        let new = lake.add_usage(org, &rows, facts)?;
        count(inputs, &from, &rows, new);
    }
    Ok(())
}

/// Returns true if users lists are known to have every user: nothing of them is missing, and the pages of the Graph API or of
/// the entitlements say that they are the last, or the user does.
fn every_user(lists: &[&Lists], declared: bool) -> bool {
    let states_end = |kind: KindHint| {
        let mut of_kind = lists.iter().filter(|l| l.kind == Some(kind)).peekable();
        of_kind.peek().is_some() && of_kind.all(|l| l.ends.closed > 0 && l.ends.unstated == 0)
    };
    lists.iter().all(|l| l.whole && !l.goes_on)
        && (declared || states_end(KindHint::Users) || states_end(KindHint::Entitlements))
}

/// What one input lists of the organisation, and how it ends; none where it is no list of tokens.
fn part<'p>(input: usize, lists: &[Lists], placed: &'p Placed) -> Option<Part<'p>> {
    let is_list = |l: &&Lists| !l.inventory.is_empty() || l.kind == Some(KindHint::Inventory);
    let list = lists.iter().find(|l| l.input == input).filter(is_list)?;
    Some(Part {
        rows: placed.inventory.iter().filter(|(of, _)| *of == input).map(|(_, row)| row).collect(),
        open: list.ends.open,
        closed: list.ends.closed,
        unstated: list.ends.unstated,
        goes_on: list.goes_on,
        whole: list.whole,
    })
}

/// Counts rows as kept by the first input that brought them; a list that the lake had adds none.
fn count<R: std::fmt::Debug>(inputs: &mut [Ingest], from: &[usize], rows: &[R], new: bool) {
    let mut seen = BTreeSet::new();
    for (input, row) in from.iter().zip(rows) {
        if new && seen.insert(format!("{row:?}")) {
            inputs[*input].kept += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(kind: KindHint, closed: u64, unstated: u64) -> Lists {
        let ends = PageEnds { closed, unstated, open: 0 };
        Lists { kind: Some(kind), ends, whole: true, ..Lists::default() }
    }

    #[test]
    fn users_are_everybody_only_where_an_end_is_stated() {
        let graph = list(KindHint::Users, 0, 1);
        let last = list(KindHint::Entitlements, 1, 0);
        assert!(!every_user(&[&graph], false), "a page of the Graph API does not state its end");
        assert!(every_user(&[&graph], true));
        assert!(every_user(&[&last], false));
        assert!(every_user(&[&graph, &last], false), "one complete list is enough");
        assert!(every_user(&[&list(KindHint::Users, 1, 0)], false));
        assert!(!every_user(&[&list(KindHint::Users, 0, 0)], false), "a table has no end of its own");
        let open = Lists { goes_on: true, ..list(KindHint::Users, 1, 0) };
        assert!(!every_user(&[&open, &last], true), "a page that says more follow");
        let damaged = Lists { whole: false, ..list(KindHint::Users, 1, 0) };
        assert!(!every_user(&[&damaged], true));
    }
}
