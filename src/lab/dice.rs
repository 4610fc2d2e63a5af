//! Chance from a seed: purpose and index in, the same choices out on every machine and in every run.
//!
//! Each purpose has its own stream of ChaCha, so that a new kind of token does not shift the dice of all
//! others. Only integer arithmetic, products and comparisons are used: `exp` and `ln` differ between
//! platforms in the last bit, and one bit would break the drift check of the sample.

use rand::{RngCore as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// A stream of chance.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// Opens the stream that belongs to `purpose` and `index`.
    pub(super) fn new(seed: u64, purpose: &str, index: usize) -> Self {
        let mut stream = 0xcbf2_9ce4_8422_2325_u64;
        for byte in purpose.bytes().chain((index as u64).to_le_bytes()) {
            stream = (stream ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self(generator)
    }

    /// Returns a number below `n`; 0 when there is no choice.
    pub(super) fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { (self.0.next_u64() % n as u64) as usize }
    }

    /// Returns a number from `low` up to, not including, `high`.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = high.saturating_sub(low);
        if width <= 0 { low } else { low + (self.0.next_u64() % width as u64) as i64 }
    }

    /// Returns a number from 0 up to, not including, 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Comes true with probability `p`.
    pub(super) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Picks one of a list that is not empty.
    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// Picks one of a list by weight.
    pub(super) fn weighted<T: Copy>(&mut self, from: &[(T, u32)]) -> T {
        let total: u32 = from.iter().map(|(_, weight)| weight).sum();
        let mut left = self.below(total as usize) as u32;
        for (value, weight) in from {
            if left < *weight {
                return *value;
            }
            left -= weight;
        }
        from[0].0
    }

    /// Returns a count with the given mean, scattered much like a Poisson count (a sum of rare trials).
    pub(super) fn count(&mut self, mean: f64) -> usize {
        let trials = 4 * (mean as usize + 1);
        let p = mean / trials as f64;
        (0..trials).filter(|_| self.chance(p)).count()
    }

    /// Puts a list in random order.
    pub(super) fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at + 1));
        }
    }

    /// Returns a random GUID of version 4.
    pub(super) fn guid(&mut self) -> String {
        self.guid_of_version('4')
    }

    /// Returns a random GUID with the given version nibble.
    pub(super) fn guid_of_version(&mut self, version: char) -> String {
        let (high, low) = (self.0.next_u64(), self.0.next_u64());
        let variant = 8 + ((low >> 62) & 3);
        let text = format!("{high:016x}{low:016x}");
        format!(
            "{}-{}-{version}{}-{variant:x}{}-{}",
            &text[..8],
            &text[8..12],
            &text[13..16],
            &text[17..20],
            &text[20..32]
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_repeats_and_differs_from_its_neighbours() {
        let row = |purpose: &str, index| {
            let mut dice = Dice::new(7, purpose, index);
            (0..8).map(|_| dice.below(1_000)).collect::<Vec<_>>()
        };
        assert_eq!(row("a", 1), row("a", 1));
        assert_ne!(row("a", 1), row("a", 2));
        assert_ne!(row("a", 1), row("b", 1));
    }

    #[test]
    fn counts_have_their_mean() {
        let mut dice = Dice::new(1, "mean", 0);
        let total: usize = (0..4_000).map(|_| dice.count(2.5)).sum();
        assert!((9_500..10_500).contains(&total), "{total}");
        assert_eq!(dice.guid().len(), 36);
        assert_eq!(&dice.guid_of_version('7')[14..15], "7");
    }
}
