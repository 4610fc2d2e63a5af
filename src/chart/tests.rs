//! Every chart on every sample: it decodes, is well-formed, repeats, and no text touches another or the edge.

use super::canvas::{Anchor, Canvas, Shape};
use super::samples::{self, HOSTILE};
use super::theme::WIDTH;
use super::{ChartError, list, picture, png, render, svg, text, timeline, timeline_png, timeline_svg};
use crate::report::series::Series;

fn all_samples() -> Vec<(&'static str, Series)> {
    vec![
        ("empty", Series::default()),
        ("small", samples::small()),
        ("usual", samples::usual()),
        ("large", samples::large()),
        ("hostile", samples::hostile()),
    ]
}

#[test]
fn a_gap_shorter_than_a_pixel_is_still_drawn() {
    let series = samples::large();
    let canvas = picture(list().iter().copied().find(|c| c.name() == "coverage").expect("chart"), &series);
    let gaps = canvas.shapes.iter().filter(|s| matches!(s, Shape::Fill(_, super::theme::VERMILLION))).count();
    // 500 gaps over 60 organisations, 30 of which are shown with 8 or 9 gaps each.
    assert!((30 * 8..=30 * 9).contains(&gaps), "{gaps}");
}

/// Fails where two texts overlap or one leaves the picture.
fn check_texts(name: &str, canvas: &Canvas) {
    let mut boxes: Vec<(i32, i32, i32, i32, &str)> = Vec::new();
    for shape in &canvas.shapes {
        let Shape::Text { text: words, x, y, face, anchor, .. } = shape else { continue };
        let width = text::width(words, *face);
        let left = match anchor {
            Anchor::Start => *x,
            Anchor::Middle => x - width / 2,
            Anchor::End => x - width,
        };
        let this = (left, y - face.em * 3 / 4, left + width, y + face.em / 5, words.as_str());
        assert!(
            this.0 >= 20 && this.2 <= WIDTH - 20 && this.1 >= 10 && this.3 <= canvas.height - 10,
            "{name}: \"{words}\" leaves the picture: {this:?}"
        );
        for other in &boxes {
            let apart = this.2 <= other.0 || other.2 <= this.0 || this.3 <= other.1 || other.3 <= this.1;
            assert!(apart, "{name}: \"{words}\" and \"{}\" overlap: {this:?} {other:?}", other.4);
        }
        boxes.push(this);
    }
    assert!(boxes.len() >= 3, "{name}: a picture has a finding, a subtitle and a source");
}

#[test]
fn nothing_usual_is_cut() {
    for (sample, series) in
        [("small", samples::small()), ("usual", samples::usual()), ("large", samples::large())]
    {
        let mut drawn: Vec<_> = list().iter().map(|chart| (chart.name(), picture(*chart, &series))).collect();
        drawn.push(("timeline", timeline::picture(&samples::timeline())));
        for (name, canvas) in drawn {
            for shape in &canvas.shapes {
                let Shape::Text { text, .. } = shape else { continue };
                assert!(!text.contains('…'), "{name} on {sample} cuts \"{text}\"");
            }
        }
    }
}

/// Walks through an XML text: tags nest, entities are known, every character is allowed.
fn check_xml(name: &str, xml: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = xml;
    while let Some(at) = rest.find('<') {
        check_characters(name, &rest[..at]);
        let end = rest.find('>').unwrap_or_else(|| panic!("{name}: open tag at the end"));
        let tag = &rest[at + 1..end];
        assert!(!tag.contains('<'), "{name}: < inside a tag: {tag}");
        assert_eq!(tag.matches('"').count() % 2, 0, "{name}: odd quotes: {tag}");
        let word = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        assert!(word.chars().all(|c| c.is_ascii_lowercase()), "{name}: strange tag {tag}");
        check_characters(name, tag);
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(word), "{name}: tags do not nest");
        } else if !tag.ends_with('/') {
            open.push(word);
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{name}: {open:?} left open");
}

fn check_characters(name: &str, text: &str) {
    for c in text.chars() {
        assert!(!c.is_control() || c == '\n', "{name}: {c:?} in the picture");
        assert!(!('\u{202a}'..='\u{202e}').contains(&c), "{name}: {c:?} in the picture");
    }
    for (at, _) in text.match_indices('&') {
        let known = ["&amp;", "&lt;", "&gt;", "&quot;", "&apos;"].iter().any(|e| text[at..].starts_with(e));
        assert!(known, "{name}: bare & in {text}");
    }
}

fn check_png(name: &str, bytes: &[u8]) {
    let mut reader = ::png::Decoder::new(std::io::Cursor::new(bytes)).read_info().expect(name);
    let dots = reader.info().pixel_dims.expect("resolution");
    assert_eq!(dots.xppu, super::theme::DOTS_PER_METRE);
    let mut pixels = vec![0; reader.output_buffer_size().expect("size")];
    let info = reader.next_frame(&mut pixels).expect(name);
    assert_eq!(info.width, WIDTH as u32);
    assert!(info.height <= 4_000, "{name}: {} high", info.height);
    assert!(pixels.iter().any(|p| *p < 100), "{name}: nothing was drawn");
}

#[test]
fn texts_never_touch_and_stay_inside() {
    for (sample, series) in all_samples() {
        for chart in list() {
            check_texts(&format!("{} on {sample}", chart.name()), &picture(*chart, &series));
        }
    }
    check_texts("timeline", &timeline::picture(&samples::timeline()));
    for (i, hard) in samples::hard_timelines().iter().enumerate() {
        check_texts(&format!("timeline {i}"), &timeline::picture(hard));
    }
}

#[test]
fn svg_is_well_formed_inert_and_repeats() {
    for (sample, series) in all_samples() {
        for chart in list() {
            let name = format!("{} on {sample}", chart.name());
            let one = svg(chart.name(), &series).expect(&name);
            check_xml(&name, &one);
            assert!(!one.contains("<script") && !one.contains("javascript:"), "{name}");
            assert!(one.contains("font-family=\"DejaVu Sans, sans-serif\""), "{name}");
            assert_eq!(one, svg(chart.name(), &series).expect(&name), "{name} differs when drawn again");
        }
    }
    for (i, hard) in samples::hard_timelines().iter().enumerate() {
        check_xml(&format!("timeline {i}"), &timeline_svg(hard).expect("timeline"));
    }
}

#[test]
fn png_decodes() {
    for (sample, series) in all_samples() {
        for chart in list() {
            let name = format!("{} on {sample}", chart.name());
            check_png(&name, &png(chart.name(), &series).expect(&name));
        }
    }
    for hard in samples::hard_timelines() {
        check_png("timeline", &timeline_png(&hard).expect("timeline"));
    }
}

#[test]
fn png_repeats() {
    let series = samples::usual();
    for chart in list() {
        let draw = || render::pixels(&picture(*chart, &series)).expect("pixels");
        assert!(draw() == draw(), "{} differs when drawn again", chart.name());
    }
    // What comes after the pixels is one path for all, so one chart and one timeline stand for it.
    let draw = || png("hours", &series).expect("png");
    assert!(draw() == draw());
    let draw = || timeline_png(&samples::timeline()).expect("png");
    assert!(draw() == draw());
}

#[test]
fn an_unknown_name_lists_the_known_ones() {
    let error = png("pie", &Series::default()).expect_err("no pie");
    assert!(matches!(error, ChartError::Unknown { .. }));
    for chart in list() {
        assert!(error.to_string().contains(chart.name()), "{error}");
    }
    let error = png(HOSTILE, &Series::default()).expect_err("no such chart").to_string();
    assert!(!error.contains(['\u{202e}', '\u{1b}']), "the error repeats control characters");
}

#[test]
fn names_are_unique_and_described() {
    let mut names: Vec<_> = list().iter().map(|c| c.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), list().len());
    assert!(list().iter().all(|c| c.describe().ends_with('.') && !c.title().ends_with('.')));
}

#[test]
fn nothing_to_draw_is_said_in_words() {
    for chart in list() {
        let drawn = svg(chart.name(), &Series::default()).expect("svg");
        assert!(drawn.contains(chart.nothing()), "{}", chart.name());
    }
}

/// Writes every picture to the folder that `PATWATCH_CHART_OUT` names, to be looked at.
#[test]
fn pictures_to_look_at() {
    let Some(folder) = std::env::var_os("PATWATCH_CHART_OUT").map(std::path::PathBuf::from) else { return };
    for (sample, series) in all_samples() {
        for chart in list() {
            let path = folder.join(format!("{}-{sample}", chart.name()));
            std::fs::write(path.with_extension("png"), png(chart.name(), &series).expect("png"))
                .expect("write");
            std::fs::write(path.with_extension("svg"), svg(chart.name(), &series).expect("svg"))
                .expect("write");
        }
    }
    let mut timelines = samples::hard_timelines();
    timelines.push(samples::timeline());
    for (i, one) in timelines.iter().enumerate() {
        let bytes = render::png(&timeline::picture(one)).expect("png");
        std::fs::write(folder.join(format!("timeline-{i}.png")), bytes).expect("write");
        std::fs::write(folder.join(format!("timeline-{i}.svg")), timeline_svg(one).expect("svg"))
            .expect("write");
    }
}
