//! The integration tests: the library on fixtures, and a few runs of the program as users run it.

mod architecture;
mod bundle;
mod bad_input;
mod support;
mod verdicts;
