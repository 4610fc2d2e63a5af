//! `index.html`: the whole report in one file, with no outside request, under a strict content security policy.
//!
//! In: a report, charts as SVG text, the run's facts. Out: HTML. What must be read first is written into the
//! page; the long tables come as JSON in a script block of type `application/json`, and the page's own script
//! builds them with `textContent` alone. Text from the log reaches the page by these two ways only.

mod charts;
mod cycle;
mod data;
mod first;
mod front;

use super::bundle::ChartFile;
use super::manifest::RunFacts;
use super::terminal::{is_deceptive, written_out};
use super::{Result, words};
use crate::report::Report;
use base64::Engine as _;
use minijinja::{Environment, UndefinedBehavior, Value as Page};
use serde::Serialize;
use serde_json::ser::Formatter;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io;

const HTML: &str = include_str!("../templates/page.html");
const STYLE: &str = include_str!("../templates/page.css");
const SCRIPT: &str = include_str!("../templates/page.js");

/// Stands where the data belongs. Text from the log cannot hold it, since every `<` of it is escaped.
const DATA: &str = "<data>";

/// Writes the page.
///
/// # Errors
/// Those of the template and of the writer.
pub fn write(report: &Report, charts: &[ChartFile], facts: &RunFacts, to: &mut dyn io::Write) -> Result {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.add_filter("grouped", words::grouped);
    env.add_template("page.html", HTML)?;
    let mut context = front::front(report);
    context["command"] = facts.command_line.join(" ").into();
    cleaned(&mut context);
    let more = json!({
        "policy_header": policy_header(),
        "style": STYLE,
        "script": SCRIPT,
        "data": DATA,
        "charts": charts.iter().map(charts::chart).collect::<Vec<_>>(),
    });
    if let (Value::Object(context), Value::Object(more)) = (&mut context, more) {
        context.extend(more);
    }
    let page = env.get_template("page.html")?.render(to_page(&context))?;
    // The data is most of the page, so it is written as it is made.
    let (before, after) = page.split_once(DATA).unwrap_or((&page, ""));
    to.write_all(before.as_bytes())?;
    embed(&data::data(report), to)?;
    to.write_all(after.as_bytes())?;
    if !page.ends_with('\n') {
        to.write_all(b"\n")?;
    }
    Ok(())
}

/// Returns the content security policy: nothing but this page's own style and script, by their hashes.
fn policy_header() -> String {
    let hash = |text: &str| {
        let digest = Sha256::digest(text.as_bytes());
        format!("'sha256-{}'", base64::engine::general_purpose::STANDARD.encode(digest))
    };
    format!(
        "default-src 'none'; script-src {}; style-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
}

/// Writes JSON that can stand inside a script element: no character of it ends the element or starts markup.
///
/// # Errors
/// Those of JSON and of the writer.
fn embed(value: &impl Serialize, to: &mut dyn io::Write) -> Result {
    value.serialize(&mut serde_json::Serializer::with_formatter(to, Inert))?;
    Ok(())
}

/// Writes those characters of a text as escapes that mean something to HTML or act without being seen; outside of texts
/// JSON has none of them.
struct Inert;

impl Formatter for Inert {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, to: &mut W, text: &str) -> io::Result<()> {
        // Most texts are plain ASCII, and to see that takes no look at each character.
        let escaped = |c: char| matches!(c, '<' | '>' | '&') || c >= '\u{7f}' && is_deceptive(c);
        let mut rest = text;
        while let Some(at) = rest.find(escaped) {
            let (before, from) = rest.split_at(at);
            to.write_all(before.as_bytes())?;
            let mut chars = from.chars();
            for unit in chars.next().unwrap_or_default().encode_utf16(&mut [0; 2]) {
                write!(to, "\\u{unit:04x}")?;
            }
            rest = chars.as_str();
        }
        to.write_all(rest.as_bytes())
    }
}

/// Returns a value for the template; minijinja escapes every text of it.
fn to_page(value: &Value) -> Page {
    match value {
        Value::Null => Page::from(()),
        Value::Bool(b) => Page::from(*b),
        Value::Number(n) => {
            n.as_i64().map(Page::from).or_else(|| n.as_f64().map(Page::from)).unwrap_or_default()
        }
        Value::String(text) => Page::from(text.as_str()),
        Value::Array(items) => Page::from(items.iter().map(to_page).collect::<Vec<_>>()),
        Value::Object(fields) => {
            Page::from(fields.iter().map(|(k, v)| (k.clone(), to_page(v))).collect::<BTreeMap<_, _>>())
        }
    }
}

/// Writes out what acts without being seen, in every text of `value`.
fn cleaned(value: &mut Value) {
    match value {
        Value::String(text) => {
            *text = written_out(text, is_deceptive).into_owned();
        }
        Value::Array(items) => items.iter_mut().for_each(cleaned),
        Value::Object(fields) => fields.values_mut().for_each(cleaned),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;
    use proptest::prelude::*;

    fn render(report: &Report, charts: &[ChartFile]) -> String {
        let mut page = Vec::new();
        write(report, charts, &RunFacts::default(), &mut page).expect("renders");
        String::from_utf8(page).expect("UTF-8")
    }

    fn page() -> String {
        render(&sample::report(), &sample::charts())
    }

    #[test]
    fn asks_nothing_from_outside_and_runs_nothing_but_its_own() {
        let page = page();
        assert_eq!(page.matches("<script").count(), 2, "the data and the script");
        assert_eq!(page.matches("<style>").count(), 1);
        for outside in ["src=\"http", "href=\"http", "@import", "<link", "<iframe", " style=\"", "onclick="] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("default-src &#x27;none&#x27;") || page.contains("default-src 'none'"));
        assert!(!page.contains("<img src=x") && !page.contains("<b>mallory"));
    }

    #[test]
    fn the_script_writes_out_what_every_other_output_writes_out() {
        let line = SCRIPT.lines().map(str::trim).find(|l| l.starts_with("/[\\p{Cc}")).expect("the class");
        let class = line.trim_start_matches("/[\\p{Cc}").trim_end_matches("]/gu;");
        let point = |text: &str| {
            let digits = text.trim_start_matches("\\u{").trim_end_matches('}');
            u32::from_str_radix(digits, 16).expect("a code point")
        };
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for piece in class.replace("}\\u{", "} \\u{").split(' ') {
            let (from, to) = piece.split_once('-').unwrap_or((piece, piece));
            ranges.push((point(from), point(to)));
        }
        for c in '\0'..=char::MAX {
            let n = u32::from(c);
            let in_script = c.is_control() || ranges.iter().any(|(from, to)| (*from..=*to).contains(&n));
            assert_eq!(in_script, is_deceptive(c), "{n:x}");
        }
    }

    #[test]
    fn great_numbers_are_grouped() {
        let mut report = sample::report();
        let one = report.findings.iter().find(|f| f.suppressed.is_none()).expect("an open finding").clone();
        let more = 40_000 - words::open_findings(&report, one.severity);
        report.findings.extend(std::iter::repeat_n(one, more));
        assert!(render(&report, &[]).contains("<dd>40,000</dd>"));
    }

    #[test]
    fn the_hashes_are_those_of_what_stands_in_the_page() {
        let page = page();
        let between = |open: &str, close: &str| {
            let start = page.find(open).expect("open") + open.len();
            &page[start..start + page[start..].find(close).expect("close")]
        };
        for text in [between("<style>", "</style>"), between("<script>", "</script>")] {
            let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
            let escaped = digest.replace('/', "&#x2f;");
            assert!(page.contains(&digest) || page.contains(&escaped), "{digest}");
        }
    }

    #[test]
    fn charts_that_could_act_become_images() {
        let charts = sample::charts();
        assert!(charts::inline_svg(&charts[0].svg).is_some());
        assert!(charts::inline_svg(&charts[1].svg).is_none());
        for bad in [
            "<svg onload=\"x()\"></svg>",
            "<svg><a href=\"x\"></a></svg>",
            "<svg><rect/onclick=x()></svg>",
            "<svg><rect x=\">\" onload=\"x()\"/></svg>",
            "<svg><rect x='>' onload='x()'/></svg>",
            "<svg><!--><b>--></svg>",
            "<svg><text style=\"a\">x</text></svg>",
        ] {
            assert!(charts::inline_svg(bad).is_none(), "{bad}");
        }
        let italic = r#"<svg><text font-style="italic" x="1">a &gt; b</text></svg>"#;
        assert_eq!(charts::inline_svg(&format!("<?xml version=\"1.0\"?>{italic}\n")), Some(italic));
    }

    #[test]
    fn a_full_disk_is_no_defect_of_the_page() {
        struct Full(usize);
        impl io::Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
                Ok(bytes.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let size = page().len();
        for room in [0, size / 4, size / 2, size - 100] {
            let error = write(&sample::report(), &sample::charts(), &RunFacts::default(), &mut Full(room));
            let text = error.expect_err("full").to_string();
            assert!(text.contains("is the disk full") && !text.contains("defect"), "{room}: {text}");
        }
    }

    proptest! {
        #[test]
        fn embedded_json_is_inert_and_reads_back(text in any::<String>()) {
            let value = json!({ "k": text });
            let mut out = Vec::new();
            embed(&value, &mut out).expect("JSON");
            let out = String::from_utf8(out).expect("UTF-8");
            let acts = out.contains(['<', '>', '&', '\u{2028}', '\u{2029}']);
            prop_assert!(!acts);
            prop_assert_eq!(serde_json::from_str::<Value>(&out).expect("JSON"), value);
        }

    }

    proptest! {
        // Each case renders two pages.
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn any_name_leaves_the_page_with_the_same_elements(name in any::<String>()) {
            let mut report = sample::report();
            report.tokens.truncate(1);
            report.tokens[0].token.name = Some(format!("x{name}"));
            report.coverage[0].org = name.clone();
            report.not_run[0].reason = name.clone();
            let page = render(&report, &[]);
            prop_assert_eq!(page.matches("<script").count(), 2);
            prop_assert_eq!(page.matches("</script").count(), 2);
            let mut plain = report.clone();
            plain.tokens[0].token.name = Some("x".into());
            plain.coverage[0].org = "x".into();
            plain.not_run[0].reason = "x".into();
            let plain = render(&plain, &[]);
            prop_assert_eq!(page.matches('<').count(), plain.matches('<').count());
        }
    }
}
