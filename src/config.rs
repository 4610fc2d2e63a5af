//! The configuration file: thresholds, which detections run, the organisation's networks and hours, databases of places, approved exceptions.
//!
//! In: TOML text. Out: a checked [`Config`]; a fault names line and column. Everything has a default, so no
//! file is needed.

pub mod limits;

use crate::model::decision::Approval;
use crate::model::finding::Severity;
use crate::model::hours::{DAYS, is_zone, parse_minute};
use crate::model::network::Cidr;
use crate::model::policy::Policy;
use crate::model::review_period::Period;
use crate::model::secret::covered;
use crate::model::time::{Day, parse_day};
use std::collections::BTreeMap;
use toml::Spanned;

/// What the file holds, checked.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Config {
    /// Thresholds, and the hours that `[working_hours]` gives.
    pub policy: Policy,
    /// Networks that belong to the organisation, as CIDR.
    pub networks: Vec<String>,
    /// Databases of countries and ASNs, beside those of the command line. A run is known by their hashes, not by
    /// where they lie.
    #[serde(skip)]
    pub geo: Vec<String>,
    /// What queries and detections of the user may take. The same findings come out under any limits.
    #[serde(skip)]
    pub limits: limits::Limits,
    /// Review sheets with decisions, beside those of the command line. What they decide changes no threshold.
    #[serde(skip)]
    pub decisions: Vec<String>,
    /// What the review asks for.
    pub review: Review,
    /// Which detections run, and how severe their findings are.
    #[serde(skip_serializing_if = "Detections::is_empty")]
    pub detections: Detections,
    /// Findings that somebody approved.
    #[serde(rename = "exception")]
    pub exceptions: Vec<Exception>,
}

/// `[detections]`: which of them run, and how severe their findings are.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Detections {
    /// Ids, slugs or families that do not run.
    pub off: Vec<String>,
    /// Severity of all findings of a detection, by its id or slug.
    pub severity: BTreeMap<String, Severity>,
}

impl Detections {
    fn is_empty(&self) -> bool {
        self.off.is_empty() && self.severity.is_empty()
    }
}

/// `[review]`: what the access review asks for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Review {
    /// Days after which a decided revoke or reduction that the log does not show as done counts again for `--fail-on`.
    pub grace_days: i64,
    /// The days in which the review decides, such as `2026-10-01..`; decisions of other days leave a token open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
    /// Days after which a decision to keep ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_days: Option<i64>,
}

impl Default for Review {
    /// Two weeks: long enough to reach the owner, and shorter than any review period.
    fn default() -> Self {
        Self { grace_days: 14, period: None, keep_days: None }
    }
}

/// The file as it is written.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    policy: Policy,
    networks: Vec<Spanned<String>>,
    geo: Vec<Spanned<String>>,
    limits: FileLimits,
    decisions: Vec<Spanned<String>>,
    review: Review,
    detections: Detections,
    working_hours: Hours,
    #[serde(rename = "exception")]
    exceptions: Vec<Exception>,
}

/// `[working_hours]`: what counts as outside them.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Hours {
    time_zone: Option<Spanned<String>>,
    from: Option<Spanned<String>>,
    to: Option<Spanned<String>>,
    days: Option<Vec<Spanned<String>>>,
}

/// `[limits]`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileLimits {
    time: Option<Spanned<String>>,
    memory: Option<Spanned<String>>,
}

/// An approved exception.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// Detection id, slug or family.
    pub detection: String,
    /// Id or name of a token or another subject, or `*` for all; may be absent where `org` is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Organisation.
    pub org: Option<String>,
    /// Who approved it.
    pub owner: Spanned<String>,
    /// Why.
    pub reason: Spanned<String>,
    /// On which day, `YYYY-MM-DD`; without it no `anomaly` or `posture` finding is covered.
    pub approved_on: Option<Spanned<String>>,
    /// Last day on which it holds, `YYYY-MM-DD`.
    pub end_date: Spanned<String>,
}

/// A fault in the file.
#[derive(Debug, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct ConfigError {
    /// File name.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What is wrong, and the mend.
    pub message: String,
}

impl Config {
    /// Reads the text of a configuration file named `file`.
    ///
    /// # Errors
    /// When it is no TOML, holds an unknown key, or a value out of its range.
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        let at = |offset: usize, message: String| {
            let before = &text[..offset.min(text.len())];
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
            ConfigError { file: file.to_owned(), line, column, message }
        };
        let file: File =
            toml::from_str(text).map_err(|e| at(e.span().map_or(0, |s| s.start), e.message().to_owned()))?;
        let mut policy = file.policy;
        for (name, value) in [
            ("min_covered_days", policy.min_covered_days),
            ("max_lifetime_days", policy.max_lifetime_days),
            ("learning_days", policy.learning_days),
        ] {
            if !(1..=3650).contains(&value) {
                return Err(at(
                    key(text, name),
                    format!("{name} = {value} is out of range; give 1 to 3650 days"),
                ));
            }
        }
        hours(file.working_hours, &mut policy).map_err(|(offset, message)| at(offset, message))?;
        for (name, value, most) in [
            ("work_from_minute", policy.work_from_minute, 1440),
            ("work_to_minute", policy.work_to_minute, 1440),
            ("work_days", policy.work_days, 127),
        ] {
            if !(0..=most).contains(&value) {
                let message = format!("{name} = {value} is out of range; set the hours with [working_hours]");
                return Err(at(key(text, name), message));
            }
        }
        if !is_zone(&policy.time_zone) {
            return Err(at(key(text, "time_zone"), no_zone(&policy.time_zone)));
        }
        for network in &file.networks {
            if Cidr::parse(network.get_ref()).is_none() {
                let message = format!(
                    "\"{}\" is no network; write it as 203.0.113.0/24 or 2001:db8::/32",
                    network.get_ref()
                );
                return Err(at(network.span().start, message));
            }
        }
        for path in &file.geo {
            if path.get_ref().trim().is_empty() {
                let message = "geo names no file; give the path of a database in MaxMind's format".to_owned();
                return Err(at(path.span().start, message));
            }
        }
        let limits = limits::Limits {
            time: limit(file.limits.time, limits::parse_time).map_err(|(offset, why)| at(offset, why))?,
            memory: limit(file.limits.memory, limits::parse_memory)
                .map_err(|(offset, why)| at(offset, why))?,
        };
        for path in &file.decisions {
            if path.get_ref().trim().is_empty() {
                let message = "decisions names no file; give the path of a review sheet".to_owned();
                return Err(at(path.span().start, message));
            }
        }
        if !(0..=3650).contains(&file.review.grace_days) {
            let message =
                format!("grace_days = {} is out of range; give 0 to 3650 days", file.review.grace_days);
            return Err(at(key(text, "grace_days"), message));
        }
        if let Some(days) = file.review.keep_days.filter(|days| !(1..=3650).contains(days)) {
            let message = format!("keep_days = {days} is out of range; give 1 to 3650 days");
            return Err(at(key(text, "keep_days"), message));
        }
        if let Some(period) = file.review.period.as_deref().filter(|p| Period::parse(p).is_none()) {
            let message = format!(
                "invalid period \"{period}\": expected a first day and two dots, such as 2026-10-01.. or 2026-10-01..2026-12-31"
            );
            return Err(at(key(text, "period"), message));
        }
        for exception in &file.exceptions {
            exception.check().map_err(|(offset, message)| at(offset, message))?;
        }
        let networks = file.networks.into_iter().map(Spanned::into_inner).collect();
        let geo = file.geo.into_iter().map(Spanned::into_inner).collect();
        let decisions = file.decisions.into_iter().map(Spanned::into_inner).collect();
        Ok(Self {
            policy,
            networks,
            geo,
            limits,
            decisions,
            review: file.review,
            detections: file.detections,
            exceptions: file.exceptions,
        })
    }

    /// The organisation's networks.
    #[must_use]
    pub fn own_networks(&self) -> Vec<Cidr> {
        self.networks.iter().filter_map(|text| Cidr::parse(text)).collect()
    }

    /// The exceptions as the report weighs them.
    #[must_use]
    pub fn approvals(&self) -> Vec<Approval> {
        self.exceptions.iter().filter_map(Exception::approval).collect()
    }
}

type Fault = (usize, String);

fn limit<T>(text: Option<Spanned<String>>, parse: fn(&str) -> Result<T, String>) -> Result<Option<T>, Fault> {
    text.map(|text| parse(text.get_ref()).map_err(|why| (text.span().start, why))).transpose()
}

/// Where a key of the file stands: at the start of a line, so that a comment on it does not count.
fn key(text: &str, name: &str) -> usize {
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        let rest = line.trim_start().strip_prefix(name);
        if rest.is_some_and(|r| r.trim_start().starts_with('=')) {
            return offset + indent;
        }
        offset += line.len();
    }
    0
}

fn no_zone(text: &str) -> String {
    format!("\"{text}\" is no time zone; write a name of the tz database, such as Europe/Berlin, or UTC")
}

fn hours(hours: Hours, policy: &mut Policy) -> Result<(), Fault> {
    if let Some(zone) = hours.time_zone {
        if !is_zone(zone.get_ref()) {
            return Err((zone.span().start, no_zone(zone.get_ref())));
        }
        policy.time_zone = zone.into_inner();
    }
    for (text, slot) in [(&hours.from, &mut policy.work_from_minute), (&hours.to, &mut policy.work_to_minute)]
    {
        let Some(text) = text else { continue };
        *slot = parse_minute(text.get_ref()).ok_or_else(|| {
            (text.span().start, format!("\"{}\" is no time of the day; write it as 07:30", text.get_ref()))
        })?;
    }
    if policy.work_from_minute == policy.work_to_minute {
        let place = hours.to.as_ref().or(hours.from.as_ref()).map_or(0, |t| t.span().start);
        return Err((place, "working hours begin and end at the same time; for the whole day write from = \"00:00\" and to = \"24:00\"".to_owned()));
    }
    if let Some(days) = hours.days {
        policy.work_days = 0;
        for day in days {
            let Some(at) = DAYS.iter().position(|d| *d == day.get_ref().to_lowercase()) else {
                let message = format!("\"{}\" is no day; choose from {}", day.get_ref(), DAYS.join(", "));
                return Err((day.span().start, message));
            };
            policy.work_days |= 1 << at;
        }
    }
    Ok(())
}

impl Exception {
    fn check(&self) -> Result<(), Fault> {
        for (name, text) in [("owner", &self.owner), ("reason", &self.reason)] {
            if text.get_ref().trim().is_empty() {
                return Err((
                    text.span().start,
                    format!("{name} is empty; an exception needs an owner and a reason"),
                ));
            }
        }
        if self.subject.as_deref().or(self.org.as_deref()).is_none_or(|text| text.trim().is_empty()) {
            return Err((
                self.owner.span().start,
                "the exception names nothing; give a subject (a name, an id, or \"*\" for all) or an org"
                    .to_owned(),
            ));
        }
        let end = day("end_date", &self.end_date)?;
        if let Some(text) = &self.approved_on
            && day("approved_on", text)? > end
        {
            return Err((
                text.span().start,
                format!("approved_on {} lies after end_date {}", text.get_ref(), self.end_date.get_ref()),
            ));
        }
        Ok(())
    }

    /// What it is about, as written; all of the organisation where no subject is given.
    #[must_use]
    pub fn subject_or_any(&self) -> &str {
        self.subject.as_deref().unwrap_or(Approval::ANY)
    }

    /// The exception with its days read; nothing where one of them is none, which a checked file rules out.
    fn approval(&self) -> Option<Approval> {
        // Masked as the names are that it is compared with.
        let text = |text: &str| covered(text).into_owned();
        Some(Approval {
            detection: self.detection.clone(),
            subject: text(self.subject_or_any()),
            org: self.org.as_deref().map(crate::model::identity::org_name),
            owner: text(self.owner.get_ref()),
            reason: text(self.reason.get_ref()),
            approved_on: self.approved_on.as_ref().and_then(|d| parse_day(d.get_ref())),
            end_date: parse_day(self.end_date.get_ref())?,
        })
    }
}

fn day(name: &str, text: &Spanned<String>) -> Result<Day, Fault> {
    let day = (text.get_ref().len() == 10).then(|| parse_day(text.get_ref())).flatten();
    day.ok_or_else(|| {
        (text.span().start, format!("{name} = \"{}\" is no day; write it as 2026-12-31", text.get_ref()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_name_their_place() {
        let text = "[policy]\nmin_covered_days = 20\nmax_lifetime = 3\n";
        let error = Config::parse("patwatch.toml", text).unwrap_err();
        assert_eq!((error.line, error.column), (3, 1), "{error}");
        let error = Config::parse("p", "networks = [\"10.0.0.0\"]").unwrap_err();
        assert!(error.to_string().contains("is no network"), "{error}");
        let config = Config::parse("p", "[policy]\nmin_covered_days = 20\n").unwrap();
        assert_eq!(config.policy.min_covered_days, 20);
        assert_eq!(config.policy.max_lifetime_days, Policy::default().max_lifetime_days);
        let error = Config::parse("p", "# min_covered_days\n[policy]\n min_covered_days = 0\n").unwrap_err();
        assert_eq!((error.line, error.column), (3, 2), "{error}");
    }

    #[test]
    fn working_hours_are_read_and_their_faults_placed() {
        let text = "[working_hours]\ntime_zone = \"Europe/Berlin\"\nfrom = \"07:30\"\nto = \"18:00\"\ndays = [\"mon\", \"Sun\"]\n";
        let policy = Config::parse("p", text).unwrap().policy;
        assert_eq!(
            (policy.work_from_minute, policy.work_to_minute, policy.work_days),
            (450, 1080, 0b100_0001)
        );
        assert_eq!(policy.time_zone, "Europe/Berlin");
        for (from, to, line, column, word) in [
            ("Europe/Berlin", "Berlin", 2, 13, "tz database"),
            ("07:30", "7:30", 3, 8, "time of the day"),
            ("18:00", "07:30", 4, 6, "same time"),
            ("Sun", "sunday", 5, 16, "is no day"),
            ("to =", "until =", 4, 1, "unknown field"),
        ] {
            let error = Config::parse("p", &text.replace(from, to)).unwrap_err();
            assert_eq!((error.line, error.column), (line, column), "{error}");
            assert!(error.to_string().contains(word), "{error}");
        }
    }

    #[test]
    fn the_review_has_a_period_and_keeps_that_end() {
        let text = "[review]\nperiod = \"2026-10-01..\"\nkeep_days = 180\n";
        let review = Config::parse("p", text).unwrap().review;
        assert_eq!(
            (review.period.as_deref(), review.keep_days, review.grace_days),
            (Some("2026-10-01.."), Some(180), 14)
        );
        for (from, to, line, word) in [
            ("2026-10-01..", "2026-10-01", 2, "two dots"),
            ("2026-10-01..", "2026-10-01..2026-09-01", 2, "invalid period"),
            ("180", "0", 3, "out of range"),
        ] {
            let error = Config::parse("p", &text.replace(from, to)).unwrap_err();
            assert_eq!(error.line, line, "{error}");
            assert!(error.to_string().contains(word), "{error}");
        }
    }

    #[test]
    fn limits_are_read_and_their_faults_placed() {
        let text = "[limits]\ntime = \"90s\"\nmemory = \"2GB\"\n";
        let config = Config::parse("p", text).unwrap();
        assert_eq!(config.limits.time, Some(std::time::Duration::from_secs(90)));
        assert_eq!(config.limits.memory, Some(2_000_000_000));
        assert_eq!(Config::parse("p", "").unwrap().limits, limits::Limits::default());
        for (from, to, line, column, word) in [
            ("90s", "90", 2, 8, "90s"),
            ("2GB", "much", 3, 10, "4GB"),
            ("time", "seconds", 2, 1, "unknown field"),
        ] {
            let error = Config::parse("p", &text.replace(from, to)).unwrap_err();
            assert_eq!((error.line, error.column), (line, column), "{error}");
            assert!(error.to_string().contains(word), "{error}");
        }
    }

    #[test]
    fn exceptions_need_owner_reason_and_days() {
        let text = "[[exception]]\ndetection = \"PAT-H001\"\nsubject = \"x\"\nowner = \"a\"\nreason = \"b\"\napproved_on = \"2026-01-01\"\nend_date = \"2026-03-31\"\n";
        let approvals = Config::parse("p", text).unwrap().approvals();
        assert_eq!(approvals.len(), 1);
        assert_eq!(approvals[0].end_date - approvals[0].approved_on.unwrap(), 89);
        for (from, to, line, word) in [
            ("2026-03-31", "31.03.2026", 7, "is no day"),
            ("2026-03-31", "2025-03-31", 6, "lies after"),
            ("\"a\"", "\" \"", 4, "owner is empty"),
            ("reason = \"b\"\n", "", 1, "missing field"),
        ] {
            let error = Config::parse("p", &text.replace(from, to)).unwrap_err();
            assert_eq!(error.line, line, "{error}");
            assert!(error.to_string().contains(word), "{error}");
        }
    }

    #[test]
    fn detections_are_read_and_a_severity_that_is_none_is_placed() {
        let text = "[detections]\noff = [\"PAT-P015\"]\nseverity = { \"PAT-A001\" = \"low\" }\n";
        let config = Config::parse("p", text).unwrap();
        assert_eq!(config.detections.off, ["PAT-P015"]);
        assert_eq!(config.detections.severity["PAT-A001"], Severity::Low);
        let error = Config::parse("p", &text.replace("\"low\"", "\"minor\"")).unwrap_err();
        assert_eq!(error.line, 3, "{error}");
        assert!(Config::parse("p", "[detections]\non = []\n").is_err());
        let plain = serde_json::to_string(&Config::default()).unwrap();
        assert!(!plain.contains("\"detections\""), "the hash of other files stays: {plain}");
    }

    #[test]
    fn an_exception_names_a_subject_or_an_organisation() {
        let text = "[[exception]]\ndetection = \"PAT-H001\"\norg = \"Contoso\"\nowner = \"a\"\nreason = \"b\"\nend_date = \"2026-03-31\"\n";
        let approvals = Config::parse("p", text).unwrap().approvals();
        assert_eq!((approvals[0].subject.as_str(), approvals[0].org.as_deref()), ("*", Some("contoso")));
        let error = Config::parse("p", &text.replace("org = \"Contoso\"\n", "")).unwrap_err();
        assert!(error.to_string().contains("names nothing"), "{error}");
    }
}
