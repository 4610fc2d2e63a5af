//! One run over a lake: what is selected, analysed and reported. Every command that reads starts here.

use super::args::Selection;
use super::error::CliError;
use super::ingest::{Ingested, ingest};
use super::ui::Ui;
use crate::analysis::coverage::{Held, HeldDay};
use crate::analysis::run::{Analysis, Inputs};
use crate::analysis::tokens::Inventory;
use crate::analysis::{facts, run, tables};
use crate::config::Config;
use crate::engine::pack::Pack;
use crate::engine::{Cut, Engine, findings};
use crate::lake::index::SnapshotKind;
use crate::lake::{Lake, import, index};
use crate::model::coverage::Basis;
use crate::model::inventory::{UsageRow, UserRow};
use crate::model::policy::Policy;
use crate::model::time::{DAY, Micros, Span, Window, day_start, format_time, parse_day, parse_time};
use crate::model::token::Token;
use crate::report::review::Decided;
use crate::report::{Input, Population, Report, build};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// A lake with what this run sees of it.
pub(super) struct Session {
    /// The lake; a throw-away one with `--from`.
    pub lake: Lake,
    /// Organisations selected.
    pub orgs: Vec<String>,
    /// The window.
    pub window: Window,
    /// Thresholds.
    pub policy: Policy,
    /// The configuration.
    pub config: Config,
    /// The pack.
    pub pack: Pack,
    /// What `--from` brought.
    pub ingested: Option<Ingested>,
    /// Holds the throw-away folders until the run ends.
    _folders: Vec<tempfile::TempDir>,
    /// Day files of the day that `--as-of` cuts through, by table, in place of the lake's.
    cut: Vec<(&'static str, std::path::PathBuf, std::path::PathBuf)>,
}

/// What the analysis and the pack found, with the engine that ad hoc queries go on with.
pub(super) struct Found {
    /// The report.
    pub report: Report,
    /// The engine, all tables registered.
    pub engine: Engine,
}

/// Tables that lie in day files.
const DAY_TABLES: [&str; 4] = ["events", "activity", "token_day", "notable"];

impl Session {
    /// Opens what the user selected.
    pub(super) fn open(
        lake: &Path,
        config: Config,
        selection: &Selection,
        ui: &Ui,
    ) -> Result<Self, CliError> {
        let pack = load_pack(&selection.queries)?;
        let mut folders = Vec::new();
        let mut ingested = None;
        let lake = if selection.from.is_empty() {
            let lake = Lake::open(lake)?;
            if lake.orgs().is_empty() {
                return Err(CliError::new(format!("the lake {} holds nothing yet", lake.root().display()))
                    .hint("read files into it with `patwatch import PATH...`, or look at files at once with --from PATH..."));
            }
            lake
        } else {
            let folder = tempfile::Builder::new().prefix("patwatch-").tempdir()?;
            let mut lake = Lake::open(folder.path())?;
            let fill = if let [only] = selection.org.as_slice() { Some(only.as_str()) } else { None };
            ingested = Some(ingest(&mut lake, &selection.from, fill, &selection.reading, ui)?);
            folders.push(folder);
            lake
        };
        let orgs = select_orgs(&lake, &selection.org)?;
        let as_of = match selection.as_of.as_deref() {
            Some(text) => parse_as_of(text)?,
            None => default_as_of(&lake, &orgs),
        };
        let window = Window::ending(as_of, parse_window(&selection.window)?);
        let policy = config.policy.clone();
        let mut session =
            Self { lake, orgs, window, policy, config, pack, ingested, _folders: folders, cut: Vec::new() };
        session.cut_last_day()?;
        Ok(session)
    }

    /// Later events do not exist to the run: where `as_of` cuts through a day, that day's tables are made anew
    /// from the events up to it.
    fn cut_last_day(&mut self) -> Result<(), CliError> {
        let day = self.window.last_day();
        let cut: Vec<String> = self
            .lake
            .index
            .days
            .iter()
            .filter(|d| self.orgs.contains(&d.org) && d.day == day && d.last_time > self.window.as_of)
            .map(|d| d.org.clone())
            .collect();
        if cut.is_empty() {
            return Ok(());
        }
        let folder = tempfile::Builder::new().prefix("patwatch-").tempdir()?;
        let scratch = Lake::open(folder.path())?;
        for org in cut {
            import::write_cut(&self.lake, &scratch, &org, day, self.window.as_of)?;
            for table in DAY_TABLES {
                self.cut.push((
                    table,
                    self.lake.day_file(table, &org, day),
                    scratch.day_file(table, &org, day),
                ));
            }
        }
        self._folders.push(folder);
        Ok(())
    }

    /// Day files of a table up to the run's instant, from `first` on.
    fn files(&self, table: &'static str, first: i32) -> Vec<std::path::PathBuf> {
        let mut files = self.lake.day_files(table, &self.orgs, first..=self.window.last_day());
        for (name, whole, cut) in &self.cut {
            if *name == table
                && let Some(slot) = files.iter_mut().find(|f| *f == whole)
            {
                slot.clone_from(cut);
            }
        }
        files
    }

    /// An engine over the whole history (`wide`) or over the window.
    fn engine(&self, wide: bool) -> Result<Engine, CliError> {
        let window = if wide { Window { from: i64::MIN / 4, ..self.window } } else { self.window };
        let mut engine = Engine::new(&self.policy, window);
        let first = self.lake.index.days.iter().map(|d| d.day).min().unwrap_or_default();
        for table in DAY_TABLES {
            engine.register_parquet(table, &self.files(table, first), Cut::Window)?;
        }
        Ok(engine)
    }

    /// Runs the analysis; returns what it found, the engine with its tables, and what the report shows beside.
    fn analyse(&self) -> Result<(Analysis, Engine, build::Extra), CliError> {
        let wide = self.engine(true)?;
        let mut inputs = self.inputs()?;
        let population = populations(&inputs);
        let taken: BTreeMap<String, Micros> =
            inputs.inventories.iter().map(|(org, i)| (org.clone(), i.taken)).collect();
        let analysis = run::run(&wide, &mut inputs, self.window, &self.policy)?;
        let kinds = facts::kinds(&wide, self.window)?;
        let mut engine = self.engine(false)?;
        for table in tables::tables(&analysis, &taken, &self.policy)? {
            engine.register(table);
        }
        engine.register_missing();
        Ok((analysis, engine, build::Extra { kinds, population, decided: self.decided()? }))
    }

    /// Runs analysis and pack.
    pub(super) fn find(&self, select: &[String], ui: &Ui) -> Result<Found, CliError> {
        let (analysis, engine, extra) = self.analyse()?;
        let spinner = ui.bar(self.pack.detections.len() as u64, "detections", false);
        let (found, not_run) = findings::run_pack(&engine, &self.pack, select);
        spinner.finish_and_clear();
        let mut report = build::empty(self.window, self.policy.clone());
        report.pack_sha256 = self.pack.sha256();
        report.config_sha256 = self.config_hash();
        report.not_run = not_run;
        report.detections = self.pack.select(select).into_iter().map(|d| d.meta.clone()).collect();
        report.inputs = self.report_inputs();
        build::build(&mut report, analysis, found, extra);
        Ok(Found { report, engine })
    }

    /// Analysis alone, for commands that need tables and no findings.
    pub(super) fn engine_with_tables(&self) -> Result<Engine, CliError> {
        Ok(self.analyse()?.1)
    }

    /// The tokens as they stand, for commands that need no findings.
    pub(super) fn tokens(&self) -> Result<Vec<Token>, CliError> {
        Ok(self.analyse()?.0.tokens.into_iter().map(|judged| judged.token).collect())
    }

    /// Decisions of the lake and exceptions of the configuration; which of them exist yet, the report decides.
    fn decided(&self) -> Result<Decided, CliError> {
        let mut decided = Decided { approvals: self.config.approvals(), ..Decided::default() };
        for org in &self.orgs {
            decided.decisions.extend(self.lake.decisions(org)?);
        }
        Ok(decided)
    }

    fn config_hash(&self) -> String {
        import::hex(&Sha256::digest(serde_json::to_vec(&self.config).unwrap_or_default()))
    }

    /// Inventories, users, usage records and days, as they stood at the run's instant.
    fn inputs(&self) -> Result<Inputs<'_>, CliError> {
        let mut inputs = Inputs { orgs: self.orgs.clone(), ..Inputs::default() };
        inputs.scopes = self.lake.index.orgs.iter().map(|o| (o.scope_id.clone(), o.name.clone())).collect();
        for org in &self.orgs {
            if let Some(inventory) = self.inventory(org)? {
                inputs.inventories.insert(org.clone(), inventory);
            }
            let mut users: Vec<(Micros, UserRow)> = Vec::new();
            for snapshot in self.lake.snapshots(SnapshotKind::Users, org, self.window.as_of) {
                users.extend(self.lake.users(snapshot)?.into_iter().map(|row| (snapshot.taken, row)));
            }
            inputs.users.insert(org.clone(), users);
            let (mut spans, mut rows): (Vec<Span>, Vec<UsageRow>) = (Vec::new(), Vec::new());
            for snapshot in self.lake.snapshots(SnapshotKind::Usage, org, self.window.as_of) {
                let listed = self.lake.usage(snapshot)?;
                match snapshot.span {
                    Some(span) => spans.push(span),
                    // Nobody vouches for the whole: each record still declares the span that it counts.
                    None => spans.extend(listed.iter().map(|r| Span { from: r.start, to: r.end })),
                }
                rows.extend(listed);
            }
            if !rows.is_empty() || !spans.is_empty() {
                inputs.usage.insert(org.clone(), (spans, rows));
            }
            inputs.held.insert(org.clone(), self.held(org));
        }
        Ok(inputs)
    }

    /// The latest inventory: the latest complete list, and rows of partial lists taken since.
    fn inventory(&self, org: &str) -> Result<Option<Inventory>, CliError> {
        let snapshots = self.lake.snapshots(SnapshotKind::Inventory, org, self.window.as_of);
        let Some(newest) = snapshots.last() else { return Ok(None) };
        let base = snapshots.iter().rposition(|s| s.complete).unwrap_or(0);
        let mut inventory = Inventory {
            taken: snapshots.get(base).map_or(newest.taken, |s| s.taken),
            complete: snapshots.iter().any(|s| s.complete),
            ..Inventory::default()
        };
        // Lists taken at the same instant belong together, whichever file came first.
        let same = |s: &&&index::Snapshot| s.taken >= inventory.taken;
        for snapshot in snapshots.iter().filter(same).rev() {
            for row in self.lake.inventory(snapshot)? {
                if row.is_pat() { inventory.rows.push(row) } else { inventory.not_pats += 1 }
            }
            inventory.users_listed += snapshot.users_listed;
            inventory.users_failed += snapshot.users_failed;
        }
        Ok(Some(inventory))
    }

    fn held(&self, org: &str) -> Held<'static> {
        let days = self
            .lake
            .index
            .days
            .iter()
            .filter(|d| d.org == org && d.first_time <= self.window.as_of)
            .map(|d| HeldDay {
                day: d.day,
                rows: d.rows,
                first_time: d.first_time,
                last_time: d.last_time.min(self.window.as_of),
                shapes: d.shapes,
                hours: d.hours.clone(),
                areas: d.areas.clone(),
            })
            .collect();
        let covers: Vec<(Span, Basis)> =
            self.lake.index.covers.iter().filter(|c| c.org == org).map(|c| (c.span, c.basis)).collect();
        Held { org: "", days, covers, switches: Vec::new() }
    }

    fn report_inputs(&self) -> Vec<Input> {
        let mut inputs: Vec<Input> = self
            .lake
            .index
            .runs
            .iter()
            .flat_map(|r| &r.inputs)
            .map(|i| Input {
                name: i.name.clone(),
                sha256: i.sha256.clone(),
                kind: i.kind.clone(),
                read: i.read,
                kept: i.kept,
                duplicate: i.duplicate,
                rejected: i.rejected,
                reasons: i.reasons.clone(),
            })
            .collect();
        inputs.sort();
        inputs
    }
}

/// The compiled-in pack with the user's folders.
pub(super) fn load_pack(folders: &[std::path::PathBuf]) -> Result<Pack, CliError> {
    Pack::with_folders(folders).map_err(|problems| {
        let mut lines = problems.iter().map(ToString::to_string);
        let first = lines.next().unwrap_or_default();
        let mut error = CliError::new(format!("the pack has faults: {first}"));
        error.hints = lines.collect();
        error
    })
}

fn select_orgs(lake: &Lake, wanted: &[String]) -> Result<Vec<String>, CliError> {
    let known = lake.orgs();
    if wanted.is_empty() {
        return Ok(known);
    }
    let mut orgs = Vec::new();
    for org in wanted {
        let name = crate::model::identity::org_name(org);
        if !known.contains(&name) {
            return Err(CliError::new(format!("there is no organisation \"{name}\" here")).hint(format!(
                "known: {}",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            )));
        }
        orgs.push(name);
    }
    orgs.sort_unstable();
    orgs.dedup();
    Ok(orgs)
}

/// The latest coverage end over the selected organisations; never the wall clock.
fn default_as_of(lake: &Lake, orgs: &[String]) -> Micros {
    let newest = lake.index.days.iter().filter(|d| orgs.contains(&d.org)).map(|d| d.last_time);
    // A span ends before its end: a day declared whole ends at its last microsecond, so it stays the last day.
    let covered = lake.index.covers.iter().filter(|c| orgs.contains(&c.org)).map(|c| c.span.to - 1);
    let taken = lake.index.snapshots.iter().filter(|s| orgs.contains(&s.org)).map(|s| s.taken);
    newest.chain(covered).max().or_else(|| taken.max()).unwrap_or_default()
}

fn parse_as_of(text: &str) -> Result<Micros, CliError> {
    let time = match parse_day(text) {
        Some(day) => Some(day_start(day) + DAY - 1),
        None => parse_time(text),
    };
    time.ok_or_else(|| {
        CliError::new(format!("--as-of \"{text}\" is no time"))
            .hint("write it as 2026-03-31T12:00:00Z, or 2026-03-31 for the end of that day")
    })
}

fn parse_window(text: &str) -> Result<i32, CliError> {
    let days =
        text.trim().trim_end_matches(['d', 'D']).parse::<i32>().ok().filter(|d| (1..=3650).contains(d));
    days.ok_or_else(|| {
        CliError::new(format!("--window \"{text}\" is no number of days"))
            .hint("write it as 90d, from 1d to 3650d")
    })
}

fn populations(inputs: &Inputs<'_>) -> Vec<Population> {
    inputs
        .orgs
        .iter()
        .map(|org| match inputs.inventories.get(org) {
            Some(inventory) => Population {
                org: org.clone(),
                inventory_taken: Some(format_time(inventory.taken)),
                complete: inventory.complete,
                users_listed: inventory.users_listed,
                users_failed: inventory.users_failed,
                tokens: inventory.rows.len() as u64,
                not_pats: inventory.not_pats,
            },
            None => Population {
                org: org.clone(),
                inventory_taken: None,
                complete: false,
                users_listed: 0,
                users_failed: 0,
                tokens: 0,
                not_pats: 0,
            },
        })
        .collect()
}
