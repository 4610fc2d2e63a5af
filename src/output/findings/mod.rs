//! Findings as text: one file a format.

pub mod csv;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod ocsf;
pub mod sarif;
pub mod table;

use crate::model::finding::Finding;
use crate::report::Report;

/// Returns the name of a finding's subject, else its id.
fn subject(f: &Finding) -> &str {
    f.subject.name.as_deref().filter(|n| !n.trim().is_empty()).unwrap_or(&f.subject.id)
}

/// Returns the title of a detection, else its slug.
fn title<'a>(report: &'a Report, f: &'a Finding) -> &'a str {
    report.detections.iter().find(|d| d.id == f.detection).map_or(&f.slug, |d| &d.title)
}
