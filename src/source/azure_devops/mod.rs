//! The live services of Azure DevOps: audit log, token administration, Graph, entitlements, usage records.
//!
//! In: a way to sign in ([`auth`]), addresses ([`endpoints`]) and what to read. Out: raw pages, as they came,
//! handed to [`pages::Pages`] while the next page is being fetched; counts and failures as values. Parsing
//! the pages is the other half of [`super`]: a page is the same bytes that a user might have saved.
//!
//! [`audit`], [`inventory`], [`entitlements`] and [`usage`] each read one thing; [`doctor`] tries them all and
//! says what is missing; [`client`] alone speaks HTTP; [`fake`] is a server to try it against.

mod answer;
pub mod audit;
pub mod auth;
mod budget;
pub mod client;
pub mod doctor;
pub mod endpoints;
pub mod entitlements;
pub mod envelope;
pub mod error;
pub mod fake;
mod headway;
pub mod inventory;
mod network;
pub mod pages;
pub mod progress;
pub mod redact;
pub mod retry;
pub mod usage;
mod walk;

#[cfg(test)]
mod tests;

/// A future behind a pointer, so that traits with waiting in them can be objects.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
