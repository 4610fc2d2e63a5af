//! `patwatch revoke`: the request that revokes tokens, printed to be run by a person. It changes nothing.
//!
//! In: tokens. Out: for each what stands for and against a revocation, and for each organisation the body, the `az rest`
//! line and the right that the call needs.

use super::Context;
use super::args::RevokeArgs;
use super::error::{CliError, Outcome};
use super::find::find;
use super::gate::Gate;
use super::session::Session;
use crate::model::identity::is_guid;
use crate::model::verdict::Action;
use crate::output::{terminal, words};
use crate::report::TokenReport;
use crate::source::azure_devops::auth::ENTRA_SCOPE;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What stays as it is in the path of an address: nothing that a shell reads.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

pub(super) fn run(context: &Context, args: &RevokeArgs) -> Result<Outcome, CliError> {
    let session = Session::open(&context.lake, context.config.clone(), &args.selection, &context.ui)?;
    let found = session.find(&[], &context.ui)?;
    let mut chosen: BTreeMap<(&str, &str), &TokenReport> = BTreeMap::new();
    for wanted in &args.tokens {
        let hits = find(&found, wanted)?;
        if !hits.is_single() {
            return Err(hits.refuse(wanted));
        }
        for token in hits.tokens {
            if !is_guid(&token.token.token_id) {
                return Err(CliError::new(format!(
                    "only a part of the id of \"{wanted}\" is known ({}), and the service takes complete ids",
                    token.token.token_id
                ))
                .hint("import the organisation's PAT list, then run this again"));
            }
            chosen.insert((token.token.org.as_str(), token.token.token_id.as_str()), token);
        }
    }
    let text = text(&chosen.into_values().collect::<Vec<_>>());
    context.ui.write(None, text.as_bytes())?;
    Ok(Gate::open(args.selection.reading.strict).outcome(&found.report, &session, &context.ui))
}

fn text(tokens: &[&TokenReport]) -> String {
    let mut text = String::from("patwatch changes nothing: run the command below to revoke.\n");
    for token in tokens {
        let (t, advice) = (&token.token, &token.verdicts.advice);
        let owner = t.owner.as_deref().unwrap_or("owner unknown");
        let line = format!("{} {} ({owner}) in {}", t.token_id, words::token_label(token), t.org);
        let _ = writeln!(text, "\n{}", terminal::clean(&line));
        let stand = if advice.action == Action::Revoke { "advice: revoke" } else { "AGAINST: the advice is" };
        let line = match advice.action {
            Action::Revoke => format!("{stand}, {}", advice.reason),
            action => format!("{stand} {action}, not revoke: {}", advice.reason),
        };
        let _ = writeln!(text, "  {}", terminal::clean(&line));
        let _ = writeln!(text, "  {}", terminal::clean(&words::last_change(token)));
        if t.is_over() {
            let _ = writeln!(text, "  AGAINST: it is {} already", t.state);
        }
        if token.dependence.integrations.len() > 1 {
            let n = token.dependence.integrations.len();
            let _ = writeln!(text, "  AGAINST: {n} places use it; see `patwatch token {}`", t.token_id);
        }
    }
    let orgs: BTreeSet<&str> = tokens.iter().map(|t| t.token.org.as_str()).collect();
    let resource = ENTRA_SCOPE.trim_end_matches("/.default");
    for org in orgs {
        let ids = tokens.iter().filter(|t| t.token.org == org);
        let ids: Vec<String> =
            ids.map(|t| format!("{{\"authorizationId\":\"{}\"}}", t.token.token_id)).collect();
        let body = format!("[{}]", ids.join(","));
        let url = format!(
            "https://vssps.dev.azure.com/{}/_apis/tokenadmin/revocations?api-version=7.1-preview.1",
            utf8_percent_encode(org, PATH)
        );
        let _ = writeln!(text, "\n{}: request body", terminal::clean(org));
        let _ = writeln!(text, "  {body}");
        let _ = writeln!(text, "command");
        let _ = writeln!(
            text,
            "  az rest --method post --resource {resource} --url '{url}' --headers Content-Type=application/json --body '{body}'"
        );
    }
    text.push_str(
        "\nright: Project Collection Administrator of the organisation, signed in with `az login`; with a PAT the scope vso.tokenadministration.\nThe service answers 204 without a body. A revocation cannot be undone.\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;

    #[test]
    fn the_request_is_printed_with_what_stands_against_it() {
        let mut report = sample::report();
        let token = &mut report.tokens[0];
        token.token.token_id = "a7c10000-0000-4000-8000-000000000001".to_owned();
        token.token.org = "a'; rm -rf ~ \u{1b}[2J".to_owned();
        token.token.name = Some("##vso[task.complete]".to_owned());
        token.verdicts.advice.action = Action::AskOwner;
        let shown = text(&[&report.tokens[0]]);
        assert!(shown.contains("changes nothing") && shown.contains("AGAINST: the advice is"), "{shown}");
        assert!(
            shown.contains("[{\"authorizationId\":\"a7c10000-0000-4000-8000-000000000001\"}]"),
            "{shown}"
        );
        assert!(shown.contains("vssps.dev.azure.com/a%27%3B%20rm%20-rf%20%7E%20%1B%5B2J/_apis"), "{shown}");
        assert!(!shown.contains('\u{1b}') && !shown.contains("##vso["), "{shown}");
        report.tokens[0].verdicts.advice.action = Action::Revoke;
        assert!(text(&[&report.tokens[0]]).contains("advice: revoke"));
    }
}
