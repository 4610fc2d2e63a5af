//! `changes`: the events of a month that make the ledger, picked out of `notable`.

use crate::lake::LakeError;
use crate::lake::frame::{Frame, Table};
use polars::prelude as pl;
use std::path::{Path, PathBuf};

/// Columns of `notable` that the ledger, the people and the coverage read.
const CHANGES: [&str; 23] = [
    "org",
    "event_id",
    "time",
    "action",
    "actor",
    "actor_id",
    "service_actor",
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
];

/// Picks the events of `notable` that tell of tokens, of access and of the log itself; `earlier` are those of the days
/// before these.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write(path: &Path, earlier: Option<&Path>, days: &[PathBuf]) -> Result<(), LakeError> {
    let failed = |e: pl::PolarsError| LakeError::columns(path, &e);
    let paths = days.iter().map(|p| pl::PlRefPath::try_from_path(p)).collect::<Result<Vec<_>, _>>();
    let args = pl::ScanArgsParquet {
        glob: false,
        hive_options: pl::HiveOptions { enabled: Some(false), ..pl::HiveOptions::default() },
        ..pl::ScanArgsParquet::default()
    };
    let action = || pl::col("action");
    let begins = |text: &str| action().str().starts_with(pl::lit(text.to_owned()));
    let group = |text: &str| pl::col("d_group_name").str().ends_with(pl::lit(text.to_owned()));
    let membership = begins("Group.UpdateGroupMembership.")
        .and(group("Project Collection Valid Users").or(group("Administrators")));
    let wanted = begins("Token.")
        .or(begins("Licensing."))
        .or(begins("AuditLog.Stream"))
        .or(action().eq(pl::lit("OrganizationPolicy.PolicyValueUpdated")))
        .or(membership);
    let names = || CHANGES.iter().chain(&["d_policy_name", "d_policy_value"]).copied();
    let columns: Vec<pl::Expr> = names().map(pl::col).collect();
    let mut frame = pl::LazyFrame::scan_parquet_files(paths.map_err(failed)?.into(), args)
        .and_then(|frame| frame.filter(wanted).select(columns).collect())
        .map_err(failed)?;
    if let Some(earlier) = earlier {
        let before = Table::read(earlier)?.into_frame().select(names()).map_err(failed)?;
        frame = before.vstack(&frame).map_err(failed)?;
    }
    let table = Table::of(frame);
    let (times, service) = (table.int("time"), table.flag("service_actor"));
    let mut frame =
        Frame::new(table.height()).time("time", times.into_iter()).flag("service_actor", service.into_iter());
    for name in names().filter(|name| !matches!(*name, "time" | "service_actor")) {
        let column = table.text(name);
        frame = frame.text(name, column.cells().into_iter());
    }
    frame.write(path)?;
    Ok(())
}
