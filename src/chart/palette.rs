//! Fewer colours for smaller, faster PNGs. In: red, green, blue pixels. Out: a palette and one byte a pixel.
//!
//! A chart has a dozen inks; only the edges of letters and lines mix them. Those mixtures are rounded, the
//! inks never, so a fill has exactly the colour the theme names.

use std::collections::{HashMap, HashSet};

use super::theme::Ink;

/// A picture of at most 256 colours.
pub(super) struct Indexed {
    /// Red, green, blue of each colour.
    pub colours: Vec<u8>,
    /// A colour's number per pixel.
    pub pixels: Vec<u8>,
}

/// Reduces the picture, more coarsely where it must; nothing where even that leaves too many colours.
pub(super) fn index(pixels: &[u8], inks: &HashSet<Ink>) -> Option<Indexed> {
    [17, 51].into_iter().find_map(|step| reduce(pixels, inks, step))
}

fn reduce(pixels: &[u8], inks: &HashSet<Ink>, step: u8) -> Option<Indexed> {
    let round = |c: u8| (u16::from(c) + u16::from(step) / 2) / u16::from(step) * u16::from(step);
    let mut seen: HashMap<Ink, u8> = HashMap::new();
    let mut numbers: HashMap<Ink, u8> = HashMap::new();
    let mut out = Indexed { colours: Vec::new(), pixels: Vec::with_capacity(pixels.len() / 3) };
    // Neighbours are mostly equal, so the last answer saves most look-ups.
    let mut last: Option<(Ink, u8)> = None;
    for pixel in pixels.chunks_exact(3) {
        let ink = (pixel[0], pixel[1], pixel[2]);
        let known = last.filter(|(same, _)| *same == ink).map(|(_, number)| number);
        let number = match known.or_else(|| seen.get(&ink).copied()) {
            Some(number) => number,
            None => {
                let kept = if inks.contains(&ink) {
                    ink
                } else {
                    (round(ink.0) as u8, round(ink.1) as u8, round(ink.2) as u8)
                };
                let next = u8::try_from(numbers.len()).ok();
                let number = match numbers.get(&kept) {
                    Some(number) => *number,
                    None => {
                        let number = next?;
                        numbers.insert(kept, number);
                        out.colours.extend([kept.0, kept.1, kept.2]);
                        number
                    }
                };
                seen.insert(ink, number);
                number
            }
        };
        last = Some((ink, number));
        out.pixels.push(number);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_inks_and_rounds_mixtures() {
        let inks = HashSet::from([(1, 2, 3), (255, 255, 255)]);
        let indexed = index(&[1, 2, 3, 255, 255, 255, 120, 121, 122, 118, 119, 120], &inks).expect("few");
        assert_eq!(indexed.colours, [1, 2, 3, 255, 255, 255, 119, 119, 119]);
        assert_eq!(indexed.pixels, [0, 1, 2, 2]);
    }

    #[test]
    fn too_many_inks_are_left_alone() {
        let all: Vec<u8> = (0..=255).flat_map(|c| [c, c, c, c, 0, c]).collect();
        let inks = all.chunks(3).map(|p| (p[0], p[1], p[2])).collect();
        assert!(index(&all, &inks).is_none());
        assert!(index(&all, &HashSet::new()).is_some());
    }
}
