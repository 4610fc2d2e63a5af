//! Findings as JUnit, for pipelines: a suite a family, a case a detection and subject.
//!
//! A detection without a hit is a passing case, one that did not run a skipped one, a hit that a reviewer's
//! decision covers a skipped one that says so. No times: a run repeats byte for byte.

use super::subject;
use crate::model::finding::{DetectionMeta, Family, Finding};
use crate::model::time::format_time;
use crate::output::{Format, Result, Style};
use crate::report::Report;
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

fn suite(report: &Report, family: Family) -> (String, Counts) {
    let (mut out, mut counts) = (String::new(), Counts::default());
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
        } else if !hit {
            counts.tests += 1;
            let _ = writeln!(out, "    <testcase {}/>", name(d, &d.title));
        }
    }
    for f in report.findings.iter().filter(|f| f.family == family) {
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
            xml(&format!("{}: {} in {}", f.detection, subject(f), f.org)),
            xml(&message),
            xml(&details(f)),
        );
    }
    (out, counts)
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
        let open = report.findings.iter().filter(|f| f.suppressed.is_none()).count();
        assert_eq!(text.matches("<failure ").count(), open);
        assert_eq!(text.matches("<error ").count(), report.not_run.iter().filter(|n| n.failed).count());
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
