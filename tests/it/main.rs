//! The integration tests: the library on fixtures, and a few runs of the program as users run it.

mod anonymised;
mod architecture;
mod bad_input;
mod bundle;
mod cases;
mod compare;
mod copies;
mod decisions;
mod evidence;
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
mod proxy;
mod pull;
mod pull_killed;
mod pull_trouble;
mod review;
mod rules;
mod secrets;
mod sizes;
mod support;
mod verdicts;
mod visibility;
mod weeks;
mod worlds;
