//! A pack is run: detections side by side, then those over the findings of others.
//!
//! In: a pack and an engine. Out: findings with their event ids, and the detections that did not run. One that fails or
//! panics is left out alone; the others still run. Detections of the user's own packs run in another process ([`Apart`]),
//! where the caller has one: they can be stopped there.

use super::apart::Apart;
use super::confirm::{self, Wanted};
use super::findings::{Names, of_rows, span_of_state, table};
use super::newest::Granted;
use super::not_run;
use super::pack::{Detection, FINDINGS, Pack};
use super::{Engine, EngineError, EngineErrorKind};
use crate::model::finding::{Finding, NotRun};
use rayon::prelude::*;
use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

/// Runs the selected detections: by id, slug or family; an empty selection runs all.
///
/// Findings come sorted by severity and confidence, worst first, then by detection, organisation, subject.
#[must_use]
pub fn run_pack(engine: &Engine, pack: &Pack, select: &[String]) -> (Vec<Finding>, Vec<NotRun>) {
    run_pack_telling(engine, pack, select, None, |_| {})
}

/// How far a run of the pack is: detections run side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// A detection begins, by its id, or the search for event ids.
    Begins(&'a str),
    /// It is done.
    Ends(&'a str),
}

/// Runs the selected detections and tells of each when it begins and ends.
///
/// Detections that read the table `findings` run last, over what those that they count found; such a one is run for
/// them where it was not selected, and its findings are not handed out.
#[must_use]
pub fn run_pack_telling(
    engine: &Engine,
    pack: &Pack,
    select: &[String],
    apart: Option<&dyn Apart>,
    mut tell: impl FnMut(Step<'_>) + Send,
) -> (Vec<Finding>, Vec<NotRun>) {
    let names = Names::read(engine);
    let (second, first): (Vec<&Detection>, Vec<&Detection>) =
        pack.select(select).into_iter().partition(|d| d.is_second());
    let handed_in = engine.has(FINDINGS);
    let counted = |d: &&Detection| !handed_in && second.iter().any(|s| s.counts.contains(&d.meta.id));
    let unasked: Vec<&Detection> =
        pack.detections.iter().filter(counted).filter(|d| !d.is_second() && !first.contains(d)).collect();
    let mut run = Run { engine, names: &names, apart, findings: Vec::new(), not_run: Vec::new() };
    run.all(&[first, unasked.clone()].concat(), &mut tell);
    if !second.is_empty() {
        let lacking = run.not_run.clone();
        let ready = if handed_in { Ok(()) } else { table(&run.findings).and_then(|t| engine.hand_on(t)) };
        match ready {
            Ok(()) => run.all(&second, &mut tell),
            Err(error) => run.not_run.extend(second.iter().map(|d| not_run::of_detection(d, &error))),
        }
        for d in &second {
            let lacked = lacking.iter().find(|n| d.counts.contains(&n.detection));
            if let Some(lacked) = lacked.filter(|_| run.not_run.iter().all(|n| n.detection != d.meta.id)) {
                run.not_run.push(not_run::without(d, lacked));
            }
        }
    }
    engine.let_go();
    let Run { mut findings, mut not_run, .. } = run;
    let unasked: BTreeSet<&str> = unasked.iter().map(|d| d.meta.id.as_str()).collect();
    findings.retain(|f| !unasked.contains(f.detection.as_str()));
    not_run.retain(|n| !unasked.contains(n.detection.as_str()));
    for finding in &mut findings {
        span_of_state(finding, engine.window());
    }
    findings.par_sort_unstable_by(|a, b| {
        (b.severity, b.confidence).cmp(&(a.severity, a.confidence)).then_with(|| {
            (&a.detection, &a.org, &a.subject, &a.fingerprint).cmp(&(
                &b.detection,
                &b.org,
                &b.subject,
                &b.fingerprint,
            ))
        })
    });
    (findings, not_run)
}

fn panicked() -> EngineError {
    EngineError::new(
        EngineErrorKind::Panic,
        "It gave up over the tables that it reads",
        "This is a fault of patwatch; `RUST_BACKTRACE=1` shows where.",
    )
}

/// A run of the pack and what it has found so far.
struct Run<'a> {
    engine: &'a Engine,
    names: &'a Names,
    apart: Option<&'a dyn Apart>,
    findings: Vec<Finding>,
    not_run: Vec<NotRun>,
}

/// What is told of as one step more.
const EVENT_IDS: &str = "event ids";

/// So many detections run side by side: one fills the stretches in which the other keeps but one thread busy. Each takes
/// memory for its own tables.
const SIDE_BY_SIDE: usize = 2;

/// What a detection found: its findings, each with the events that it wants.
type Hits = Result<Vec<(Finding, Option<Wanted>)>, EngineError>;

impl Run<'_> {
    /// Where a detection runs, if not here.
    fn apart_for(&self, detection: &Detection) -> Option<&dyn Apart> {
        self.apart.filter(|_| !detection.is_builtin())
    }

    /// Runs detections, some from the front and some from the back, where others need other tables.
    fn hits(&self, detections: &[&Detection], tell: &mut (impl FnMut(Step<'_>) + Send)) -> Vec<Hits> {
        let (own, users): (VecDeque<usize>, VecDeque<usize>) =
            (0..detections.len()).partition(|at| self.apart_for(detections[*at]).is_none());
        let left = Mutex::new(own);
        let done: Mutex<(Vec<(usize, Hits)>, _)> = Mutex::new((Vec::new(), tell));
        let one = |at: usize| {
            let detection = detections[at];
            let tell = |step| (done.lock().unwrap_or_else(PoisonError::into_inner).1)(step);
            tell(Step::Begins(&detection.meta.id));
            let rows = || match self.apart_for(detection) {
                Some(apart) => apart.run(&self.engine.asked(detection)?),
                None => self.engine.run(detection),
            };
            let run = || rows().and_then(|rows| of_rows(detection, rows, self.names));
            let hits = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(panicked()));
            tell(Step::Ends(&detection.meta.id));
            done.lock().unwrap_or_else(PoisonError::into_inner).0.push((at, hits));
        };
        let work = |from_the_back: bool| {
            loop {
                let next = {
                    let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
                    if from_the_back { left.pop_back() } else { left.pop_front() }
                };
                let Some(at) = next else { return };
                one(at);
            }
        };
        std::thread::scope(|scope| {
            // One after the other: each may take as much memory as all the others.
            if !users.is_empty() {
                scope.spawn(|| users.iter().for_each(|at| one(*at)));
            }
            for worker in 1..SIDE_BY_SIDE {
                let work = &work;
                scope.spawn(move || work(worker % 2 == 1));
            }
            work(false);
        });
        let (mut hits, _) = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        hits.sort_unstable_by_key(|(at, _)| *at);
        hits.into_iter().map(|(_, hits)| hits).collect()
    }

    /// Runs detections and gives their findings event ids.
    fn all(&mut self, detections: &[&Detection], tell: &mut (impl FnMut(Step<'_>) + Send)) {
        let mut wanted: Vec<(usize, Wanted)> = Vec::new();
        let mut told: Vec<(usize, Vec<String>)> = Vec::new();
        let mut findings: Vec<Finding> = Vec::new();
        self.engine.expect(detections.iter().copied().filter(|d| self.apart_for(d).is_none()));
        for (detection, hits) in detections.iter().zip(self.hits(detections, tell)) {
            match hits {
                Ok(hits) => {
                    for (finding, events) in hits {
                        if let Some(mut events) = events {
                            let parts = std::mem::take(&mut events.told);
                            if !parts.is_empty() {
                                told.push((findings.len(), parts));
                            }
                            wanted.push((findings.len(), events));
                        }
                        findings.push(finding);
                    }
                }
                Err(error) => self.not_run.push(not_run::of_detection(detection, &error)),
            }
        }
        tell(Step::Begins(EVENT_IDS));
        let times = confirm::times(self.engine, &findings, &wanted);
        self.engine.release();
        let confirming = !wanted.is_empty();
        let mut granted: Vec<Granted> = vec![Granted::default(); findings.len()];
        match confirm::events(self.engine, wanted) {
            Ok(events) => events.into_iter().for_each(|(at, events)| granted[at] = events),
            // The findings stand without their event ids; that the ids are missing must be said.
            Err(error) if confirming => self.not_run.push(not_run::event_ids(&error)),
            Err(_) => {}
        }
        confirm::tell(&mut findings, &told, &granted);
        confirm::list(self.engine, &mut findings, granted, times);
        tell(Step::Ends(EVENT_IDS));
        self.findings.append(&mut findings);
    }
}
