//! patwatch reads Azure DevOps audit events, attributes each one to the personal access token (PAT)
//! that made it, and answers three questions for every PAT: is it needed, is it wider than its use, and
//! does it behave oddly. Every answer carries its evidence and says what the log could not have shown.
//!
//! # Words
//!
//! - **event**: one audit log entry, normalised, from whatever shape it arrived in
//! - **token**: a PAT, identified by its authorizationId; one row per organisation
//! - **credential**: what the event's mechanism holds of that id, perhaps cut short
//! - **attribution**: credential to token: exact, by unique prefix, ambiguous, or unknown
//! - **origin**: an event whose id equals its correlationId; it began a *cascade*
//! - **inventory**: the tokens as the administration API lists them; **ledger**: as `Token.*` events tell of them
//! - **coverage**: for which spans the lake holds the log, and how that is known
//! - **verdict**: the answer on one token; **finding**: one detection's hit on one subject
//! - **lake**: the folder of Parquet that holds it all
//!
//! # Flow
//!
//! ```text
//! source --events--> lake --tables--> engine --rows--> analysis --Report--> output, chart
//! ```
//!
//! [`model`] is the vocabulary that all share and uses nobody; [`cli`] joins the steps, and it alone
//! prints, reads the clock and reads the environment.

#[macro_use]
pub mod model;

pub mod analysis;
pub mod chart;
pub mod cli;
pub mod config;
pub mod engine;
pub mod lab;
pub mod lake;
pub mod output;
pub mod report;
pub mod source;
