//! One run over a lake: what is selected, analysed and reported. Every command that reads starts here.

use super::apart::{Job, Supervisor};
use super::args::Selection;
use super::as_of;
use super::decided::{DecisionFiles, read_files};
use super::error::CliError;
use super::error::Outcome;
use super::evidence;
use super::in_force::{InForce, in_force};
use super::ingest::{Ingested, ingest};
use super::instants;
use super::limits::Limits;
use super::naming::Naming;
use super::scratch::Scratch;
use super::suggest;
use super::ui::Ui;
use crate::analysis::coverage::{Held, HeldDay};
use crate::analysis::inventory::{Inventory, List, counts_from};
use crate::analysis::run::{Analysis, Depth, Inputs};
use crate::analysis::{facts, places, run, tables};
use crate::config::Config;
use crate::engine::pack::{Detection, Pack};
use crate::engine::run::{Step, run_pack_telling};
use crate::engine::{self, Cut, Engine};
use crate::lake::index::SnapshotKind;
use crate::lake::view::View;
use crate::lake::{Lake, index};
use crate::model::coverage::Basis;
use crate::model::finding::{Finding, NotRun};
use crate::model::hash::sha256;
use crate::model::inventory::{UsageRow, UserRow};
use crate::model::network::Site;
use crate::model::policy::Policy;
use crate::model::review_period::Period;
use crate::model::secret::covered;
use crate::model::time::{Day, Micros, Span, Window, format_time};
use crate::model::token::Token;
use crate::report::review::Decided;
use crate::report::{Input, Population, Report, TokenReport, build};
use crate::source::geo::{self, Database};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

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
    /// The pack, with the severities in force; what of it does not run, `in_force` says.
    pub pack: Pack,
    /// What the configuration changes of the pack.
    in_force: InForce,
    /// What `--from` brought.
    pub ingested: Option<Ingested>,
    /// What a query or a detection of the user may take.
    pub limits: Limits,
    /// What the decision files say.
    decided: DecisionFiles,
    /// Databases of places, as the command line names them, then as the configuration does.
    geo: Vec<Database>,
    geo_files: Vec<PathBuf>,
    /// Holds the throw-away folders until the run ends.
    _folders: Vec<Scratch>,
    /// The part of the lake before the run's instant, of the organisations selected.
    view: View,
    /// The same of every organisation, where only some are selected: `--org` limits what is judged, not what is known.
    known: Option<View>,
}

/// Which instants a run may stand at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Instants {
    /// Those whose window contains some of the log.
    InLog,
    /// All: the day of a review sheet may be older than the lake.
    Any,
}

/// What the analysis and the pack found, with the engine that ad hoc queries go on with.
pub(super) struct Found {
    /// The report.
    pub report: Report,
    /// The engine, all tables registered.
    pub engine: Engine,
}

/// Tables that lie in day files; queries see those of the window.
const DAY_TABLES: [&str; 6] = ["events", "activity", "token_day", "notable", "actors", "connection_runs"];

/// Tables of people and of what is held.
const PEOPLE: [&str; 4] = ["coverage", "gaps", "users", "unclear_token_events"];

/// Tables that say nothing of a verdict, beside those of [`DAY_TABLES`].
const UNJUDGED: [&str; 10] = [
    "seen",
    "org_seen",
    "first_shown",
    "stays",
    "credentials",
    "policy",
    "actions",
    "scopes",
    "scope_includes",
    "action_scopes",
];

impl Session {
    /// Opens what the user selected.
    pub(super) fn open(
        lake: &Path,
        config: Config,
        selection: &Selection,
        ui: &Ui,
    ) -> Result<Self, CliError> {
        Self::open_at(lake, config, selection, Instants::InLog, ui)
    }

    /// The same, at an instant that the user may not have chosen.
    pub(super) fn open_at(
        lake: &Path,
        config: Config,
        selection: &Selection,
        checked: Instants,
        ui: &Ui,
    ) -> Result<Self, CliError> {
        let mut pack = load_pack(&selection.queries)?;
        let (in_force, warnings) = in_force(&mut pack, &config.detections);
        warnings.iter().for_each(|warning| ui.warn(warning));
        for exception in &config.exceptions {
            let named = &exception.detection;
            // Not refused: it may be of a pack that only some runs name.
            let is_known = |d: &Detection| {
                [d.meta.id.as_str(), d.meta.slug.as_str(), d.meta.family.as_str()].contains(&named.as_str())
            };
            if !pack.detections.iter().any(is_known) {
                ui.warn(&format!(
                    "the configuration's [[exception]] for \"{}\" names \"{named}\", which is no detection or family here: it covers nothing; {}",
                    exception.subject_or_any(),
                    suggest::detection(named, &pack, true)
                ));
            }
        }
        let geo_files: Vec<PathBuf> =
            selection.geo.iter().cloned().chain(config.geo.iter().map(PathBuf::from)).collect();
        let geo = databases(&geo_files)?;
        let limits = Limits::new(&selection.limits, config.limits);
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
            let folder = Scratch::new()?;
            let mut lake = Lake::open(folder.path())?;
            let fill = if let [only] = selection.org.as_slice() { Some(only.as_str()) } else { None };
            ingested =
                Some(ingest(&mut lake, &selection.from, &Naming::plain(fill), &selection.reading, ui)?);
            folders.push(folder);
            lake
        };
        let orgs = select_orgs(&lake, &selection.org)?;
        let files = selection.decisions.iter().cloned().chain(config.decisions.iter().map(PathBuf::from));
        let decided = read_files(&files.collect::<Vec<_>>(), &orgs, ui)?;
        let as_of = match selection.as_of.as_deref() {
            Some(text) => as_of::parse(text)?,
            None => as_of::newest(&lake, &orgs, ui),
        };
        let window = Window::ending(as_of, instants::window("--window", &selection.window, as_of)?);
        if let Some(text) = selection.as_of.as_deref().filter(|_| checked == Instants::InLog) {
            as_of::check(&lake, text, window)?;
        }
        let policy = config.policy.clone();
        let scratch = Scratch::new()?;
        let started = Instant::now();
        let all = lake.orgs();
        let known = if orgs == all { None } else { Some(View::open(&lake, &all, as_of, scratch.path())?) };
        let view = View::open(&lake, &orgs, as_of, scratch.path())?;
        folders.push(scratch);
        ui.detail(&format!("lake: {:.2?}", started.elapsed()));
        Ok(Self {
            lake,
            orgs,
            window,
            policy,
            config,
            pack,
            in_force,
            ingested,
            limits,
            decided,
            geo,
            geo_files,
            _folders: folders,
            view,
            known,
        })
    }

    /// How far what the run was asked to read could be read.
    pub(super) fn outcome(&self, strict: bool) -> Outcome {
        let ingested = self.ingested.as_ref();
        let rows = if self.decided.faults > 0 { Outcome::Incomplete } else { Outcome::Done };
        ingested.map_or(Outcome::Done, |ingested| super::import::outcome(ingested, strict)).max(rows)
    }

    /// An engine over the days of the window and the folds of the whole history.
    fn engine(&self, view: &View) -> Result<Engine, CliError> {
        let mut engine = Engine::new(&self.policy, self.window);
        let first = self.window.first_day();
        for table in DAY_TABLES {
            engine.register_parquet(table, &view.days(table, first), Cut::Window)?;
        }
        engine.register_parquet("seen", &view.months("seen"), Cut::None)?;
        engine.register_parquet("lake_changes", &view.months("changes"), Cut::None)?;
        let uses = view.months_and_days("uses", "actors", first);
        engine.register_parquet("lake_uses", &uses, Cut::None)?;
        engine.register_parquet("lake_orphans", &view.days("orphans", first), Cut::None)?;
        Ok(engine)
    }

    /// Runs the analysis; returns what it found, the engine with its tables, and what the report shows beside.
    fn analyse(&self, depth: Depth, ui: &Ui) -> Result<(Analysis, Engine, build::Extra), CliError> {
        let started = Instant::now();
        let mut engine = self.engine(&self.view)?;
        let known = self.known.as_ref().map(|view| self.engine(view)).transpose()?;
        let mut inputs = self.inputs()?;
        let population = populations(&inputs, &self.orgs);
        let evidence = evidence::evidence(&inputs, &self.orgs);
        let taken: BTreeMap<String, Micros> =
            inputs.inventories.iter().map(|(org, i)| (org.clone(), i.taken())).collect();
        let analysis = run::run(
            known.as_ref().unwrap_or(&engine),
            &engine,
            &mut inputs,
            self.window,
            &self.policy,
            depth,
        )?;
        let kinds = if depth == Depth::Verdicts { facts::kinds(&engine, self.window)? } else { Vec::new() };
        for table in tables::tables(&analysis, &taken, &self.policy)? {
            engine.register(table);
        }
        let site = |address| geo::site_of(&self.geo, address);
        let look_up: Option<&dyn Fn(IpAddr) -> Site> = if self.geo.is_empty() { None } else { Some(&site) };
        if matches!(depth, Depth::Findings | Depth::Verdicts) {
            engine.register(places::table(&engine, &self.config.own_networks(), look_up)?);
        }
        engine.register_missing();
        ui.detail(&format!("analysis: {:.2?}", started.elapsed()));
        Ok((analysis, engine, build::Extra { kinds, population, decided: self.decided()?, evidence }))
    }

    /// Runs analysis and pack.
    pub(super) fn find(&self, select: &[String], ui: &Ui) -> Result<Found, CliError> {
        self.find_at(Depth::Verdicts, select, ui)
    }

    /// The same for outputs that show findings alone: what no detection asks of a token is not worked out.
    pub(super) fn find_alone(&self, select: &[String], ui: &Ui) -> Result<Found, CliError> {
        let asks = |d: &Detection| engine::asks(&d.sql, "tokens", "worker");
        let depth = if self.pack.detections.iter().any(asks) { Depth::Verdicts } else { Depth::Findings };
        self.find_at(depth, select, ui)
    }

    fn find_at(&self, depth: Depth, select: &[String], ui: &Ui) -> Result<Found, CliError> {
        let (analysis, engine, extra) = self.analyse(depth, ui)?;
        let spinner = ui.bar(self.pack.detections.len() as u64, "detections", false);
        let started = Instant::now();
        let mut slow: Vec<(std::time::Duration, String)> = Vec::new();
        let mut running: BTreeMap<String, Instant> = BTreeMap::new();
        let tell = |step: Step<'_>| match step {
            Step::Begins(id) => drop(running.insert(id.to_owned(), Instant::now())),
            Step::Ends(id) => {
                spinner.inc(1);
                slow.extend(running.remove(id).map(|started| (started.elapsed(), id.to_owned())));
            }
        };
        let apart = Supervisor::new(self.job(), self.limits);
        let running = self.in_force.running(&self.pack);
        let (found, mut not_run) = run_pack_telling(&engine, &running, select, Some(&apart), tell);
        not_run.extend(self.in_force.switched_off(&self.pack, select));
        drop(apart);
        spinner.finish_and_clear();
        slow.sort_unstable_by(|a, b| b.cmp(a));
        let slow: Vec<String> = slow.iter().take(8).map(|(time, id)| format!("{id} {time:.2?}")).collect();
        ui.detail(&format!("detections: {:.2?}; longest: {}", started.elapsed(), slow.join(", ")));
        let mut report = build::empty(self.window, self.policy.clone());
        report.pack_sha256 = self.pack.sha256();
        report.config_sha256 = self.config_hash();
        let geo: Vec<&str> = self.geo.iter().map(|database| database.sha256.as_str()).collect();
        let mut digests = evidence::digests(&running, &self.config, &self.policy, &geo);
        let chosen = running.select(select);
        digests.retain(|id, _| chosen.iter().any(|d| d.meta.id == *id));
        report.digests = digests;
        report.not_run = not_run;
        match engine::blind::find(&engine, &chosen) {
            Ok(blind) => report.blind = blind,
            Err(error) => {
                ui.warn(&format!("which detections lack fields of events could not be found out: {error}"))
            }
        }
        report.detections = self.pack.select(select).into_iter().map(|d| d.meta.clone()).collect();
        report.inputs = self.report_inputs();
        report.settings = self.in_force.settings.clone();
        build::build(&mut report, analysis, found, extra);
        self.unmatched(&report).iter().for_each(|warning| ui.warn(warning));
        Ok(Found { report, engine })
    }

    /// Exceptions of the configuration whose subject or organisation is nowhere in this run.
    fn unmatched(&self, report: &Report) -> Vec<String> {
        let known = self.lake.orgs();
        let mut warnings = Vec::new();
        for approval in report.approved.iter().filter(|a| a.holds && a.covers + a.passes == 0) {
            let approval = &approval.approval;
            let (detection, subject) = (&approval.detection, &approval.subject);
            if let Some(org) = approval.org.as_ref().filter(|org| !known.contains(org)) {
                warnings.push(format!(
                    "the configuration's [[exception]] for {detection} names the organisation \"{org}\", which is not here: it covers nothing"
                ));
                continue;
            }
            // An exception for an organisation that this run leaves out says nothing about its subject.
            if approval.org.as_ref().is_some_and(|org| !self.orgs.contains(org)) {
                continue;
            }
            let token = |t: &TokenReport| {
                let token = &t.token;
                approval.names(&token.token_id, token.name.as_deref())
                    || token.owner.as_deref().is_some_and(|owner| approval.names(owner, None))
            };
            let finding = |f: &Finding| approval.names(&f.subject.id, f.subject.name.as_deref());
            if !report.tokens.iter().any(token) && !report.findings.iter().any(finding) {
                warnings.push(format!(
                    "the configuration's [[exception]] for {detection} names \"{subject}\", which is no token, owner or subject of a finding here: it covers nothing"
                ));
            }
        }
        warnings
    }

    /// What another process needs to see of the lake what this one sees.
    fn job(&self) -> Job {
        Job {
            lake: self.lake.root().to_owned(),
            orgs: self.orgs.clone(),
            as_of: format_time(self.window.as_of),
            window: format!("{}d", self.window.days),
            geo: self.geo_files.clone(),
            networks: self.config.networks.clone(),
            policy: self.policy.clone(),
        }
    }

    /// An engine with every table that a detection may read.
    pub(super) fn whole_engine(&self, ui: &Ui) -> Result<Engine, CliError> {
        Ok(self.analyse(Depth::Verdicts, ui)?.1)
    }

    /// An engine for one query: only what its tables need is worked out. With the detections that did not run, where the
    /// query reads findings.
    pub(super) fn engine_for(&self, sql: &str, ui: &Ui) -> Result<(Engine, Vec<NotRun>), CliError> {
        let counted =
            engine::check::inspect(sql).is_ok_and(|(_, tables, _)| tables.contains(engine::pack::FINDINGS));
        if counted {
            let found = self.find(&[], ui)?;
            return Ok((found.engine, found.report.not_run));
        }
        // What a table does not tell of its making asks for everything.
        let depth = engine::check::inspect(sql).map_or(Depth::Verdicts, |(_, tables, _)| {
            let beside = |told: &[&str]| tables.iter().any(|t| !told.contains(&t.as_str()));
            let whose = [&DAY_TABLES[..], &UNJUDGED].concat();
            if beside(&[whose.as_slice(), &PEOPLE].concat()) {
                Depth::Verdicts
            } else if beside(&whose) || self.lake.orgs().len() > 1 {
                Depth::Attribution
            } else {
                Depth::Credentials
            }
        });
        Ok((self.analyse(depth, ui)?.1, Vec::new()))
    }

    /// The tokens as they stand, for commands that need no findings.
    pub(super) fn tokens(&self, ui: &Ui) -> Result<Vec<Token>, CliError> {
        Ok(self.analyse(Depth::Verdicts, ui)?.0.tokens.into_iter().map(|judged| judged.token).collect())
    }

    /// Decisions of the lake and exceptions of the configuration; which of them exist yet, the report decides.
    fn decided(&self) -> Result<Decided, CliError> {
        let grace_days = Day::try_from(self.config.review.grace_days).unwrap_or(Day::MAX);
        let review = &self.config.review;
        let mut decided = Decided {
            approvals: self.config.approvals(),
            grace_days,
            keep_days: review.keep_days.and_then(|days| Day::try_from(days).ok()),
            period: review.period.as_deref().and_then(Period::parse),
            ..Decided::default()
        };
        for org in &self.orgs {
            decided.decisions.extend(self.lake.decisions(org)?);
        }
        decided.decisions.extend_from_slice(&self.decided.decisions);
        Ok(decided)
    }

    fn config_hash(&self) -> String {
        sha256(&serde_json::to_vec(&self.config).unwrap_or_default())
    }

    /// Inventories, users, usage records and days, as they stood at the run's instant.
    fn inputs(&self) -> Result<Inputs<'_>, CliError> {
        let orgs = self.lake.orgs();
        let mut inputs = Inputs { orgs: orgs.clone(), judged: self.orgs.clone(), ..Inputs::default() };
        inputs.scopes = self.lake.index.orgs.iter().map(|o| (o.scope_id.clone(), o.name.clone())).collect();
        for org in &orgs {
            let mut users: Vec<(Option<Micros>, UserRow)> = Vec::new();
            let mut all_users = false;
            for snapshot in self.lake.snapshots(SnapshotKind::Users, org, self.window.as_of) {
                all_users |= snapshot.complete;
                // A list without a date says nothing against an event, whichever came first.
                let taken = self.is_dated(snapshot).then_some(snapshot.taken);
                users.extend(self.lake.users(snapshot)?.into_iter().map(|row| (taken, row)));
            }
            if let Some(mut inventory) = self.inventory(org)? {
                if all_users {
                    inventory.measure(&users.iter().map(|(_, user)| user).collect::<Vec<_>>());
                }
                inputs.inventories.insert(org.clone(), inventory);
            }
            inputs.users.insert(org.clone(), users);
            let (mut spans, mut rows): (Vec<Span>, Vec<UsageRow>) = (Vec::new(), Vec::new());
            for snapshot in self.lake.snapshots(SnapshotKind::Usage, org, self.window.as_of) {
                let listed = self.lake.usage(snapshot)?;
                // Records without a declared span show calls; that none is missing, nobody says.
                spans.extend(snapshot.span);
                rows.extend(listed);
            }
            if !rows.is_empty() || !spans.is_empty() {
                inputs.usage.insert(org.clone(), (spans, rows));
            }
            inputs.held.insert(org.clone(), self.held(org));
        }
        Ok(inputs)
    }

    /// Whether it is known when a list was taken. An index of an earlier version does not say it: there, a list without
    /// a date has the time of the newest event of its organisation.
    fn is_dated(&self, list: &index::Snapshot) -> bool {
        let of_event = || self.lake.index.days.iter().any(|d| d.org == list.org && d.last_time == list.taken);
        !list.undated && !of_event()
    }

    /// The lists of PATs that count at the run's instant; none where there is no list.
    fn inventory(&self, org: &str) -> Result<Option<Inventory>, CliError> {
        let snapshots = self.lake.snapshots(SnapshotKind::Inventory, org, self.window.as_of);
        if snapshots.is_empty() {
            return Ok(None);
        }
        let replaces = |s: &&index::Snapshot| s.complete && self.is_dated(s);
        // The complete list before the newest one shows which tokens are missing since; older ones say nothing more.
        let newest = counts_from(snapshots.iter().map(|s| (s.taken, replaces(s)))).unwrap_or(Micros::MIN);
        let earlier = snapshots.iter().filter(|s| s.taken < newest).map(|s| (s.taken, replaces(s)));
        let from = counts_from(earlier).unwrap_or(Micros::MIN);
        let read = |snapshot: &index::Snapshot| -> Result<List, CliError> {
            Ok(List {
                taken: snapshot.taken,
                dated: self.is_dated(snapshot),
                complete: snapshot.complete,
                complete_for: snapshot.complete_for.clone(),
                rows: self.lake.inventory(snapshot)?,
                users_listed: snapshot.users_listed,
                users_failed: snapshot.users_failed,
            })
        };
        let lists = snapshots.into_iter().filter(|s| s.taken >= from).map(read);
        Ok(Some(Inventory::of(lists.collect::<Result<_, _>>()?)))
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
        let lost = self.lake.index.lost.iter().filter(|l| l.org == org).map(|l| l.span).collect();
        Held { org: "", days, covers, lost, switches: Vec::new() }
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
                masked: i.masked.clone(),
            })
            .collect();
        for pruned in self.lake.index.runs.iter().filter_map(|run| run.pruned.as_ref()) {
            let before = crate::model::time::day_text(pruned.before);
            inputs.extend(pruned.orgs.iter().map(|org| Input {
                name: format!("lake prune ({})", org.org),
                kind: format!("prune before {before}"),
                reasons:
                    [("days deleted".to_owned(), org.days), ("events deleted".to_owned(), org.events)].into(),
                ..Input::default()
            }));
        }
        inputs.extend(self.geo.iter().map(|database| Input {
            name: database.name.clone(),
            sha256: database.sha256.clone(),
            kind: "places".to_owned(),
            ..Input::default()
        }));
        inputs.extend_from_slice(&self.decided.inputs);
        // Names of files are texts that people wrote, and an older lake has them as they were.
        inputs.iter_mut().for_each(|input| input.name = covered(&input.name).into_owned());
        inputs.sort();
        inputs
    }
}

/// Opens the databases of places; a relative path of the configuration starts where the command runs.
fn databases(files: &[PathBuf]) -> Result<Vec<Database>, CliError> {
    let open = |path: &PathBuf| {
        Database::open(path).map_err(|error| {
            CliError::new(error.to_string()).hint(
                "--geo and the key geo take files such as GeoLite2-Country.mmdb or GeoLite2-ASN.mmdb, as their maker hands them out, unpacked",
            )
        })
    };
    files.iter().map(open).collect()
}

/// The compiled-in pack with the user's folders.
pub(super) fn load_pack(folders: &[PathBuf]) -> Result<Pack, CliError> {
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

fn populations(inputs: &Inputs<'_>, orgs: &[String]) -> Vec<Population> {
    orgs.iter()
        .map(|org| match inputs.inventories.get(org) {
            Some(inventory) => Population {
                org: org.clone(),
                inventory_taken: Some(format_time(inventory.taken())),
                complete: inventory.is_complete(),
                users_listed: inventory.users_listed,
                users_failed: inventory.users_failed,
                tokens: inventory.rows().len() as u64,
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
