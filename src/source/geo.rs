//! Databases of countries and ASNs in MaxMind's format, which the user hands in; none is shipped.
//!
//! In: files. Out: what they tell of an address. Which fields a database holds is told by its records, not by its name:
//! those of GeoLite2 (Country, City, ASN) and the flat ones of other makers are read. Several files add up, and the
//! first that knows an answer gives it.

use crate::model::network::Site;
use maxminddb::{Reader, WithinOptions};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Networks of a database that are looked at to learn what it holds.
const PROBES: usize = 2_000;

/// One database.
pub struct Database {
    /// File name, without its folder.
    pub name: String,
    /// SHA-256 of the file.
    pub sha256: String,
    reader: Reader<Vec<u8>>,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A file that is no such database.
#[derive(Debug, thiserror::Error)]
pub enum GeoError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is of another format, or damaged.
    #[error("{} is no database in MaxMind's format: {why}", .path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// It holds something else.
    #[error("{} ({kind}) tells neither countries nor ASNs", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What it says that it is.
        kind: String,
    },
}

impl Database {
    /// Opens a database and makes sure that it tells countries or ASNs.
    ///
    /// # Errors
    /// When it cannot be read, is of another format, or tells neither.
    pub fn open(path: &Path) -> Result<Self, GeoError> {
        let bytes = std::fs::read(path).map_err(|source| GeoError::Io { path: path.to_owned(), source })?;
        let sha256 = format!("{:x}", Sha256::digest(&bytes));
        let format = |why: String| GeoError::Format { path: path.to_owned(), why };
        let reader = Reader::from_source(bytes).map_err(|e| format(e.to_string()))?;
        let kind = reader.metadata().database_type.clone();
        let networks = reader.networks(WithinOptions::default()).map_err(|e| format(e.to_string()))?;
        let mut holds = false;
        for network in networks.take(PROBES) {
            let record = network.and_then(|n| n.decode::<Value>()).map_err(|e| format(e.to_string()))?;
            holds = record.is_some_and(|record| site(&record) != Site::default());
            if holds {
                break;
            }
        }
        if !holds {
            return Err(GeoError::Content { path: path.to_owned(), kind });
        }
        let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        Ok(Self { name, sha256, reader })
    }

    /// What it tells of an address; nothing for one that it does not know.
    #[must_use]
    pub fn site(&self, address: IpAddr) -> Site {
        // An address that a database cannot hold, such as IPv6 in one of IPv4, is one that it does not know.
        let record = self.reader.lookup(address).and_then(|found| found.decode::<Value>());
        record.ok().flatten().map_or_else(Site::default, |record| site(&record))
    }
}

/// What several databases tell of an address.
#[must_use]
pub fn site_of(databases: &[Database], address: IpAddr) -> Site {
    databases.iter().fold(Site::default(), |known, database| {
        if known.country.is_some() && known.asn.is_some() && known.as_name.is_some() {
            return known;
        }
        let more = database.site(address);
        // A name belongs to its number: two databases may count the operator differently.
        let (asn, as_name) =
            if known.asn.is_some() { (known.asn, known.as_name) } else { (more.asn, more.as_name) };
        Site { country: known.country.or(more.country), asn, as_name }
    })
}

/// Reads a record, whoever made it.
fn site(record: &Value) -> Site {
    let text = |value: &Value| value.as_str().map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
    let country = ["country", "registered_country"]
        .iter()
        .find_map(|name| text(&record[*name]["iso_code"]).or_else(|| text(&record[*name])))
        .or_else(|| text(&record["country_code"]))
        .map(|code| code.to_uppercase())
        .filter(|code| code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase()));
    let number = |value: &Value| {
        let written =
            || value.as_str().and_then(|t| t.trim().trim_start_matches(['A', 'S', 'a', 's']).parse().ok());
        value.as_u64().or_else(written).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0)
    };
    let asn = number(&record["autonomous_system_number"]).or_else(|| number(&record["asn"]));
    let as_name = text(&record["autonomous_system_organization"]).or_else(|| text(&record["as_name"]));
    Site { country, asn, as_name: as_name.filter(|_| asn.is_some()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn records_of_several_makers_are_read() {
        let of = |record: Value| {
            let s = site(&record);
            (s.country.unwrap_or_default(), s.asn.unwrap_or_default(), s.as_name.unwrap_or_default())
        };
        let own = |country: &str, asn, name: &str| (country.to_owned(), asn, name.to_owned());
        assert_eq!(of(json!({"country": {"iso_code": "FR", "geoname_id": 1}})), own("FR", 0, ""));
        assert_eq!(of(json!({"registered_country": {"iso_code": "SE"}})), own("SE", 0, ""));
        let asn = json!({"autonomous_system_number": 64500, "autonomous_system_organization": "Example"});
        assert_eq!(of(asn), own("", 64500, "Example"));
        let flat = json!({"country": "de", "asn": "AS64501", "as_name": "Net of One"});
        assert_eq!(of(flat), own("DE", 64501, "Net of One"));
        assert_eq!(of(json!({"country_code": "BR", "city": "x"})), own("BR", 0, ""));
        assert_eq!(of(json!({"country": "Germany", "asn": 0})), own("", 0, ""));
        assert_eq!(of(json!("text")), own("", 0, ""));
    }
}
