//! Microsoft's own examples, where they lie beside the project; elsewhere these tests say that they skip.

use super::{all, refused};
use crate::model::event::Shape;
use crate::model::time::format_time;
use std::path::{Path, PathBuf};

fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference");
    if folder.is_dir() {
        return Some(folder);
    }
    eprint_skip();
    None
}

#[allow(clippy::print_stderr)]
fn eprint_skip() {
    eprintln!("skipped: ../shared/reference is not here");
}

fn body(folder: &Path, name: &str) -> String {
    let text = std::fs::read_to_string(folder.join("api-examples").join(name)).expect("example");
    let example: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    serde_json::to_string_pretty(&example["responses"]["200"]["body"]).expect("JSON")
}

#[test]
fn audit_query() {
    let Some(folder) = folder() else { return };
    let (kept, outcome) = all(&body(&folder, "audit-query.json"));
    assert_eq!((outcome.kind.as_str(), outcome.read, outcome.rejected), ("api page", 2, 0));
    assert_eq!(outcome.continuation, None, "hasMore is false");
    let batch = &kept.all.batches[0].1;
    let (read, created) = (batch.row(0), batch.row(1));
    assert_eq!(format_time(read.time), "2019-03-05T14:05:02.146083Z");
    assert_eq!((read.action, read.folded, read.mechanism), ("AuditLog.AccessLog", 3, "FedAuth"));
    assert_eq!(read.event_id, read.correlation_id);
    assert!(!read.data.contains('\n'));
    assert_eq!((created.actor_cuid, created.address, created.mechanism), ("", "", ""));
    assert_eq!(created.actor_id, "00000002-0000-8888-8000-000000000000");
    assert_eq!(kept.all.batches[0].0.0.name, "fabrikam");
}

#[test]
fn token_inventories() {
    let Some(folder) = folder() else { return };
    let (kept, outcome) = all(&body(&folder, "tokenadmin-pats-list.json"));
    assert_eq!((outcome.kind.as_str(), outcome.continuation), ("tokenadmin page", None));
    let row = &kept.all.inventory[1];
    assert_eq!(row.token_id, "c2e0abd5-85a8-40b0-a179-88e98538ec7c");
    assert_eq!(row.scopes.as_deref(), Some("vso.dashboards vso.taskgroups_manage"));
    assert_eq!((row.targets.all(), &row.client_id, row.is_valid), (Some(true), &None, Some(true)));
    let (kept, outcome) = all(&body(&folder, "tokens-pats-list.json"));
    assert_eq!((outcome.kind.as_str(), outcome.continuation), ("pats page", None));
    assert_eq!(kept.all.inventory.len(), 4);
    assert_eq!(kept.all.inventory[0].targets.all(), Some(true));
    assert_eq!(kept.all.inventory[1].name.as_deref(), Some("work_token"));
    let (kept, _) = all(&body(&folder, "tokens-pats-get.json"));
    assert_eq!(kept.all.inventory[0].token_id, "3d3aca0c-9ad3-4b07-8334-08ec8b1ddc32");
    assert_eq!(kept.all.inventory[0].source, "pats");
}

#[test]
fn graph_users() {
    let Some(folder) = folder() else { return };
    let (kept, outcome) = all(&body(&folder, "graph-users-list.json"));
    assert_eq!((outcome.kind.as_str(), outcome.read), ("graph users page", 5));
    let jamal = &kept.all.users[1];
    assert_eq!((jamal.upn.as_str(), jamal.name.as_str()), ("fabrikamfiber4@hotmail.com", "Jamal Hartnett"));
    assert_eq!(jamal.cuid.as_deref(), Some("afd336dd-e80c-71eb-8ebd-833631ba05c6"));
}

#[test]
fn stream_records() {
    let Some(folder) = folder() else { return };
    let text =
        |name: &str| std::fs::read_to_string(folder.join("stream-examples").join(name)).expect("example");
    let (kept, _) = all(&text("eventgrid-release-deployment-completed.json"));
    let row = kept.one();
    assert_eq!((row.shape, row.category, row.scope_type), (Shape::EventGrid, "execute", "organization"));
    assert_eq!((row.project, row.action), ("IT_Project", "Release.DeploymentCompleted"));
    let (kept, _) = all(&text("loganalytics-AzureDevOpsAuditing-record.json"));
    let row = kept.one();
    assert_eq!((row.shape, row.category, row.scope_type), (Shape::LogAnalytics, "modify", "enterprise"));
    assert_eq!(row.mechanism, "SessionToken_Unscoped authorizationId: f5729c3d-951b-4a52-88d9-a");
    assert_eq!((row.project_id, kept.all.batches[0].0.0.name.as_str()), ("", "organization_x"));
    assert!(row.data.contains(r#""GroupName":"[Project_Alpha]\\Project Administrators""#));
}

#[test]
fn examples_in_their_wrapping_are_refused_by_name() {
    let Some(folder) = folder() else { return };
    let files = std::fs::read_dir(folder.join("api-examples")).expect("folder");
    for file in files {
        let path = file.expect("entry").path();
        let error = refused(&std::fs::read_to_string(&path).expect("example"));
        assert!(error.contains("responses"), "{}: {error}", path.display());
    }
}
