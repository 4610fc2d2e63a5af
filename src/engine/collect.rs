//! Plans become rows: the only place that runs a Polars plan.
//!
//! In: a function that makes a plan. Out: its rows. Expression-level common subexpression elimination is switched off for
//! every plan. In Polars 0.55.2 it keeps a scalar that occurs twice as a column of height 1; a later step that splits data of
//! several chunks then fails, or in a build without the check of heights reads such a column. Whether it fails depends on
//! row counts, threads and profile (pola-rs/polars issues 28364 and 27975). Version 0.55.2 has the repair of 28364 for
//! `with_columns`; its projections and filters still split. Tests of a newer version can show whether the switch may go.

use super::{EngineError, guarded};
use polars::prelude as pl;

/// Makes a plan and runs it on a thread with room for deep plans.
pub(super) fn collect(
    plan: impl FnOnce() -> Result<pl::LazyFrame, EngineError> + Send,
) -> Result<pl::DataFrame, EngineError> {
    guarded(|| run(without_shared_expressions(plan()?)))
}

#[expect(clippy::disallowed_methods, reason = "the switch is set here")]
fn run(plan: pl::LazyFrame) -> Result<pl::DataFrame, EngineError> {
    Ok(plan.collect()?)
}

/// The crate's own setter exists only with its feature `cse`, which another crate of the tree switches on.
fn without_shared_expressions(plan: pl::LazyFrame) -> pl::LazyFrame {
    let flags = plan.get_current_optimizations() & !pl::OptFlags::COMM_SUBEXPR_ELIM;
    plan.with_optimizations(flags)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pl::IntoLazy as _;

    /// The name of the columns in which Polars keeps expressions that occur twice.
    const SHARED: &str = "__POLARS_CSER";

    /// A plan that uses one scalar twice.
    fn plan() -> pl::LazyFrame {
        let frame = polars::df!("n" => [1_i64, 2, 3]).expect("a frame").lazy();
        let most = || pl::col("n").max() * pl::lit(2);
        frame.select([(pl::col("n") + most()).alias("a"), (pl::col("n") * most()).alias("b")])
    }

    fn optimised(plan: &pl::LazyFrame) -> String {
        plan.describe_optimized_plan().expect("a plan")
    }

    #[test]
    fn expressions_that_occur_twice_are_not_shared() {
        assert!(!optimised(&without_shared_expressions(plan())).contains(SHARED));
        // Without the switch they are; where this fails, the tree of crates has lost the optimisation or renamed it.
        assert!(optimised(&plan()).contains(SHARED));
        let rows = collect(|| Ok(plan())).expect("rows");
        let column = |name: &str| rows.column(name).expect("a column").i64().expect("numbers").to_vec();
        assert_eq!(column("a"), [Some(7), Some(8), Some(9)]);
        assert_eq!(column("b"), [Some(6), Some(12), Some(18)]);
    }

    #[test]
    fn every_other_optimisation_stays() {
        let all = plan().get_current_optimizations();
        let left = without_shared_expressions(plan()).get_current_optimizations();
        assert!(all.contains(pl::OptFlags::COMM_SUBEXPR_ELIM));
        assert_eq!(left.bits(), (all & !pl::OptFlags::COMM_SUBEXPR_ELIM).bits());
    }

    /// The lint `disallowed_methods` reports the same, but only where clippy runs.
    #[test]
    fn no_other_file_runs_a_plan() {
        let mut folders = vec![std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
        let mut runners = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).expect("a source");
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                let runs = RUNNERS.iter().any(|call| code.contains(call));
                if runs && code.contains("polars::") {
                    runners.push(path.file_name().expect("a name").to_string_lossy().into_owned());
                }
            }
        }
        assert_eq!(runners, ["collect.rs"]);
    }

    /// Calls that run a plan. An iterator of results says what it is collected into, which sets it apart.
    const RUNNERS: &[&str] = &[
        ".collect()?",
        "collect_with_engine",
        "collect_concurrently",
        "collect_all",
        "collect_batches",
        ".profile(",
        ".sink(",
        ".sink_parquet(",
    ];
}
