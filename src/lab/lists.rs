//! Writes the organisation's lists as they are at an instant: tokens, users, entitlements.
//!
//! In: the organisation, its tokens, an instant. Out: pages of token administration, of Graph and of entitlements. What
//! happens later shows in none of them: a token that is revoked, edited or extended the day after is listed as it was.

use super::LabError;
use super::dice::Dice;
use super::files::Folder;
use super::tokens::{Ending, Token};
use super::world::{Person, World};
use crate::model::identity::ZERO_GUID;
use crate::model::time::{DAY, HOUR, Micros, format_time};
use serde_json::{Value, json};

/// Writes the lists of `at`; `under` goes before the names of the files.
pub(super) fn write(
    world: &World,
    tokens: &[Token],
    at: Micros,
    under: &str,
    folder: &mut Folder<'_>,
) -> Result<(), LabError> {
    inventory(world, tokens, at, under, folder)?;
    users(world, at, under, folder)
}

/// One tokenadmin page per user who has tokens; keys and OAuth authorisations lie between the PATs.
fn inventory(
    world: &World,
    tokens: &[Token],
    at: Micros,
    under: &str,
    folder: &mut Folder<'_>,
) -> Result<(), LabError> {
    let mut dice = Dice::new(world.seed, "inventory", 0);
    let mut number = 0;
    for (index, person) in world.people.iter().enumerate() {
        let mut rows: Vec<Value> = tokens
            .iter()
            .filter(|token| token.owner == index && token.listed && token.valid_from < at)
            .map(|token| session_token(world, token, at))
            .collect();
        let extra = |authorization: String, client: &str, name: &str, scope: &str, public: bool| {
            json!({
                "clientId": client, "accessId": ZERO_GUID, "authorizationId": authorization,
                "hostAuthorizationId": ZERO_GUID, "userId": person.user_id, "validFrom": zoneless(world.start),
                "validTo": zoneless(world.end + 300 * DAY), "displayName": name, "scope": scope,
                "targetAccounts": [world.org_id], "token": null, "alternateToken": null, "isValid": true,
                "isPublic": public, "publicData": public.then_some("ssh-rsa AAAA"), "source": null, "claims": null,
            })
        };
        if index % 6 == 1 {
            rows.push(extra(dice.guid(), ZERO_GUID, "build box", "app_token", true));
        }
        if index % 9 == 2 {
            let client = dice.guid();
            rows.push(extra(dice.guid(), &client, "Chart Viewer", "vso.work", false));
        }
        if rows.is_empty() {
            continue;
        }
        number += 1;
        let page = json!({"value": rows, "continuationToken": null});
        folder.json(&format!("{under}inventory-{number:04}.json"), &page)?;
    }
    Ok(())
}

/// A time as tokenadmin writes it: no zone.
fn zoneless(time: Micros) -> String {
    format_time(time).trim_end_matches('Z').to_owned()
}

/// Whether somebody's access is taken away at this instant.
fn is_gone(person: &Person, at: Micros) -> bool {
    person.left.is_some_and(|(left, back)| left <= at && back.is_none_or(|back| at < back))
}

fn session_token(world: &World, token: &Token, at: Micros) -> Value {
    let revoked = matches!(token.ending, Ending::Revoked(end) | Ending::LeakedAndClosed(end) if end <= at);
    let token = token.at(at);
    let ends = match token.extended {
        Some((extended, before)) if at < extended => before,
        _ => token.valid_to,
    };
    let valid = !revoked && !is_gone(&world.people[token.owner], at) && ends > at;
    json!({
        "clientId": ZERO_GUID, "accessId": ZERO_GUID, "authorizationId": token.id,
        "hostAuthorizationId": ZERO_GUID, "userId": world.people[token.owner].user_id,
        "validFrom": zoneless(token.valid_from), "validTo": zoneless(ends), "displayName": token.name,
        "scope": token.scopes.join(" "),
        "targetAccounts": if token.all_orgs { Value::Null } else { json!([world.org_id]) },
        "token": null, "alternateToken": null, "isValid": valid,
        "isPublic": false, "publicData": null, "source": null, "claims": null,
    })
}

/// The Graph page of users and the page of their entitlements; leavers are missing, or disabled.
fn users(world: &World, at: Micros, under: &str, folder: &mut Folder<'_>) -> Result<(), LabError> {
    let mut graph = Vec::new();
    let mut entitlements = Vec::new();
    for person in &world.people {
        let gone = is_gone(person, at);
        if gone && !person.stays_listed {
            continue;
        }
        let host = format!("https://vssps.dev.azure.com/{}/_apis/Graph", world.org);
        let user = json!({
            "subjectKind": "user", "metaType": "member", "domain": world.tenant_id,
            "principalName": person.upn, "mailAddress": person.upn, "origin": "aad", "originId": person.origin_id,
            "displayName": person.name,
            "_links": {"storageKey": {"href": format!("{host}/StorageKeys/{}", person.descriptor)}},
            "url": format!("{host}/Users/{}", person.descriptor), "descriptor": person.descriptor,
        });
        let last = match person.left {
            Some((left, _)) if gone => left,
            _ => at - 30 * HOUR,
        };
        entitlements.push(json!({
            "id": person.user_id, "user": user,
            "accessLevel": {
                "licensingSource": "account", "accountLicenseType": "express", "licenseDisplayName": "Basic",
                "status": if gone { "disabled" } else { "active" }, "statusMessage": "", "assignmentSource": "unknown",
            },
            "lastAccessedDate": format_time(last), "dateCreated": "2024-02-01T08:00:00Z",
            "projectEntitlements": [], "extensions": [], "groupAssignments": [],
        }));
        graph.push(user);
    }
    folder.json(&format!("{under}users.json"), &json!({"count": graph.len(), "value": graph}))?;
    let total = entitlements.len();
    let page = json!({"members": entitlements, "continuationToken": null, "totalCount": total});
    folder.json(&format!("{under}entitlements.json"), &page)
}
