//! What a pull shows while it runs: a bar with days, events, pages and waiting time on a terminal, plain lines
//! elsewhere, nothing with `--quiet`.

use crate::cli::ui::Ui;
use crate::model::noun::counted;
use crate::model::time::day_text;
use crate::source::azure_devops::error::Purpose;
use crate::source::azure_devops::progress::{Progress, ProgressEvent, WaitReason};
use indicatif::{ProgressBar, ProgressStyle};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Waits from this length on are told without `--verbose`.
const LONG_WAIT: Duration = Duration::from_secs(30);

/// Takes progress and shows it.
pub(super) struct Shown {
    ui: Ui,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bar: Option<ProgressBar>,
    /// What the bar counts, so that another count gets another bar.
    counts: Option<Purpose>,
    days: usize,
    days_done: usize,
    events: u64,
    pages: u64,
    answers: u64,
    bytes: u64,
    waited: Duration,
}

impl Shown {
    pub(super) fn new(ui: &Ui) -> Self {
        Self { ui: ui.clone(), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the bar away, before lines are written.
    pub(super) fn clear(&self) {
        let mut state = self.state();
        state.counts = None;
        if let Some(bar) = state.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// What went over the wire since the last time this was asked.
    pub(super) fn traffic(&self) -> String {
        let mut state = self.state();
        let text = format!(
            "{}, {:.1} MB, waited {}",
            counted(state.answers, "answer"),
            megabytes(state.bytes),
            seconds(state.waited)
        );
        (state.answers, state.bytes, state.waited) = (0, 0, Duration::ZERO);
        text
    }

    /// Warns without tearing the bar.
    pub(super) fn warn(&self, text: &str) {
        let bar = self.state().bar.clone();
        aside(bar.as_ref(), || self.ui.warn(text));
    }
}

/// Runs `say` with the bar out of the way.
fn aside(bar: Option<&ProgressBar>, say: impl FnOnce()) {
    match bar {
        Some(bar) => bar.suspend(say),
        None => say(),
    }
}

impl State {
    /// The bar for what is being read now.
    fn bar(&mut self, ui: &Ui, counts: Purpose, org: &str, total: u64) -> &ProgressBar {
        if self.counts != Some(counts)
            && let Some(old) = self.bar.take()
        {
            old.finish_and_clear();
        }
        self.counts = Some(counts);
        self.bar.get_or_insert_with(|| {
            let bar = ui.bar(total, org, false);
            let unit = if counts == Purpose::Audit { "days" } else { "users" };
            let template = format!("{{msg:.dim}} {{bar:24}} {{pos}}/{{len}} {unit} {{elapsed}} {{prefix}}");
            if let Ok(style) = ProgressStyle::with_template(&template) {
                bar.set_style(style);
            }
            if !bar.is_hidden() {
                bar.enable_steady_tick(Duration::from_secs(1));
            }
            bar
        })
    }

    fn note(&self, waiting: &str) {
        if let Some(bar) = &self.bar {
            bar.set_prefix(format!("{}{waiting}", self.text()));
        }
    }

    fn text(&self) -> String {
        format!(
            "{}, {}, waited {}",
            counted(self.events, "event"),
            counted(self.pages, "page"),
            seconds(self.waited)
        )
    }
}

impl Progress for Shown {
    fn event(&self, event: ProgressEvent<'_>) {
        let mut state = self.state();
        match event {
            ProgressEvent::DaysPlanned { org, days } => {
                (state.days, state.days_done, state.events, state.pages) = (days, 0, 0, 0);
                if days > 0 {
                    state.bar(&self.ui, Purpose::Audit, org, days as u64);
                }
            }
            ProgressEvent::Page { purpose, rows, bytes, .. } => {
                state.answers += 1;
                state.bytes += bytes;
                if purpose == Purpose::Audit {
                    state.events += rows;
                    state.pages += 1;
                }
                state.note("");
            }
            ProgressEvent::DayDone { org, day } => {
                state.days_done += 1;
                let done = state.days_done as u64;
                let line = format!(
                    "{org}: {} read ({}/{}, {})",
                    day_text(day),
                    state.days_done,
                    counted(state.days, "day"),
                    state.text()
                );
                match &state.bar {
                    Some(bar) if !bar.is_hidden() => bar.set_position(done),
                    _ => self.ui.info(&line),
                }
            }
            ProgressEvent::DayFailed { org, day, why } => {
                aside(state.bar.as_ref(), || self.ui.warn(&format!("{org}: {}: {why}", day_text(day))));
            }
            ProgressEvent::Waiting { host, why, time } => {
                state.waited += time;
                let why = match why {
                    WaitReason::Asked => "the service asks for it",
                    WaitReason::Throttled => "throttled",
                    WaitReason::ServerError => "the service failed",
                    WaitReason::Connection => "the connection or the answer broke",
                };
                state.note(&format!(", waiting {} ({why})", seconds(time)));
                let line = format!("waiting {} for {host}: {why}", seconds(time));
                // A long silence must not look like a fault.
                let long = time >= LONG_WAIT;
                aside(state.bar.as_ref(), || if long { self.ui.info(&line) } else { self.ui.detail(&line) });
            }
            ProgressEvent::User { org, purpose, done, total } => {
                state.bar(&self.ui, purpose, org, total).set_position(done);
                let what = if purpose == Purpose::Usage { "usage records" } else { "tokens" };
                let line = format!("{org}: {what} of {done} of {}", counted(total, "user"));
                aside(state.bar.as_ref(), || self.ui.detail(&line));
            }
            ProgressEvent::Warning { text } => aside(state.bar.as_ref(), || self.ui.warn(text)),
        }
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn megabytes(bytes: u64) -> f64 {
    #[allow(clippy::cast_precision_loss)]
    let bytes = bytes as f64;
    bytes / 1e6
}
