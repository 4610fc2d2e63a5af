//! Findings as JUnit, for pipelines: a suite a family, a case a detection and subject.
//!
//! A detection without a hit is a passing case, one that did not run a skipped one, a hit that a reviewer's
//! decision covers a skipped one that says so. Findings below medium, or below `--severity` where it is given, are counted in
//! a skipped case of their detection. No times: a run repeats byte for byte.

use super::subject;
use crate::model::finding::{DetectionMeta, Family, Finding, Severity};
use crate::model::time::format_time;
use crate::output::{Format, Result, Style, words};
use crate::report::Report;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::io;

/// `--format junit`.
#[derive(Debug)]
pub struct Junit;

impl Format<Report> for Junit {
    fn name(&self) -> &'static str {
        "junit"
    }

    fn extension(&self) -> &'static str {
        "xml"
    }

    fn write(&self, report: &Report, _: Style, to: &mut dyn io::Write) -> Result {
        let mut total = Counts::default();
        let mut suites = String::new();
        for family in Family::ALL {
            let (body, counts) = suite(report, *family);
            if counts.tests == 0 {
                continue;
            }
            let _ =
                writeln!(suites, "  <testsuite name=\"patwatch.{family}\" {counts}>\n{body}  </testsuite>");
            total.add(&counts);
        }
        let (body, counts) = strangers(report);
        if counts.tests > 0 {
            let _ = writeln!(suites, "  <testsuite name=\"patwatch.pack\" {counts}>\n{body}  </testsuite>");
            total.add(&counts);
        }
        writeln!(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        writeln!(to, "<testsuites name=\"patwatch\" {total}>\n{suites}</testsuites>")?;
        Ok(())
    }
}

#[derive(Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.tests += other.tests;
        self.failures += other.failures;
        self.errors += other.errors;
        self.skipped += other.skipped;
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { tests, failures, errors, skipped } = self;
        write!(f, "tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"")
    }
}

/// Least severity of a failing test where the user asks for none: a red pipeline should mean that somebody has to look.
const LEAST: Severity = Severity::Medium;

fn suite(report: &Report, family: Family) -> (String, Counts) {
    let (mut out, mut counts) = (String::new(), Counts::default());
    let least = report.settings.least_severity.unwrap_or(LEAST);
    let mut below: BTreeMap<&str, u64> =
        report.settings.below.iter().map(|(id, n)| (id.as_str(), *n)).collect();
    for f in report.findings.iter().filter(|f| f.severity < least) {
        *below.entry(&f.detection).or_default() += 1;
    }
    for d in report.detections.iter().filter(|d| d.family == family) {
        let not_run = report.not_run.iter().find(|n| n.detection == d.id);
        let hit = report.findings.iter().any(|f| f.detection == d.id);
        if let Some(n) = not_run {
            let tag = if n.failed { "error" } else { "skipped" };
            counts.tests += 1;
            if n.failed {
                counts.errors += 1
            } else {
                counts.skipped += 1
            }
            let _ = writeln!(
                out,
                "    <testcase {}><{tag} message=\"{}\"/></testcase>",
                name(d, &d.title),
                xml(&n.reason)
            );
        } else if !hit && report.blind.iter().any(|b| b.detection == d.id) {
            // A test that could not fail has not passed.
            counts.tests += 1;
            counts.skipped += 1;
            let blind = report.blind.iter().filter(|b| b.detection == d.id);
            let why: Vec<String> = blind.map(words::blind).collect();
            let _ = writeln!(
                out,
                "    <testcase {}><skipped message=\"{}\"/></testcase>",
                name(d, &d.title),
                xml(&why.join(" "))
            );
        } else if let Some(n) = below.get(d.id.as_str()) {
            counts.tests += 1;
            counts.skipped += 1;
            let s = if *n == 1 { " is" } else { "s are" };
            let why = format!("{n} finding{s} below severity {least}; --severity info lists all");
            let name = name(d, &format!("{} (below {least})", d.title));
            let _ = writeln!(out, "    <testcase {name}><skipped message=\"{}\"/></testcase>", xml(&why));
        } else if !hit {
            counts.tests += 1;
            let _ = writeln!(out, "    <testcase {}/>", name(d, &d.title));
        }
    }
    let keyed: HashSet<&str> =
        report.detections.iter().filter(|d| !d.keys.is_empty()).map(|d| d.id.as_str()).collect();
    for f in report.findings.iter().filter(|f| f.family == family && f.severity >= least) {
        counts.tests += 1;
        let (tag, message) = match &f.suppressed {
            None => {
                counts.failures += 1;
                ("failure", f.message.clone())
            }
            Some(s) => {
                counts.skipped += 1;
                ("skipped", format!("decision {} by {}: {}", s.decision, s.who(), f.message))
            }
        };
        let kind = if tag == "failure" { format!(" type=\"{}\"", f.severity) } else { String::new() };
        let _ = writeln!(
            out,
            "    <testcase classname=\"{}\" name=\"{}\"><{tag} message=\"{}\"{kind}>{}</{tag}></testcase>",
            xml(&format!("patwatch.{}.{}", f.family, f.slug)),
            xml(&case(f, keyed.contains(f.detection.as_str()))),
            xml(&message),
            xml(&details(f)),
        );
    }
    (out, counts)
}

/// The name of a finding's test: detection, subject and organisation; with its fingerprint where a detection may say several
/// things of one subject. It is the same in every run, so that pipelines recognise it.
fn case(f: &Finding, keyed: bool) -> String {
    let (name, id) = (subject(f), &f.subject.id);
    let id = if name == id { String::new() } else { format!(" ({id})") };
    let print = f.fingerprint.get(..12).unwrap_or(&f.fingerprint);
    let print = if keyed { format!(", {print}") } else { String::new() };
    format!("{}: {name}{id} in {}{print}", f.detection, f.org)
}

/// Detections that did not run and are so broken that they have no family.
fn strangers(report: &Report) -> (String, Counts) {
    let (mut out, mut counts) = (String::new(), Counts::default());
    for n in &report.not_run {
        if report.detections.iter().any(|d| d.id == n.detection) {
            continue;
        }
        let tag = if n.failed { "error" } else { "skipped" };
        counts.tests += 1;
        if n.failed {
            counts.errors += 1
        } else {
            counts.skipped += 1
        }
        let (name, reason) = (xml(&n.detection), xml(&n.reason));
        let _ = writeln!(
            out,
            "    <testcase classname=\"patwatch.pack\" name=\"{name}\"><{tag} message=\"{reason}\"/></testcase>"
        );
    }
    (out, counts)
}

fn name(d: &DetectionMeta, title: &str) -> String {
    let class = xml(&format!("patwatch.{}.{}", d.family, d.slug));
    format!("classname=\"{class}\" name=\"{}\"", xml(&format!("{}: {title}", d.id)))
}

fn details(f: &Finding) -> String {
    let time = |t: Option<i64>| t.map_or_else(|| "unknown".to_owned(), format_time);
    format!(
        "severity {}, confidence {}\norganisation {}\n{} {}\nowner {}\nfrom {} to {}, {} event(s)\nfix: {}\nfingerprint {}",
        f.severity,
        f.confidence,
        f.org,
        f.subject.kind,
        f.subject.id,
        f.owner.as_deref().unwrap_or("unknown"),
        time(f.first_time),
        time(f.last_time),
        f.count,
        f.fix,
        f.fingerprint
    )
}

/// Returns `text` as XML 1.0 text or attribute; what XML cannot hold is written out.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' => out.push_str("&#10;"),
            // Two of them begin a command to an agent of pipelines, which reads along.
            '#' => out.push_str("&#35;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if super::super::terminal::is_deceptive(c) => {
                let _ = write!(out, "{}", c.escape_unicode());
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_add_up() {
        let report = crate::output::sample::report();
        let text =
            String::from_utf8(crate::output::to_bytes(&Junit, &report).expect("renders")).expect("UTF-8");
        let cases = text.matches("<testcase ").count();
        assert!(text.contains(&format!("<testsuites name=\"patwatch\" tests=\"{cases}\"")), "{text}");
        let open = report.findings.iter().filter(|f| f.suppressed.is_none() && f.severity >= LEAST).count();
        assert_eq!(text.matches("<failure ").count(), open);
        assert_eq!(text.matches("<error ").count(), report.not_run.iter().filter(|n| n.failed).count());
    }

    fn written(report: &Report) -> String {
        String::from_utf8(crate::output::to_bytes(&Junit, report).expect("renders")).expect("UTF-8")
    }

    #[test]
    fn every_test_has_a_name_of_its_own() {
        let mut report = crate::output::sample::report();
        let mut one = report.findings.iter().find(|f| f.severity >= LEAST).expect("one").clone();
        // Another token with the same name, and another finding on the same token under a key.
        one.fingerprint = "b".repeat(32);
        one.subject.id = "another".to_owned();
        let mut keyed = one.clone();
        keyed.fingerprint = "c".repeat(32);
        for d in report.detections.iter_mut().filter(|d| d.id == one.detection) {
            d.keys = vec!["scope".to_owned()];
        }
        report.findings.extend([one, keyed]);
        let text = written(&report);
        let names: Vec<&str> = text
            .lines()
            .filter_map(|l| l.trim().strip_prefix("<testcase ")?.split_once('>'))
            .map(|(n, _)| n)
            .collect();
        let unique: HashSet<&&str> = names.iter().collect();
        assert_eq!(unique.len(), names.len(), "{text}");
    }

    #[test]
    fn lesser_findings_fail_no_test_unless_asked_for() {
        let mut report = crate::output::sample::report();
        report.findings.iter_mut().for_each(|f| f.severity = Severity::Low);
        let text = written(&report);
        assert!(!text.contains("<failure ") && text.contains("below severity medium"), "{text}");
        report.show_from(Severity::Low);
        assert!(written(&report).contains("<failure "));
        report.show_from(Severity::High);
        let text = written(&report);
        assert!(!text.contains("<failure ") && text.contains("below severity high"), "{text}");
    }

    proptest! {
        #[test]
        fn xml_text_is_xml(text in any::<String>()) {
            let out = xml(&text);
            prop_assert!(!out.contains(['<', '>', '"', '\'']));
            prop_assert!(!out.chars().any(|c| c.is_control()));
        }
    }
}
