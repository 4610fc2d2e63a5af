//! The network of an address: the /24 of an IPv4 address, the /48 of an IPv6 one.

use std::net::IpAddr;

/// Returns the network that `address` belongs to, such as `203.0.113.0/24`; text that is no address
/// stays as it is, so that a masked address still compares with itself.
#[must_use]
pub fn network_of(address: &str) -> String {
    let address = address.trim();
    match parse(address) {
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
    fn networks() {
        assert_eq!(network_of("203.0.113.77"), "203.0.113.0/24");
        assert_eq!(network_of("::ffff:203.0.113.77"), "203.0.113.0/24");
        assert_eq!(network_of("203.0.113.77:4431"), "203.0.113.0/24");
        assert_eq!(network_of("2001:db8:12:34::1"), "2001:db8:12::/48");
        assert_eq!(network_of("xxx.xxx.xxx.xxx"), "xxx.xxx.xxx.xxx");
        assert_eq!(network_of(""), "");
    }
}
