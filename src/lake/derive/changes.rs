//! `changes`: the events of a month that make the ledger, picked out of `notable`.

use crate::lake::LakeError;
use crate::lake::frame::Frame;
use crate::lake::table::Table;
use crate::model::text::TextColumn;
use std::path::{Path, PathBuf};

/// Text columns of `notable` that the ledger, the people and the coverage read, beside the time and whether the service
/// itself acted.
const CHANGES: [&str; 23] = [
    "org",
    "event_id",
    "action",
    "actor",
    "actor_id",
    "network",
    "client",
    "details",
    "d_authorization_id",
    "d_display_name",
    "d_owner_id",
    "d_owner_name",
    "d_scopes",
    "d_valid_from",
    "d_valid_to",
    "d_target_accounts",
    "d_all_orgs",
    "d_user",
    "d_member_id",
    "d_member_name",
    "d_group_name",
    "d_policy_name",
    "d_policy_value",
];

/// Picks the events of `notable` that tell of tokens, of access and of the log itself; `earlier` are those of the days
/// before these.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write(path: &Path, earlier: Option<&Path>, days: &[PathBuf]) -> Result<(), LakeError> {
    let (mut times, mut service) = (Vec::new(), Vec::new());
    let mut texts = CHANGES.map(|_| TextColumn::default());
    let all = days.iter().map(|day| (day.as_path(), false));
    for (file, is_picked) in earlier.map(|path| (path, true)).into_iter().chain(all) {
        let table = Table::read_all(file, &[&CHANGES[..], &["time", "service_actor"]].concat())?;
        let rows = if is_picked { (0..table.height()).collect() } else { picked(&table) };
        let (time, flags) = (table.known_ints("time"), table.known_flags("service_actor"));
        times.extend(rows.iter().map(|row| time[*row]));
        service.extend(rows.iter().map(|row| flags[*row]));
        for (name, texts) in CHANGES.iter().zip(&mut texts) {
            let cells = table.cells(name);
            rows.iter().for_each(|row| texts.push(cells[*row]));
        }
    }
    let mut frame =
        Frame::new(times.len()).time("time", times.into_iter()).flag("service_actor", service.into_iter());
    for (name, texts) in CHANGES.iter().zip(&texts) {
        frame = frame.text(name, texts.iter());
    }
    frame.write(path)?;
    Ok(())
}

/// The rows of `notable` that tell of tokens, of access and of the log itself.
fn picked(notable: &Table) -> Vec<usize> {
    const BEGINS: [&str; 3] = ["Token.", "Licensing.", "AuditLog.Stream"];
    const GROUPS: [&str; 2] = ["Project Collection Valid Users", "Administrators"];
    let (actions, groups) = (notable.texts("action"), notable.texts("d_group_name"));
    let is_told = |action: &str| {
        BEGINS.iter().any(|begin| action.starts_with(begin))
            || action == "OrganizationPolicy.PolicyValueUpdated"
    };
    let told: Vec<bool> = actions.texts.texts().map(is_told).collect();
    let moves: Vec<bool> =
        actions.texts.texts().map(|action| action.starts_with("Group.UpdateGroupMembership.")).collect();
    let grants: Vec<bool> =
        groups.texts.texts().map(|group| GROUPS.iter().any(|end| group.ends_with(end))).collect();
    let is_picked = |row: &usize| {
        let (action, group) = (actions.codes[*row] as usize, groups.codes[*row] as usize);
        told[action] || moves[action] && grants[group]
    };
    (0..notable.height()).filter(is_picked).collect()
}
