//! The configuration file: thresholds, the organisation's networks and hours, approved exceptions.
//!
//! In: TOML text. Out: a checked [`Config`]; a fault names line and column. Everything has a default, so no
//! file is needed.

use crate::model::policy::Policy;
use crate::model::time::{Micros, parse_day, parse_time};

/// What the file holds.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Thresholds.
    pub policy: Policy,
    /// Networks that belong to the organisation, as CIDR.
    pub networks: Vec<String>,
    /// Findings that somebody approved.
    #[serde(rename = "exception")]
    pub exceptions: Vec<Exception>,
}

/// An approved exception.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// Detection id or family.
    pub detection: String,
    /// Token id, or another subject.
    pub subject: String,
    /// Organisation.
    pub org: Option<String>,
    /// Who approved it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Last day on which it holds, `YYYY-MM-DD`.
    pub end_date: String,
}

/// A fault in the file.
#[derive(Debug, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct ConfigError {
    /// File name.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What is wrong, and the mend.
    pub message: String,
}

impl Config {
    /// Reads the text of a configuration file named `file`.
    ///
    /// # Errors
    /// When it is no TOML, holds an unknown key, or a value out of its range.
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        let at = |offset: usize, message: String| {
            let before = &text[..offset.min(text.len())];
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
            ConfigError { file: file.to_owned(), line, column, message }
        };
        let config: Self =
            toml::from_str(text).map_err(|e| at(e.span().map_or(0, |s| s.start), e.message().to_owned()))?;
        let place = |word: &str| text.find(word).unwrap_or(0);
        for (name, value) in [
            ("min_covered_days", config.policy.min_covered_days),
            ("max_lifetime_days", config.policy.max_lifetime_days),
            ("learning_days", config.policy.learning_days),
        ] {
            if !(1..=3650).contains(&value) {
                return Err(at(
                    place(name),
                    format!("{name} = {value} is out of range; give 1 to 3650 days"),
                ));
            }
        }
        for network in &config.networks {
            if !is_cidr(network) {
                return Err(at(
                    place(network),
                    format!("\"{network}\" is no network; write it as 203.0.113.0/24 or 2001:db8::/32"),
                ));
            }
        }
        for exception in &config.exceptions {
            if exception.ends().is_none() {
                let message =
                    format!("end_date = \"{}\" is no day; write it as 2026-12-31", exception.end_date);
                return Err(at(place(&exception.end_date), message));
            }
        }
        Ok(config)
    }
}

impl Exception {
    /// The instant at which it ends: the end of its last day.
    #[must_use]
    pub fn ends(&self) -> Option<Micros> {
        match parse_day(&self.end_date) {
            Some(day) => Some(crate::model::time::day_start(day + 1)),
            None => parse_time(&self.end_date),
        }
    }
}

fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    match (address.parse::<std::net::IpAddr>(), bits.parse::<u8>()) {
        (Ok(std::net::IpAddr::V4(_)), Ok(bits)) => bits <= 32,
        (Ok(std::net::IpAddr::V6(_)), Ok(bits)) => bits <= 128,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_name_their_place() {
        let text = "[policy]\nmin_covered_days = 20\nmax_lifetime = 3\n";
        let error = Config::parse("patwatch.toml", text).unwrap_err();
        assert_eq!((error.line, error.column), (3, 1), "{error}");
        let error = Config::parse("p", "networks = [\"10.0.0.0\"]").unwrap_err();
        assert!(error.to_string().contains("is no network"), "{error}");
        let config = Config::parse("p", "[policy]\nmin_covered_days = 20\n").unwrap();
        assert_eq!(config.policy.min_covered_days, 20);
        assert_eq!(config.policy.max_lifetime_days, Policy::default().max_lifetime_days);
    }
}
