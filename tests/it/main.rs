//! The integration tests: the library on fixtures, and a few runs of the program as users run it.

mod architecture;
mod bad_input;
mod bundle;
mod pull;
mod rules;
mod support;
mod verdicts;
mod visibility;
