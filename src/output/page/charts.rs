//! Charts in the page: vector and crisp, and unable to act.

use crate::output::bundle::ChartFile;
use base64::Engine as _;
use serde_json::{Value, json};

/// Returns a chart for the template: inline where it is shapes and text only, else as an image.
pub(super) fn chart(chart: &ChartFile) -> Value {
    let inline = inline_svg(&chart.svg);
    let source = if inline.is_some() {
        String::new()
    } else {
        let bytes = base64::engine::general_purpose::STANDARD.encode(chart.svg.as_bytes());
        format!("data:image/svg+xml;base64,{bytes}")
    };
    json!({ "name": chart.name, "caption": chart.caption, "inline": inline, "source": source })
}

/// Returns an SVG that can stand in the page as it is: shapes and text only. Any other goes into an image
/// element, where nothing in it can act.
pub(super) fn inline_svg(svg: &str) -> Option<&str> {
    const ELEMENTS: &[&str] = &[
        "svg", "g", "rect", "line", "polyline", "polygon", "path", "circle", "ellipse", "text", "tspan",
        "title", "desc", "defs", "clipPath",
    ];
    let start = svg.find("<svg")?;
    let body = svg[start..].trim_end();
    if !body.ends_with("</svg>") {
        return None;
    }
    for (at, _) in body.match_indices('<') {
        let tag = &body[at + 1..];
        let end = tag.find('>')?;
        let tag = tag[..end].trim_start_matches('/');
        let name_end = tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len());
        let (name, attributes) = tag.split_at(name_end);
        // A quote left open, or the other kind of quote, could hide where the tag ends.
        let quoted = attributes.matches('"').count() % 2 == 0 && !attributes.contains('\'');
        let lower = attributes.to_ascii_lowercase();
        let mut words = lower.split(|c: char| c.is_whitespace() || c == '/' || c == '"');
        let acts = !quoted
            || ["href", "url(", "javascript", "&#"].iter().any(|word| lower.contains(word))
            || words.any(|a| (a.starts_with("on") || a.starts_with("style")) && a.contains('='));
        if !ELEMENTS.contains(&name) || acts {
            return None;
        }
    }
    Some(body)
}
