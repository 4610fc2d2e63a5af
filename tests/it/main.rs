//! The integration tests: the library on fixtures, and a few runs of the program as users run it.

mod architecture;
mod bad_input;
mod bundle;
mod lab;
mod pull;
mod support;
mod verdicts;
