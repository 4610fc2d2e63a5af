//! Networks: the /24 of an IPv4 address and the /48 of an IPv6 one, networks written as CIDR, and what is known of a
//! place.

use std::net::{IpAddr, Ipv4Addr};

/// What a database tells of an address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// Country, ISO 3166 in two capital letters.
    pub country: Option<String>,
    /// Number of the autonomous system, which stands for the operator of the network.
    pub asn: Option<u32>,
    /// Name of the operator.
    pub as_name: Option<String>,
}

/// A network written as `203.0.113.0/24` or `2001:db8::/32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    base: IpAddr,
    bits: u8,
}

impl Cidr {
    /// Reads a network; nothing for text that is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.trim().split_once('/')?;
        let (base, bits) = (address.parse::<IpAddr>().ok()?, bits.parse::<u8>().ok()?);
        (bits <= width(base)).then_some(Self { base, bits })
    }

    /// Tells whether an address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        width(self.base) == width(address) && head(self.base, self.bits) == head(address, self.bits)
    }

    /// Tells whether a whole other network lies in it.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.bits <= other.bits && self.contains(other.base)
    }

    /// The first address.
    #[must_use]
    pub const fn base(&self) -> IpAddr {
        self.base
    }
}

const fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// The leading bits of an address.
fn head(address: IpAddr, bits: u8) -> u128 {
    let number = match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    };
    number.checked_shr(u32::from(width(address) - bits)).unwrap_or(0)
}

/// Returns the network that `address` belongs to, such as `203.0.113.0/24`; text that is no address
/// stays as it is, so that a masked address still compares with itself.
#[must_use]
pub fn network_of(address: &str) -> String {
    let address = address.trim();
    match parse(address) {
        // Written plainly, as nearly all are, it begins as its network does.
        Some(IpAddr::V4(_)) if address.parse::<Ipv4Addr>().is_ok() => {
            let (begin, _) = address.rsplit_once('.').unwrap_or_default();
            [begin, ".0/24"].concat()
        }
        Some(IpAddr::V4(v4)) => {
            let o = v4.octets();
            format!("{}.{}.{}.0/24", o[0], o[1], o[2])
        }
        Some(IpAddr::V6(v6)) => {
            let s = v6.segments();
            format!("{:x}:{:x}:{:x}::/48", s[0], s[1], s[2])
        }
        None => address.to_owned(),
    }
}

/// Reads an address, taking IPv4 mapped into IPv6, a zone or a port for what they are.
#[must_use]
pub fn parse(address: &str) -> Option<IpAddr> {
    let bare = address.split('%').next().unwrap_or(address);
    let ip =
        bare.parse::<IpAddr>().ok().or_else(|| bare.parse::<std::net::SocketAddr>().ok().map(|s| s.ip()))?;
    Some(match ip {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cidr() {
        let net = |text: &str| Cidr::parse(text).expect("a network");
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert!(net("203.0.113.0/24").contains(ip("203.0.113.255")));
        assert!(!net("203.0.113.0/24").contains(ip("203.0.114.0")));
        assert!(net("0.0.0.0/0").contains(ip("8.8.8.8")) && net("::/0").contains(ip("2001:db8::1")));
        assert!(!net("::/0").contains(ip("8.8.8.8")));
        assert!(net("2001:db8::/32").covers(&net("2001:db8:5::/48")));
        assert!(!net("203.0.113.128/25").covers(&net("203.0.113.0/24")));
        assert!(net("198.51.100.7/32").contains(ip("198.51.100.7")));
        for wrong in ["203.0.113.0", "203.0.113.0/33", "2001:db8::/129", "x/24", "203.0.113.0/", ""] {
            assert_eq!(Cidr::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn networks() {
        assert_eq!(network_of("203.0.113.77"), "203.0.113.0/24");
        assert_eq!(network_of("::ffff:203.0.113.77"), "203.0.113.0/24");
        assert_eq!(network_of("203.0.113.77:4431"), "203.0.113.0/24");
        assert_eq!(network_of("2001:db8:12:34::1"), "2001:db8:12::/48");
        assert_eq!(network_of("xxx.xxx.xxx.xxx"), "xxx.xxx.xxx.xxx");
        assert_eq!(network_of(""), "");
    }
}
