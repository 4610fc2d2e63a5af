//! The integration tests: the library on fixtures, and a few runs of the program as users run it.

mod architecture;
mod bad_input;
mod bundle;
mod compare;
mod copies;
mod decisions;
mod hostile;
#[cfg(unix)]
mod interrupted;
mod json_tables;
mod lab;
mod lake;
mod lake_trouble;
mod limits;
mod lists;
mod live;
mod mmdb;
mod not_run;
mod places;
mod printed;
mod pull;
mod pull_killed;
mod pull_trouble;
mod review;
mod rules;
mod sizes;
mod support;
mod verdicts;
mod visibility;
mod worlds;
