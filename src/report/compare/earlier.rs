//! An earlier bundle, read.
//!
//! In: `findings.json`, `tokens.json` and `manifest.json` of that bundle. Out: an [`Earlier`], or why they are not what
//! patwatch writes.

use super::CompareError;
use crate::model::finding::Severity;
use crate::model::hash::sha256;
use crate::model::secret::{Masked, mask_value};
use crate::model::time::{Micros, day_of, format_time, parse_time};
use crate::report::SCHEMA_VERSION;
use crate::report::evidence::Evidence;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// An earlier bundle, as far as it is compared.
#[derive(Debug, Clone, Default)]
pub struct Earlier {
    pub(super) as_of: Micros,
    pub(super) sha256: [String; 2],
    pub(super) pack: String,
    pub(super) config: String,
    pub(super) version: String,
    pub(super) window_days: Option<i32>,
    /// What each detection was made of; empty where the bundle does not say.
    pub(super) digests: BTreeMap<String, String>,
    pub(super) not_run: BTreeSet<String>,
    /// Least severity of the findings that the bundle shows, where it does not show all.
    pub(super) least_severity: Option<Severity>,
    pub(super) evidence: BTreeMap<String, Evidence>,
    pub(super) orgs: BTreeSet<String>,
    pub(super) notes: Vec<String>,
    pub(super) findings: Vec<Value>,
    pub(super) tokens: Vec<Value>,
    /// The mark of the pseudonym key, where the bundle is anonymised.
    pub pseudonyms: Option<String>,
}

/// Reads an earlier bundle. An older schema is read as far as it goes: a field that it lacks is not compared.
///
/// # Errors
/// When a file is not what patwatch writes, or what a newer one writes.
pub fn read(findings: &[u8], tokens: &[u8], manifest: Option<&[u8]>) -> Result<Earlier, CompareError> {
    let mut earlier = Earlier { sha256: [sha256(findings), sha256(tokens)], ..Earlier::default() };
    let first = parse("findings.json", findings, &mut earlier.notes)?;
    let second = parse("tokens.json", tokens, &mut earlier.notes)?;
    earlier.notes.dedup();
    earlier.as_of = text(&first, "as_of")
        .and_then(parse_time)
        .ok_or(CompareError::Shape { file: "findings.json", field: "as_of" })?;
    earlier.findings = rows(&first, "findings.json", "findings")?;
    earlier.tokens = rows(&second, "tokens.json", "tokens")?;
    earlier.pack = text(&first["tool"], "pack_sha256").unwrap_or_default().to_owned();
    earlier.config = text(&first["tool"], "config_sha256").unwrap_or_default().to_owned();
    earlier.version = text(&first["tool"], "version").unwrap_or_default().to_owned();
    let instant = |field| text(&first["window"], field).and_then(parse_time);
    earlier.window_days = instant("from")
        .zip(instant("to"))
        .map(|(from, to)| day_of(to) - day_of(from) + 1)
        .filter(|days| *days > 0);
    let not_run = first["not_run"].as_array().into_iter().flatten();
    earlier.not_run = not_run.filter_map(|n| text(n, "detection").map(str::to_owned)).collect();
    earlier.least_severity =
        text(&first["not_looked_at"], "least_severity").and_then(|word| word.parse().ok());
    let listed = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|c| text(c, "org").map(str::to_owned)).collect()
    };
    earlier.orgs.extend(listed(&first["coverage"]));
    earlier.orgs.extend(earlier.tokens.iter().filter_map(|t| text(t, "org").map(str::to_owned)));
    if text(&second, "as_of") != text(&first, "as_of") {
        earlier.notes.push(
            "findings.json and tokens.json of the earlier bundle stand at different instants: they are of different runs."
                .to_owned(),
        );
    }
    let json = |bytes| {
        serde_json::from_slice(bytes)
            .map_err(|e| CompareError::Json { file: "manifest.json", why: e.to_string() })
    };
    let manifest: Value = manifest.map_or(Ok(Value::Null), json)?;
    for (name, sum) in ["findings.json", "tokens.json"].iter().zip(&earlier.sha256) {
        let said = manifest["outputs"].as_array().into_iter().flatten().find(|o| o["path"] == **name);
        if said.is_some_and(|o| o["sha256"] != sum.as_str()) {
            earlier.notes.push(format!(
                "{name} of the earlier bundle is not the file that its manifest names: it was changed since."
            ));
        }
    }
    let detections = manifest["detections"].as_array().into_iter().flatten();
    let digest = |d: &Value| Some((text(d, "id")?.to_owned(), text(d, "digest")?.to_owned()));
    earlier.digests = detections.filter_map(digest).collect();
    earlier.evidence = evidence(&manifest, &earlier);
    earlier.orgs.extend(earlier.evidence.keys().cloned());
    earlier.pseudonyms = text(&manifest["pseudonyms"], "key").map(str::to_owned);
    Ok(earlier)
}

/// The evidence that the manifest lists; of a bundle without it, what its other parts say of the lists.
fn evidence(manifest: &Value, earlier: &Earlier) -> BTreeMap<String, Evidence> {
    let rows = |field: &str| manifest[field].as_array().cloned().unwrap_or_default();
    let known = rows("evidence").into_iter().filter_map(|e| serde_json::from_value::<Evidence>(e).ok());
    let known: BTreeMap<String, Evidence> = known.map(|e| (e.org.clone(), e)).collect();
    if !known.is_empty() {
        return known;
    }
    let mut derived: BTreeMap<String, Evidence> = BTreeMap::new();
    for p in rows("population") {
        let Some(org) = text(&p, "org") else { continue };
        let evidence = Evidence {
            org: org.to_owned(),
            inventory_taken: text(&p, "inventory_taken").map(str::to_owned),
            inventory_complete: p["complete"] == true,
            users_listed: p["users_listed"].as_u64().unwrap_or_default(),
            ..Evidence::default()
        };
        derived.insert(org.to_owned(), evidence);
    }
    // Without a manifest, tokens that a list shows say that there was one.
    let unlisted = derived.is_empty();
    for token in earlier.tokens.iter().filter(|_| unlisted) {
        let listed = token["known_from"].as_array().is_some_and(|from| from.iter().any(|f| f == "inventory"));
        if let Some(org) = text(token, "org").filter(|_| listed) {
            let evidence = derived.entry(org.to_owned()).or_default();
            org.clone_into(&mut evidence.org);
            // Nothing says when the list was taken, so any list counts as newer.
            evidence.inventory_taken.get_or_insert_with(|| format_time(0));
        }
    }
    derived
}

fn parse(file: &'static str, bytes: &[u8], notes: &mut Vec<String>) -> Result<Value, CompareError> {
    let mut value: Value =
        serde_json::from_slice(bytes).map_err(|e| CompareError::Json { file, why: e.to_string() })?;
    // An older version wrote texts as they were.
    mask_value(&mut value, &mut Masked::default());
    let version = value["schema_version"].as_u64();
    match version {
        Some(found) if found > u64::from(SCHEMA_VERSION) => Err(CompareError::Newer { file, found }),
        Some(found) if found == u64::from(SCHEMA_VERSION) => Ok(value),
        _ if value["as_of"].is_null() => Err(CompareError::Shape { file, field: "schema_version" }),
        _ => {
            notes.push(
                "The earlier bundle has an older schema: what it does not hold is not compared.".to_owned(),
            );
            Ok(value)
        }
    }
}

pub(super) fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field).and_then(Value::as_str)
}

fn rows(value: &Value, file: &'static str, field: &'static str) -> Result<Vec<Value>, CompareError> {
    value[field].as_array().cloned().ok_or(CompareError::Shape { file, field })
}
