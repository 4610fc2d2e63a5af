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
pub(super) fn index(pixels: &[u8], width: usize, inks: &HashSet<Ink>) -> Option<Indexed> {
    [17, 51].into_iter().find_map(|step| reduce(pixels, width, inks, step))
}

fn reduce(pixels: &[u8], width: usize, inks: &HashSet<Ink>, step: u8) -> Option<Indexed> {
    let mut table = Table { inks, step, seen: HashMap::new(), numbers: HashMap::new(), colours: Vec::new() };
    let mut out: Vec<u8> = Vec::with_capacity(pixels.len() / 3);
    let mut above: &[u8] = &[];
    let mut last = (0, 0, 0);
    let mut number = table.number(last)?;
    for row in pixels.chunks_exact(width * 3) {
        if row == above {
            // Most rows of a chart repeat the one above.
            out.extend_from_within(out.len() - width..);
            continue;
        }
        above = row;
        for pixel in row.chunks_exact(3) {
            let ink = (pixel[0], pixel[1], pixel[2]);
            if ink != last {
                number = table.number(ink)?;
                last = ink;
            }
            out.push(number);
        }
    }
    Some(Indexed { colours: table.colours, pixels: out })
}

/// Colours given out so far.
struct Table<'a> {
    inks: &'a HashSet<Ink>,
    step: u8,
    seen: HashMap<Ink, u8>,
    numbers: HashMap<Ink, u8>,
    colours: Vec<u8>,
}

impl Table<'_> {
    /// The number of a colour, new where it must be; nothing when 256 are given out.
    fn number(&mut self, ink: Ink) -> Option<u8> {
        if let Some(number) = self.seen.get(&ink) {
            return Some(*number);
        }
        let step = u16::from(self.step);
        let round = |c: u8| ((u16::from(c) + step / 2) / step * step) as u8;
        let kept = if self.inks.contains(&ink) { ink } else { (round(ink.0), round(ink.1), round(ink.2)) };
        let number = match self.numbers.get(&kept) {
            Some(number) => *number,
            None => {
                let number = u8::try_from(self.numbers.len()).ok()?;
                self.numbers.insert(kept, number);
                self.colours.extend([kept.0, kept.1, kept.2]);
                number
            }
        };
        self.seen.insert(ink, number);
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_inks_and_rounds_mixtures() {
        let inks = HashSet::from([(1, 2, 3), (255, 255, 255)]);
        let indexed = index(&[1, 2, 3, 255, 255, 255, 120, 121, 122, 118, 119, 120], 2, &inks).expect("few");
        assert_eq!(indexed.colours, [0, 0, 0, 1, 2, 3, 255, 255, 255, 119, 119, 119]);
        assert_eq!(indexed.pixels, [1, 2, 3, 3]);
    }

    #[test]
    fn too_many_inks_are_left_alone() {
        let all: Vec<u8> = (0..=255).flat_map(|c| [c, c, c, c, 0, c]).collect();
        let inks = all.chunks(3).map(|p| (p[0], p[1], p[2])).collect();
        assert!(index(&all, 512, &inks).is_none());
        assert!(index(&all, 512, &HashSet::new()).is_some());
    }
}
