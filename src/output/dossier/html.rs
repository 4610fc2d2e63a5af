//! A dossier as one HTML file: no script, no outside request, every text escaped by the template.

use super::Dossier;
use crate::model::time::format_time;
use crate::output::terminal::clean;
use crate::output::{Format, Result, Style, words};
use minijinja::{Environment, UndefinedBehavior, context};
use std::io;

const TEMPLATE: &str = include_str!("../templates/dossier.html");

/// `--format html`.
#[derive(Debug)]
pub struct Html;

impl<'a> Format<Dossier<'a>> for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn extension(&self) -> &'static str {
        "html"
    }

    fn write(&self, dossier: &Dossier<'a>, _: Style, to: &mut dyn io::Write) -> Result {
        let mut env = Environment::new();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.add_template("dossier.html", TEMPLATE)?;
        let cleaned = |cells: &[String]| cells.iter().map(|c| clean(c)).collect::<Vec<_>>();
        let sections: Vec<_> = dossier
            .sections()
            .iter()
            .map(|s| {
                let pairs = |list: &[(&'static str, String)]| {
                    list.iter()
                        .map(|(label, value)| vec![(*label).to_owned(), clean(value)])
                        .collect::<Vec<_>>()
                };
                context! {
                    title => s.title,
                    facts => pairs(&s.facts),
                    head => s.head.clone(),
                    rows => s.rows.iter().map(|row| cleaned(row)).collect::<Vec<_>>(),
                    sentences => cleaned(&s.sentences),
                    code => pairs(&s.code),
                }
            })
            .collect();
        let title = clean(words::token_label(dossier.token));
        let as_of = format_time(dossier.report.as_of);
        let page = env.get_template("dossier.html")?.render(context! { title, as_of, sections })?;
        writeln!(to, "{}", page.trim_end())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;

    #[test]
    fn a_hostile_name_adds_no_element() {
        let mut report = sample::report();
        let render = |report: &crate::report::Report| {
            let mut bytes = Vec::new();
            let dossier = Dossier { report, token: &report.tokens[0] };
            Html.write(&dossier, Style { width: None, ..Style::default() }, &mut bytes).expect("renders");
            String::from_utf8(bytes).expect("UTF-8")
        };
        report.tokens[0].token.name = Some("plain".into());
        let plain = render(&report);
        report.tokens[0].token.name = Some("<script>x()</script>\u{202e}\"'&".into());
        let hostile = render(&report);
        assert_eq!(plain.matches('<').count(), hostile.matches('<').count());
        assert!(!hostile.contains("<script") && !hostile.contains('\u{202e}'));
        assert!(!hostile.contains("http://") && !hostile.contains("https://"));
    }
}
