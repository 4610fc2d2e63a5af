//! The life of a token and its use on one line of time.
//!
//! In: what events tell of the token, and its activity by day. Out: rows, oldest first. Use is summed by month and
//! between the events of its life, so that a busy token does not drown its own life and what it did after a leak, a
//! revoke or its owner's leaving stands after it.

use crate::model::time::{DAY, Day, Micros, day_start, day_text, format_time};
use crate::output::words;
use crate::report::TokenReport;

/// Rows of (when, what, by, from, with).
#[must_use]
pub fn rows(token: &TokenReport) -> Vec<Vec<String>> {
    let t = &token.token;
    let mut rows: Vec<(Micros, Vec<String>)> = t
        .life
        .iter()
        .map(|l| {
            let cells = [&l.text, &l.actor, &l.network, &l.client].map(Clone::clone);
            (l.time, std::iter::once(format_time(l.time)).chain(cells).collect())
        })
        .collect();
    let plain = |time: Micros, text: String| {
        (time, vec![format_time(time), text, String::new(), String::new(), String::new()])
    };
    let told = |action: &str| t.life.iter().any(|l| l.action.contains(action));
    if let Some(from) = t.valid_from.filter(|_| !told("PatCreate")) {
        rows.push(plain(from, "created, according to the list".to_owned()));
    }
    for grant in t.grants.iter().filter(|g| g.listed && t.grants.len() > 1) {
        let scopes = grant.scopes.as_ref().map_or_else(|| "unknown".to_owned(), |s| s.join(" "));
        rows.push(plain(grant.since, format!("the list shows the scopes {scopes}; no event does")));
    }
    if let Some(gone) = t.owner_gone_at {
        rows.push(plain(gone, "the owner left".to_owned()));
    }
    if let Some(to) = t.valid_to {
        rows.push(plain(to, "its end date".to_owned()));
    }
    let part = |day: Day| {
        let marks = t.life.iter().map(|l| l.time).chain(t.owner_gone_at);
        let before = marks.filter(|time| *time < day_start(day + 1)).count();
        (day_text(day).get(..7).map(str::to_owned), before)
    };
    for month in token.activity.per_day.chunk_by(|a, b| part(a.0) == part(b.0)) {
        let events: u64 = month.iter().map(|(_, n)| n).sum();
        let (first, last) = (month[0].0, month[month.len() - 1].0);
        let days = month.len() as u64;
        let text = format!(
            "{} audited event{} on {days} day{}, the last on {}",
            words::grouped(events),
            words::s(events),
            words::s(days),
            day_text(last)
        );
        // A day is told after what happened on it: the days alone do not tell which came first.
        let mut row = plain(day_start(first) + DAY - 1, text);
        row.1[0] = format!("{} on", day_text(first));
        rows.push(row);
    }
    rows.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    rows.into_iter().map(|(_, row)| row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;

    #[test]
    fn use_after_an_event_of_its_life_stands_after_it() {
        let report = sample::report();
        let token = &report.tokens[0];
        let rows = rows(token);
        let at = |text: &str| rows.iter().position(|r| r[1].contains(text)).expect(text);
        let update = at("extended or regenerated");
        let uses: Vec<usize> = (0..rows.len()).filter(|i| rows[*i][1].contains("audited event")).collect();
        assert!(uses.iter().any(|i| *i < update) && uses.iter().any(|i| *i > update), "{rows:?}");
        let told: u64 = token.activity.per_day.iter().map(|(_, n)| n).sum();
        let summed: u64 = uses
            .iter()
            .map(|i| {
                rows[*i][1]
                    .split(' ')
                    .next()
                    .expect("number")
                    .replace(',', "")
                    .parse::<u64>()
                    .expect("number")
            })
            .sum();
        assert_eq!(summed, told, "nothing is told twice or left out");
    }
}
