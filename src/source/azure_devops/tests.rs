//! Tests against the fake (being written).
