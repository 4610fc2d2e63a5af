//! Widths and left bearings of the compiled-in font. In: its TrueType tables. Out: where each letter goes.
//!
//! plotters' bitmap backend drops the left bearing of every letter, which leaves words with uneven gaps
//! ("cri ti cal"). So the renderer sets letters one by one, and needs to know what the font says of each;
//! the same numbers measure a text, so that what fits is what is drawn.

use std::sync::OnceLock;

use super::canvas::Face;

/// What is read of one font.
pub(super) struct Metrics {
    cmap: Vec<Segment>,
    /// Advance and left bearing by glyph.
    glyphs: Vec<(u16, i16)>,
    units: f64,
}

/// One segment of the character map, format 4.
struct Segment {
    from: u16,
    to: u16,
    delta: u16,
    /// Glyphs by character where the segment lists them; else the delta alone decides.
    listed: Option<Vec<u16>>,
}

/// The metrics of a face; nothing where the font cannot be read.
pub(super) fn of(face: Face) -> Option<&'static Metrics> {
    static REGULAR: OnceLock<Option<Metrics>> = OnceLock::new();
    static BOLD: OnceLock<Option<Metrics>> = OnceLock::new();
    if face.bold {
        BOLD.get_or_init(|| Metrics::read(dejavu::sans::bold())).as_ref()
    } else {
        REGULAR.get_or_init(|| Metrics::read(dejavu::sans::regular())).as_ref()
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?)).ok()
}

/// Finds a table by its tag.
fn table<'a>(font: &'a [u8], tag: &[u8]) -> Option<&'a [u8]> {
    let count = usize::from(u16_at(font, 4)?);
    let entry = (0..count).map(|i| 12 + 16 * i).find(|at| font.get(*at..at + 4) == Some(tag))?;
    let (start, length) = (u32_at(font, entry + 8)?, u32_at(font, entry + 12)?);
    font.get(start..start.checked_add(length)?)
}

/// Reads the map of the Basic Multilingual Plane; characters beyond it show as the font's empty box.
fn character_map(cmap: &[u8]) -> Option<Vec<Segment>> {
    let count = usize::from(u16_at(cmap, 2)?);
    let offsets = (0..count).filter_map(|i| u32_at(cmap, 8 + 8 * i));
    let map = offsets.filter_map(|at| cmap.get(at..)).find(|map| u16_at(map, 0) == Some(4))?;
    let n = usize::from(u16_at(map, 6)?) / 2;
    (0..n)
        .map(|i| {
            let (to, from) = (u16_at(map, 14 + 2 * i)?, u16_at(map, 16 + 2 * (n + i))?);
            let delta = u16_at(map, 16 + 2 * (2 * n + i))?;
            let at = 16 + 2 * (3 * n + i);
            let listed = match u16_at(map, at)? {
                0 => None,
                offset => Some(
                    (0..=usize::from(to.saturating_sub(from)))
                        .map(|c| u16_at(map, at + usize::from(offset) + 2 * c).unwrap_or(0))
                        .collect(),
                ),
            };
            Some(Segment { from, to, delta, listed })
        })
        .collect()
}

impl Metrics {
    fn read(font: &[u8]) -> Option<Self> {
        let units = f64::from(u16_at(table(font, b"head")?, 18)?);
        let long = usize::from(u16_at(table(font, b"hhea")?, 34)?);
        let count = usize::from(u16_at(table(font, b"maxp")?, 4)?);
        let hmtx = table(font, b"hmtx")?;
        let glyphs = (0..count)
            .map(|i| {
                // Past the long entries the last advance holds on, and only bearings follow.
                let (advance, bearing) =
                    if i < long { (4 * i, 4 * i + 2) } else { (4 * (long - 1), 4 * long + 2 * (i - long)) };
                Some((u16_at(hmtx, advance)?, u16_at(hmtx, bearing)?.cast_signed()))
            })
            .collect::<Option<Vec<_>>>()?;
        let cmap = character_map(table(font, b"cmap")?)?;
        (units > 0.0 && long > 0 && !glyphs.is_empty()).then_some(Self { cmap, glyphs, units })
    }

    fn glyph(&self, c: char) -> usize {
        let Ok(code) = u16::try_from(c as u32) else { return 0 };
        let at = self.cmap.partition_point(|segment| segment.to < code);
        let Some(segment) = self.cmap.get(at).filter(|s| s.from <= code) else { return 0 };
        let glyph = match &segment.listed {
            None => code.wrapping_add(segment.delta),
            Some(list) => match list.get(usize::from(code - segment.from)).copied().unwrap_or(0) {
                0 => 0,
                glyph => glyph.wrapping_add(segment.delta),
            },
        };
        usize::from(glyph)
    }

    /// Advance and left bearing of a character at `em` pixels.
    fn letter(&self, c: char, em: i32) -> (f64, f64) {
        let (advance, bearing) = self.glyphs.get(self.glyph(c)).copied().unwrap_or(self.glyphs[0]);
        let scale = f64::from(em) / self.units;
        (f64::from(advance) * scale, f64::from(bearing) * scale)
    }

    /// Width of a line in pixels.
    pub(super) fn width(&self, text: &str, em: i32) -> i32 {
        text.chars().map(|c| self.letter(c, em).0).sum::<f64>().ceil() as i32
    }

    /// Every character that leaves ink, with the left edge of its ink counted from the line's start.
    pub(super) fn place(&self, text: &str, em: i32) -> Vec<(char, i32)> {
        let mut pen = 0.0_f64;
        let mut out = Vec::new();
        for c in text.chars() {
            let (advance, bearing) = self.letter(c, em);
            if !c.is_whitespace() {
                out.push((c, pen.round() as i32 + bearing.floor() as i32));
            }
            pen += advance;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_fonts_own_numbers() {
        for bold in [false, true] {
            let metrics = of(Face { em: 2048, bold }).expect("the font is readable");
            assert!(metrics.width("i", 2048) < metrics.width("m", 2048));
            assert_eq!(metrics.width("ii", 2048), 2 * metrics.width("i", 2048));
            assert_ne!(metrics.glyph('…'), 0);
            assert_ne!(metrics.glyph('◆'), 0);
            assert_eq!(metrics.glyph('漢'), 0);
            assert_eq!(metrics.glyph('\u{1f600}'), 0);
        }
        let regular = of(Face { em: 2048, bold: false }).expect("font");
        // From the font's own hmtx table: i is 569 units wide and starts at 193.
        assert_eq!(regular.letter('i', 2048), (569.0, 193.0));
    }

    #[test]
    fn a_broken_font_is_no_font() {
        assert!(Metrics::read(&[]).is_none());
        assert!(Metrics::read(&dejavu::sans::regular()[..5_000]).is_none());
    }
}
