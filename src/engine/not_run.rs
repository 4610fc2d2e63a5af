//! A detection that did not run, in words that a user can act on.
//!
//! In: the detection and the error. Out: [`NotRun`]: what failed, what to do, and the engine's own text last.

use super::findings::sentence;
use super::pack::Detection;
use super::{EngineError, EngineErrorKind};
use crate::model::finding::NotRun;

/// What the engine puts before its own text where a user wrote the query.
const BEGINNINGS: [&str; 2] = ["The query failed: ", "The SQL engine gave up: "];

/// A detection whose query, or what follows it, ended with an error.
pub(super) fn of_detection(detection: &Detection, error: &EngineError) -> NotRun {
    let id = detection.meta.id.clone();
    if error.kind == EngineErrorKind::Missing {
        return NotRun { detection: id, failed: false, reason: sentence(error) };
    }
    // Whoever stopped it says which limit it was and how to raise it.
    if error.kind == EngineErrorKind::Limit {
        return NotRun { detection: id, failed: true, reason: sentence(error) };
    }
    let what = match error.kind {
        EngineErrorKind::Refused => "Its query was refused.",
        EngineErrorKind::Panic => "The SQL engine panicked while it ran its query.",
        EngineErrorKind::Damaged => "A file of the lake that it reads is damaged.",
        EngineErrorKind::Query
        | EngineErrorKind::Schema
        | EngineErrorKind::Missing
        | EngineErrorKind::Limit => "Its query failed.",
    };
    let advice = match error.kind {
        EngineErrorKind::Damaged => error.hint.clone(),
        _ if detection.is_builtin() => {
            "This is a fault of patwatch, not of the data: please report it with the text below. \
            Running again with the environment variable POLARS_MAX_THREADS=1 may avoid it."
                .to_owned()
        }
        _ => format!("Fix the query in {}, and check it with `patwatch detections lint`.", detection.file),
    };
    NotRun { detection: id, failed: true, reason: format!("{what} {advice} {}", said(error)) }
}

/// A detection over the findings of another that did not run.
pub(super) fn without(detection: &Detection, other: &NotRun) -> NotRun {
    let NotRun { detection: id, reason, failed } = other;
    let reason = format!(
        "It counts the findings of {id}, which did not run, so its own are incomplete. {id}: {reason}"
    );
    NotRun { detection: detection.meta.id.clone(), failed: *failed, reason }
}

/// The event ids of findings could not be read; the findings stay.
pub(super) fn event_ids(error: &EngineError) -> NotRun {
    let failed = error.kind != EngineErrorKind::Missing;
    let reason = format!(
        "The findings are listed without their event ids, and their counts are those of the queries. {}",
        sentence(error)
    );
    NotRun { detection: "event ids of confirmed findings".to_owned(), failed, reason }
}

fn said(error: &EngineError) -> String {
    let text = error.text.trim();
    let text = BEGINNINGS.iter().find_map(|begin| text.strip_prefix(begin)).unwrap_or(text);
    format!("The engine says: {text}{}", if text.ends_with('.') { "" } else { "." })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Pack;

    fn detection() -> Detection {
        Pack::builtin().expect("a pack").detections.swap_remove(0)
    }

    #[test]
    fn a_failure_says_what_failed_and_what_to_do_before_the_engines_words() {
        let error = |kind| EngineError::new(kind, "The query failed: height of column 'x' (1)", "a hint");
        let own = detection();
        let n = of_detection(&own, &error(EngineErrorKind::Query));
        assert!(n.failed && n.detection == own.meta.id);
        assert!(n.reason.starts_with("Its query failed. This is a fault of patwatch"), "{}", n.reason);
        assert!(n.reason.ends_with(" The engine says: height of column 'x' (1)."), "{}", n.reason);
        let users = Detection { file: "packs/mine.sql".to_owned(), ..detection() };
        let n = of_detection(&users, &error(EngineErrorKind::Panic));
        assert!(n.reason.contains("Fix the query in packs/mine.sql"), "{}", n.reason);
        let n = of_detection(&own, &error(EngineErrorKind::Damaged));
        assert!(n.reason.contains("damaged. a hint The engine says"), "{}", n.reason);
    }

    #[test]
    fn a_limit_is_said_in_the_words_of_whoever_stopped_it() {
        let error = EngineError::new(EngineErrorKind::Limit, "It took longer than 5m", "Raise --time-limit.");
        let n = of_detection(&detection(), &error);
        assert_eq!((n.failed, n.reason.as_str()), (true, "It took longer than 5m. Raise --time-limit."));
    }

    #[test]
    fn a_missing_input_is_no_failure() {
        let n = of_detection(
            &detection(),
            &EngineError::new(EngineErrorKind::Missing, "no usage records", "Import some."),
        );
        assert_eq!((n.failed, n.reason.as_str()), (false, "no usage records. Import some."));
    }
}
