//! Frameworks and their controls: which finding bears on which, and what this report is evidence for.
//!
//! In: `queries/catalogue/controls.csv`, compiled in. Out: the controls of a detection by its family or slug, and
//! per framework what the report gives and what it does not. The numbers of paid standards are cited, their text
//! is not.

use crate::model::finding::{DetectionMeta, Family, Finding};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::LazyLock;

const FILE: &str = include_str!("../../queries/catalogue/controls.csv");

/// One control of one framework.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct Control {
    /// Framework with its version.
    pub framework: String,
    /// Number as findings carry it, such as `NIST AC-2(3)`.
    pub control: String,
    /// Its title, or what it is about.
    pub title: String,
    /// Families and slugs of the detections that bear on it.
    detections: String,
    /// Evidence that this report gives.
    pub gives: String,
    /// What it cannot give.
    pub missing: String,
}

impl Control {
    /// Tells whether a detection bears on it.
    #[must_use]
    pub fn concerns(&self, family: Family, slug: &str) -> bool {
        self.detections.split_whitespace().any(|word| word == family.as_str() || word == slug)
    }
}

/// Every control, framework by framework.
#[must_use]
pub fn controls() -> &'static [Control] {
    static CONTROLS: LazyLock<Vec<Control>> = LazyLock::new(|| {
        ::csv::Reader::from_reader(FILE.as_bytes()).into_deserialize().filter_map(Result::ok).collect()
    });
    &CONTROLS
}

/// Frameworks in the order of the file.
#[must_use]
pub fn frameworks() -> Vec<&'static str> {
    let mut names: Vec<&str> = controls().iter().map(|c| c.framework.as_str()).collect();
    names.dedup();
    names
}

/// Adds the controls of the catalogue to those that a detection names itself.
pub fn complete(findings: &mut [Finding], detections: &mut [DetectionMeta]) {
    let complete = |own: &[String], family: Family, slug: &str| {
        let mut list = own.to_vec();
        for control in controls().iter().filter(|c| c.concerns(family, slug)).map(|c| &c.control) {
            if !list.contains(control) {
                list.push(control.clone());
            }
        }
        list
    };
    // Findings come by the thousand, detections by the dozen: those of one detection share a list.
    let mut known: HashMap<(Family, String), Arc<[String]>> = HashMap::new();
    for finding in findings {
        let slug = &finding.slug;
        let list = match known.get(&(finding.family, slug.clone())) {
            Some(list) => list,
            None => known
                .entry((finding.family, slug.clone()))
                .or_insert_with(|| complete(&finding.controls, finding.family, slug).into()),
        };
        finding.controls = Arc::clone(list);
    }
    for detection in detections {
        detection.controls = complete(&detection.controls, detection.family, &detection.slug);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::pack::Pack;

    #[test]
    fn the_catalogue_reads_whole_and_names_detections_that_exist() {
        assert_eq!(controls().len(), FILE.lines().count() - 1);
        let pack = Pack::with_folders(&[]).expect("the pack");
        for control in controls() {
            assert!(!control.gives.is_empty() && !control.missing.is_empty(), "{}", control.control);
            for word in control.detections.split_whitespace() {
                let known = word.parse::<Family>().is_ok() || pack.get(word).is_some();
                assert!(known, "{}: nothing is called {word}", control.control);
            }
        }
    }

    #[test]
    fn every_detection_bears_on_every_framework_that_fits() {
        let pack = Pack::with_folders(&[]).expect("the pack");
        for meta in pack.detections.iter().map(|d| &d.meta) {
            for framework in frameworks() {
                // The list on non-human identities has no place for settings of an organisation.
                if meta.family == Family::Posture && framework.starts_with("OWASP") {
                    continue;
                }
                let some = controls()
                    .iter()
                    .any(|c| c.framework == framework && c.concerns(meta.family, &meta.slug));
                assert!(some, "{} has no control of {framework}", meta.id);
            }
        }
    }
}
