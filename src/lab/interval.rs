//! Rates and what may be said of them from few runs: Wilson intervals, and a bootstrap over runs.

use serde::{Deserialize, Serialize};

use super::dice::Dice;

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// How many.
    pub hits: u64,
    /// Of how many.
    pub of: u64,
    /// The share; none of none has no share.
    pub share: Option<f64>,
    /// Lower end of the 95 % Wilson interval.
    pub low: f64,
    /// Upper end of the 95 % Wilson interval.
    pub high: f64,
}

/// Two-sided 95 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

impl Rate {
    /// Builds the rate and its interval.
    #[must_use]
    pub fn new(hits: u64, of: u64) -> Self {
        if of == 0 {
            return Self { hits, of, share: None, low: 0.0, high: 1.0 };
        }
        let (n, p) = (of as f64, hits as f64 / of as f64);
        let scale = 1.0 + Z * Z / n;
        let middle = (p + Z * Z / (2.0 * n)) / scale;
        let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
        Self { hits, of, share: Some(p), low: (middle - half).max(0.0), high: (middle + half).min(1.0) }
    }

    /// The rate of both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::new(self.hits + other.hits, self.of + other.of)
    }
}

/// A mean over runs with its 95 % bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Draws this many samples; enough that the ends move in the third digit only.
const DRAWS: usize = 2_000;

impl Mean {
    /// Means `values`, and draws them again with replacement to see how far the mean could lie elsewhere.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        if values.is_empty() {
            return Self { mean: 0.0, low: 0.0, high: 0.0 };
        }
        let mean = |sum: f64| sum / values.len() as f64;
        // A fixed seed: the same runs give the same table.
        let mut dice = Dice::new(95, "bootstrap", values.len());
        let mut draws: Vec<f64> =
            (0..DRAWS).map(|_| mean(values.iter().map(|_| *dice.pick(values)).sum())).collect();
        draws.sort_by(f64::total_cmp);
        Self { mean: mean(values.iter().sum()), low: draws[DRAWS / 40], high: draws[DRAWS - 1 - DRAWS / 40] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_agrees_with_the_textbook() {
        let rate = Rate::new(9, 10);
        assert!((rate.low - 0.5958).abs() < 1e-3 && (rate.high - 0.9821).abs() < 1e-3, "{rate:?}");
        assert_eq!(Rate::new(0, 0).share, None);
        assert_eq!(Rate::new(1, 2).and(Rate::new(2, 2)), Rate::new(3, 4));
    }

    #[test]
    fn the_bootstrap_holds_its_mean() {
        let mean = Mean::of(&[0.1, 0.2, 0.3, 0.4, 0.5]);
        assert!(mean.low < mean.mean && mean.mean < mean.high);
        assert_eq!(mean, Mean::of(&[0.1, 0.2, 0.3, 0.4, 0.5]));
        let one = Mean::of(&[2.0]);
        assert!((one.low - 2.0).abs() < 1e-9 && (one.high - 2.0).abs() < 1e-9);
    }
}
