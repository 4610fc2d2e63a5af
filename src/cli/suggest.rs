//! "Did you mean": the known name that a mistyped one is nearest to.
//!
//! In: what was typed and the names there are. Out: a hint, or none where no name is near.

use crate::engine::pack::Pack;

/// Least likeness, 0 to 1, that is worth a hint: two letters swapped in a short id still reach it.
const LEAST: f64 = 0.8;

/// What prints the detections.
const LIST: &str = "`patwatch detections list`";

/// Returns the known name nearest to `typed`.
fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = typed.trim().to_lowercase();
    let near = known.into_iter().map(|name| (strsim::jaro_winkler(&lower, &name.to_lowercase()), name));
    // Of equally near names the first: an order that does not depend on the search.
    let best = near
        .filter(|(likeness, _)| *likeness >= LEAST)
        .reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.map(|(_, name)| name)
}

/// Returns the hint on a name that is not known.
pub(super) fn hint<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>, list: &str) -> String {
    match nearest(typed, known) {
        Some(name) => format!("did you mean {name}? {list} lists them all"),
        None => format!("{list} lists them all"),
    }
}

/// The same for detections: ids, with `families` also those, and slugs.
pub(super) fn detection(typed: &str, pack: &Pack, families: bool) -> String {
    if let Some(id) = spelled(typed, pack) {
        return hint(id, [id], LIST);
    }
    let named = pack.detections.iter().flat_map(|d| {
        let family = families.then(|| d.meta.family.as_str());
        [d.meta.id.as_str(), d.meta.slug.as_str()].into_iter().chain(family)
    });
    hint(typed, named, LIST)
}

/// The id that was written without `PAT-`, without its dash or without a nought: `a3`, `PATA003`, `PAT-A03`.
fn spelled<'a>(typed: &str, pack: &'a Pack) -> Option<&'a str> {
    let bare = |id: &str| -> Option<(String, u32)> {
        let id = id.to_lowercase().replace(['-', '_', ' '], "");
        let id = id.strip_prefix("pat").unwrap_or(&id);
        let digits = id.find(|c: char| c.is_ascii_digit())?;
        Some((id[..digits].to_owned(), id[digits..].parse().ok()?))
    };
    let wanted = bare(typed)?;
    pack.detections.iter().map(|d| d.meta.id.as_str()).find(|id| bare(id).as_ref() == Some(&wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_detection_is_guessed() {
        let pack = Pack::with_folders(&[]).expect("the pack");
        for (typed, meant) in [
            ("A003", "PAT-A003"),
            ("pat-a3", "PAT-A003"),
            ("PAT_A003", "PAT-A003"),
            ("first-powerfull-action", "first-powerful-action"),
            ("anomalies", "anomaly"),
        ] {
            assert_eq!(
                detection(typed, &pack, true),
                format!("did you mean {meant}? `patwatch detections list` lists them all")
            );
        }
        for typed in ["", "zebra", "42"] {
            assert_eq!(detection(typed, &pack, true), "`patwatch detections list` lists them all", "{typed}");
        }
        // A family is no detection.
        assert!(!detection("anomalies", &pack, false).contains("mean anomaly?"));
    }
}
