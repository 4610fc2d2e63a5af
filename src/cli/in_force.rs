//! The detections that a run uses: the pack, less what the configuration switches off, with the severities that it sets.
//!
//! In: the pack and `[detections]` of the configuration. Out: the graded pack, [`InForce`], and a warning for each name that matches nothing.

use crate::config::Detections;
use crate::engine::pack::Pack;
use crate::model::finding::NotRun;
use crate::report::settings::{SetSeverity, Settings};

/// What the configuration changes of whichever pack runs.
#[derive(Debug)]
pub(super) struct InForce {
    /// What was changed.
    pub settings: Settings,
}

/// Applies `[detections]` to a pack: its detections get the severities in force.
pub(super) fn in_force(pack: &mut Pack, config: &Detections) -> (InForce, Vec<String>) {
    let mut settings = Settings::default();
    let mut warnings = Vec::new();
    let mut unknown = |key: &str, name: &str| {
        warnings.push(format!(
            "[detections] {key} of the configuration names \"{name}\", which is no detection{} here: it changes nothing; `patwatch detections list` prints them all",
            if key == "off" { " or family" } else { "" }
        ));
    };
    for name in &config.off {
        let ids: Vec<String> =
            pack.select(std::slice::from_ref(name)).iter().map(|d| d.meta.id.clone()).collect();
        if ids.is_empty() {
            unknown("off", name);
        }
        settings.off.extend(ids);
    }
    settings.off.sort_unstable();
    settings.off.dedup();
    for (name, severity) in &config.severity {
        let found =
            pack.detections.iter_mut().find(|d| d.meta.id.eq_ignore_ascii_case(name) || d.meta.slug == *name);
        let Some(detection) = found else {
            unknown("severity", name);
            continue;
        };
        settings.severity.push(SetSeverity {
            detection: detection.meta.id.clone(),
            before: detection.meta.severity,
            after: *severity,
        });
        detection.meta.severity = *severity;
        detection.set_severity = Some(*severity);
    }
    settings.severity.sort_by(|a, b| a.detection.cmp(&b.detection));
    (InForce { settings }, warnings)
}

impl InForce {
    /// Returns the detections of a pack that run.
    pub(super) fn running(&self, pack: &Pack) -> Pack {
        let on = pack.detections.iter().filter(|d| !self.settings.off.contains(&d.meta.id));
        Pack { detections: on.cloned().collect() }
    }

    /// Returns the selected detections that do not run since they are switched off.
    pub(super) fn switched_off(&self, pack: &Pack, select: &[String]) -> Vec<NotRun> {
        let selected = pack.select(select).into_iter();
        selected
            .filter(|d| self.settings.off.contains(&d.meta.id))
            .map(|d| NotRun {
                detection: d.meta.id.clone(),
                reason: "The configuration switches it off.".to_owned(),
                failed: false,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::finding::Severity;

    #[test]
    fn detections_are_switched_off_and_graded_and_typos_are_reported() {
        let config = Detections {
            off: vec!["pat-p015".into(), "hygiene".into(), "PAT-P999".into()],
            severity: [("PAT-A001".to_owned(), Severity::Low), ("nothing".to_owned(), Severity::High)].into(),
        };
        let mut pack = Pack::builtin().expect("the pack");
        let n = pack.detections.len();
        let (found, warnings) = in_force(&mut pack, &config);
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings[0].contains("PAT-P999") && warnings[1].contains("\"nothing\""), "{warnings:?}");
        assert!(found.settings.off.contains(&"PAT-P015".to_owned()));
        assert_eq!(found.running(&pack).detections.len(), n - found.settings.off.len());
        assert!(found.running(&pack).get("PAT-H001").is_none());
        let off = found.switched_off(&pack, &["PAT-P015".to_owned()]);
        assert!(off.len() == 1 && !off[0].failed, "{off:?}");
        assert_eq!(pack.get("PAT-A001").map(|d| d.meta.severity), Some(Severity::Low));
        assert_eq!(found.settings.severity[0].after, Severity::Low);
    }
}
