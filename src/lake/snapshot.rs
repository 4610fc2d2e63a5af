//! Inventories, users and usage records as they stood at one time: one Parquet file each.
//!
//! In: rows from a source. Out: a file whose name holds time and content, so that importing the same list
//! twice adds nothing, and the rows back.

use super::frame::Frame;
use super::index::{Snapshot, SnapshotKind};
use super::table::Table;
use super::{Lake, LakeError, digest};
use crate::model::hash::sha256;
use crate::model::inventory::{InventoryRow, Targets, UsageRow, UserRow};
use crate::model::time::{Micros, Span, day_of, day_text};
use std::collections::BTreeSet;

/// Facts of a snapshot beside its rows.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// When it was taken.
    pub taken: Micros,
    /// Whether nobody said when: `taken` is then an assumption.
    pub undated: bool,
    /// Whether it lists everything of the organisation.
    pub complete: bool,
    /// Owners, by person key, all of whose tokens it lists (inventory only).
    pub complete_for: BTreeSet<String>,
    /// Users whose tokens were listed.
    pub users_listed: u64,
    /// Users whose tokens could not be listed.
    pub users_failed: u64,
    /// Span that usage records declare.
    pub span: Option<Span>,
}

fn opt(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or_default()
}

impl Lake {
    /// Stores an inventory. Returns whether it was new.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn add_inventory(
        &mut self,
        org: &str,
        rows: &[InventoryRow],
        facts: Facts,
    ) -> Result<bool, LakeError> {
        let mut rows: Vec<&InventoryRow> = rows.iter().collect();
        rows.sort_by_key(|r| (&r.token_id, &r.user_id, r.valid_to));
        rows.dedup();
        let r = || rows.iter();
        let targets: Vec<String> =
            r().map(|r| r.targets.listed().map(|t| t.join(" ")).unwrap_or_default()).collect();
        let frame = Frame::new(rows.len())
            .text("token_id", r().map(|r| r.token_id.as_str()))
            .text("name", r().map(|r| opt(&r.name)))
            .text("scopes", r().map(|r| opt(&r.scopes)))
            .flag("all_orgs", r().map(|r| r.targets.all()))
            .text("target_accounts", targets.iter().map(String::as_str))
            .time("valid_from", r().map(|r| r.valid_from))
            .time("valid_to", r().map(|r| r.valid_to))
            .text("user_id", r().map(|r| opt(&r.user_id)))
            .text("owner_upn", r().map(|r| opt(&r.owner_upn)))
            .text("owner_name", r().map(|r| opt(&r.owner_name)))
            .flag("is_valid", r().map(|r| r.is_valid))
            .flag("is_public", r().map(|r| Some(r.is_public)))
            .text("client_id", r().map(|r| opt(&r.client_id)));
        self.add(SnapshotKind::Inventory, org, frame, rows.len(), facts)
    }

    /// Stores users. Returns whether they were new.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn add_users(&mut self, org: &str, rows: &[UserRow], facts: Facts) -> Result<bool, LakeError> {
        // Some answers hold one list under two names, and pages may be cut anywhere.
        let mut rows: Vec<&UserRow> = rows.iter().collect();
        rows.sort_by_key(|r| (&r.descriptor, &r.upn, &r.storage_key, &r.name, r.last_access, r.deleted));
        rows.dedup();
        let r = || rows.iter();
        let frame = Frame::new(rows.len())
            .text("descriptor", r().map(|r| r.descriptor.as_str()))
            .text("cuid", r().map(|r| opt(&r.cuid)))
            .text("storage_key", r().map(|r| opt(&r.storage_key)))
            .text("upn", r().map(|r| r.upn.as_str()))
            .text("name", r().map(|r| r.name.as_str()))
            .text("subject_kind", r().map(|r| r.subject_kind.as_str()))
            .text("state", r().map(|r| state_of(r)))
            .time("last_access", r().map(|r| r.last_access));
        self.add(SnapshotKind::Users, org, frame, rows.len(), facts)
    }

    /// Stores usage records. Returns whether they were new.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn add_usage(&mut self, org: &str, rows: &[UsageRow], facts: Facts) -> Result<bool, LakeError> {
        let r = || rows.iter();
        let frame = Frame::new(rows.len())
            .text("user_id", r().map(|r| r.user_id.as_str()))
            .text("user", r().map(|r| r.user.as_str()))
            .time("start_time", r().map(|r| Some(r.start)))
            .time("end_time", r().map(|r| Some(r.end)))
            .text("mechanism", r().map(|r| r.mechanism.as_str()))
            .text("address", r().map(|r| r.address.as_str()))
            .text("user_agent", r().map(|r| r.user_agent.as_str()))
            .text("command", r().map(|r| r.command.as_str()))
            .text("status", r().map(|r| r.status.as_str()))
            .int("calls", r().map(|r| Some(r.count)));
        self.add(SnapshotKind::Usage, org, frame, rows.len(), facts)
    }

    fn add(
        &mut self,
        kind: SnapshotKind,
        org: &str,
        frame: Frame,
        rows: usize,
        facts: Facts,
    ) -> Result<bool, LakeError> {
        let folder = self.org_folder(kind.as_str(), org);
        let bytes = frame.to_bytes(&folder)?;
        let digest = sha256(&bytes);
        let content = &digest[..12];
        let path = folder.join(format!("taken={}-{content}.parquet", day_text(day_of(facts.taken))));
        let file = path.strip_prefix(self.root()).unwrap_or(&path).to_string_lossy().into_owned();
        let known = self.index.snapshots.iter().any(|s| s.file == file && s.taken == facts.taken);
        if known {
            return Ok(false);
        }
        super::frame::write_atomically(&path, &bytes)?;
        self.index.snapshots.push(Snapshot {
            kind,
            org: org.to_owned(),
            taken: facts.taken,
            complete: facts.complete,
            file,
            sha256: digest,
            rows: rows as u64,
            users_listed: facts.users_listed,
            users_failed: facts.users_failed,
            span: facts.span,
            undated: facts.undated,
            complete_for: facts.complete_for,
        });
        Ok(true)
    }

    /// Snapshots of a kind that an organisation has up to `as_of`, oldest first.
    #[must_use]
    pub fn snapshots(&self, kind: SnapshotKind, org: &str, as_of: Micros) -> Vec<&Snapshot> {
        let mut found: Vec<&Snapshot> = self
            .index
            .snapshots
            .iter()
            .filter(|s| s.kind == kind && s.org == org && s.taken <= as_of)
            .collect();
        found.sort_by_key(|s| (s.taken, &s.file));
        found
    }

    /// Reads the file of a list, where it is the one that the index describes.
    fn list(&self, snapshot: &Snapshot, columns: &[&str]) -> Result<Table, LakeError> {
        let path = self.root().join(&snapshot.file);
        digest::check(&path, &snapshot.digests())?;
        Table::read(&path, columns)
    }

    /// Reads an inventory back.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn inventory(&self, snapshot: &Snapshot) -> Result<Vec<InventoryRow>, LakeError> {
        const TEXTS: [&str; 8] = [
            "token_id",
            "name",
            "scopes",
            "target_accounts",
            "user_id",
            "owner_upn",
            "owner_name",
            "client_id",
        ];
        const TIMES: [&str; 2] = ["valid_from", "valid_to"];
        const FLAGS: [&str; 3] = ["all_orgs", "is_valid", "is_public"];
        let columns = [&TEXTS[..], &TIMES, &FLAGS].concat();
        let table = self.list(snapshot, &columns)?;
        let [token_id, name, scopes, targets, user_id, owner_upn, owner_name, client_id] =
            TEXTS.map(|n| table.cells(n));
        let [from, to] = TIMES.map(|n| table.known_ints(n));
        let [all, valid, public] = FLAGS.map(|n| table.known_flags(n));
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Ok((0..table.height())
            .map(|i| InventoryRow {
                token_id: token_id[i].to_owned(),
                name: some(name[i]),
                scopes: some(scopes[i]),
                targets: match all[i] {
                    None => Targets::Unknown,
                    Some(true) => Targets::AllOrganisations,
                    Some(false) => {
                        Targets::Listed(targets[i].split_whitespace().map(str::to_owned).collect())
                    }
                },
                valid_from: from[i],
                valid_to: to[i],
                user_id: some(user_id[i]),
                owner_upn: some(owner_upn[i]),
                owner_name: some(owner_name[i]),
                is_valid: valid[i],
                is_public: public[i] == Some(true),
                client_id: some(client_id[i]),
                ..InventoryRow::default()
            })
            .collect())
    }

    /// Reads users back.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn users(&self, snapshot: &Snapshot) -> Result<Vec<UserRow>, LakeError> {
        const TEXTS: [&str; 7] =
            ["descriptor", "cuid", "storage_key", "upn", "name", "subject_kind", "state"];
        const ACCESS: &str = "last_access";
        let table = self.list(snapshot, &[&TEXTS[..], &[ACCESS]].concat())?;
        let [descriptor, cuid, key, upn, name, kind, state] = TEXTS.map(|n| table.cells(n));
        let access = table.known_ints(ACCESS);
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Ok((0..table.height())
            .map(|i| UserRow {
                descriptor: descriptor[i].to_owned(),
                cuid: some(cuid[i]),
                storage_key: some(key[i]),
                upn: upn[i].to_owned(),
                name: name[i].to_owned(),
                subject_kind: kind[i].to_owned(),
                state: state[i].parse().ok(),
                last_access: access[i],
                ..UserRow::default()
            })
            .collect())
    }

    /// Reads usage records back.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn usage(&self, snapshot: &Snapshot) -> Result<Vec<UsageRow>, LakeError> {
        const TEXTS: [&str; 7] =
            ["user_id", "user", "mechanism", "address", "user_agent", "command", "status"];
        const NUMBERS: [&str; 3] = ["start_time", "end_time", "calls"];
        let table = self.list(snapshot, &[&TEXTS[..], &NUMBERS].concat())?;
        let [user_id, user, mechanism, address, agent, command, status] = TEXTS.map(|n| table.cells(n));
        let [start, end, calls] = NUMBERS.map(|n| table.ints(n));
        Ok((0..table.height())
            .map(|i| UsageRow {
                user_id: user_id[i].to_owned(),
                user: user[i].to_owned(),
                start: start[i],
                end: end[i],
                mechanism: mechanism[i].to_owned(),
                address: address[i].to_owned(),
                user_agent: agent[i].to_owned(),
                command: command[i].to_owned(),
                status: status[i].to_owned(),
                count: calls[i],
                ..UsageRow::default()
            })
            .collect())
    }
}

impl Snapshot {
    /// The digest of its file: the name holds the beginning of it, where an earlier version wrote the index.
    pub(super) fn digests(&self) -> Vec<&str> {
        let of_name = || {
            let stem = self.file.strip_suffix(".parquet").unwrap_or(&self.file);
            stem.rsplit_once('-').map(|(_, hash)| hash).filter(|hash| !hash.is_empty())
        };
        let known = (!self.sha256.is_empty()).then_some(self.sha256.as_str());
        known.or_else(of_name).into_iter().collect()
    }
}

/// State of a user; an account that its directory has deleted cannot sign in.
fn state_of(user: &UserRow) -> &'static str {
    use crate::model::token::OwnerState;
    match user.state {
        Some(state) => state.as_str(),
        None if user.deleted => OwnerState::Removed.as_str(),
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_list_says_of_the_reach_comes_back() {
        let dir = tempfile::tempdir().expect("folder");
        let mut lake = Lake::open(dir.path()).expect("lake");
        let row = |id: &str, targets: Targets| InventoryRow {
            token_id: id.to_owned(),
            targets,
            source: "pats",
            ..InventoryRow::default()
        };
        let rows = [
            row("a", Targets::Unknown),
            row("b", Targets::AllOrganisations),
            row("c", Targets::Listed(vec!["x".to_owned(), "y".to_owned()])),
        ];
        lake.add_inventory("o", &rows, Facts::default()).expect("adds");
        let snapshot = lake.snapshots(SnapshotKind::Inventory, "o", 0)[0].clone();
        let back = lake.inventory(&snapshot).expect("reads");
        assert!(back.iter().map(|r| &r.targets).eq(rows.iter().map(|r| &r.targets)), "{back:?}");
    }
}
