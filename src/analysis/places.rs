//! The table `places`: what the user's context tells of the networks that the log shows.
//!
//! In: the addresses of the window and the networks of the tokens' whole history, the organisation's own networks, and
//! a look-up of addresses. Out: one row an organisation and network (a /24 or /48), true only where all the addresses that
//! this organisation's log shows of it agree: what another organisation shows changes nothing. Without
//! context there is no row, and prefixes stand in.

use crate::engine::tables::{Table, TableBuilder};
use crate::engine::{Engine, EngineError};
use crate::model::network::{self, Cidr, Site};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What is known of one network.
#[derive(Debug, Default)]
struct Place {
    own: bool,
    site: Site,
    addresses: i64,
}

/// Builds the table.
///
/// # Errors
/// When the addresses cannot be read.
pub fn table(
    engine: &Engine,
    own: &[Cidr],
    look_up: Option<&dyn Fn(IpAddr) -> Site>,
) -> Result<Table, EngineError> {
    let mut places: BTreeMap<(String, String), Place> = BTreeMap::new();
    if !own.is_empty() || look_up.is_some() {
        let look_up = |address| look_up.map_or_else(Site::default, |of| of(address));
        let rows = engine.query(
            "SELECT org, network, address FROM activity WHERE network IS NOT NULL AND address IS NOT NULL GROUP BY org, network, address",
        )?;
        for row in 0..rows.len() {
            let [org, network, address] = ["org", "network", "address"].map(|column| rows.text(row, column));
            let (Some(org), Some(network), Some(address)) = (org, network, address) else { continue };
            let Some(address) = network::parse(address.trim()) else { continue };
            let one = Place {
                own: own.iter().any(|cidr| cidr.contains(address)),
                site: look_up(address),
                addresses: 1,
            };
            let key = (org.to_owned(), network.to_owned());
            match places.get_mut(&key) {
                Some(place) => place.join(one),
                None => drop(places.insert(key, one)),
            }
        }
        // Where the window holds no address of a network, the network itself has to do.
        for sql in [
            "SELECT org, value AS network FROM seen WHERE dimension = 'network' GROUP BY org, value",
            "SELECT org, created_network AS network FROM tokens WHERE created_network IS NOT NULL GROUP BY org, created_network",
        ] {
            let rows = engine.query(sql)?;
            for row in 0..rows.len() {
                let (Some(org), Some(network)) = (rows.text(row, "org"), rows.text(row, "network")) else {
                    continue;
                };
                let key = (org.to_owned(), network.to_owned());
                let Some(cidr) = Cidr::parse(network).filter(|_| !places.contains_key(&key)) else {
                    continue;
                };
                let own = own.iter().any(|mine| mine.covers(&cidr));
                places.insert(key, Place { own, site: look_up(cidr.base()), addresses: 0 });
            }
        }
    }
    let p = || places.values();
    TableBuilder::new("places")
        .text("org", places.keys().map(|(org, _)| Some(org.clone())).collect())
        .text("network", places.keys().map(|(_, network)| Some(network.clone())).collect())
        .bool("own", p().map(|p| Some(p.own)).collect())
        .text("country", p().map(|p| p.site.country.clone()).collect())
        .int("asn", p().map(|p| p.site.asn.map(i64::from)).collect())
        .text("as_name", p().map(|p| p.site.as_name.clone()).collect())
        .int("addresses", p().map(|p| Some(p.addresses)).collect())
        .build()
}

impl Place {
    /// Takes in another address of the network; what the two disagree on is not known of the network.
    fn join(&mut self, other: Self) {
        self.own &= other.own;
        self.addresses += other.addresses;
        if self.site.country != other.site.country {
            self.site.country = None;
        }
        if self.site.asn != other.site.asn {
            (self.site.asn, self.site.as_name) = (None, None);
        }
    }
}
