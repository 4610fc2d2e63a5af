//! The integration tests: the library on fixtures, and a few runs of the program as users run it.

mod architecture;
mod bad_input;
mod bundle;
mod lab;
mod lake;
mod live;
mod mmdb;
mod places;
mod pull;
mod pull_killed;
mod pull_trouble;
mod review;
mod rules;
mod support;
mod verdicts;
mod visibility;
