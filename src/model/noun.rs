//! Numbers with their nouns, for every sentence that counts.
//!
//! In: a number and a noun in the singular. Out: both, the noun in the plural unless the number is one.

use std::fmt::Display;

/// Returns a number with its noun: "1 decision", "12 decisions", "0 days".
#[must_use]
pub fn counted(n: impl Display, noun: &str) -> String {
    let n = n.to_string();
    let s = if n == "1" { "" } else { "s" };
    format!("{n} {noun}{s}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_singular() {
        assert_eq!(
            [0, 1, 2, 11].map(|n| counted(n, "quiet hour")),
            ["0 quiet hours", "1 quiet hour", "2 quiet hours", "11 quiet hours"]
        );
        assert_eq!(counted(-1, "day"), "-1 days");
    }
}
