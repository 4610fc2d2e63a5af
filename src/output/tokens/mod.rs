//! The token list as text: one file a format.

pub mod csv;
pub mod json;
pub mod markdown;
pub mod table;
