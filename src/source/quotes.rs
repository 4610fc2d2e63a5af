//! Quotes of sixty-four bytes as bits, for the scans of nested JSON and of CSV.

/// Which bytes lie between two quotes, the first of each pair included: those with an odd number of quotes up to them.
#[inline]
pub(super) const fn within(mut quotes: u64) -> u64 {
    let mut shift = 1;
    while shift < 64 {
        quotes ^= quotes << shift;
        shift *= 2;
    }
    quotes
}
