//! Where calls come from: made-up networks in, addresses out.
//!
//! Every address lies in a range reserved for tests, documentation or shared use (198.18.0.0/15,
//! 100.64.0.0/10, 2001:db8::/32), so none belongs to anybody. Roles are scattered over the ranges:
//! nothing can be told from an address but whether it was seen before.

use super::dice::Dice;

/// One network: a /24, or a /48 for IPv6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Network {
    prefix: String,
    v6: bool,
}

impl Network {
    /// Writes the address of `host` in the network.
    pub(super) fn address(&self, host: usize) -> String {
        if self.v6 {
            format!("{}:{:x}::{:x}", self.prefix, 1 + host / 200, 16 + host % 200)
        } else {
            format!("{}.{}", self.prefix, 2 + host % 250)
        }
    }
}

/// Hands out networks, none twice.
pub(super) struct Networks {
    next: usize,
    shift: usize,
}

const V4_NETWORKS: usize = 512 + 16_384;

impl Networks {
    pub(super) fn new(dice: &mut Dice) -> Self {
        Self { next: 0, shift: dice.below(V4_NETWORKS) }
    }

    /// Hands out a network that nobody has yet.
    pub(super) fn fresh(&mut self) -> Network {
        // 7919 is prime to the number of networks, so the walk meets each one once.
        let at = (self.next * 7_919 + self.shift) % V4_NETWORKS;
        self.next += 1;
        let prefix = if at < 512 {
            format!("198.{}.{}", 18 + at / 256, at % 256)
        } else {
            let at = at - 512;
            format!("100.{}.{}", 64 + at / 256, at % 256)
        };
        Network { prefix, v6: false }
    }

    /// Hands out an IPv6 network that nobody has yet.
    pub(super) fn fresh_v6(&mut self) -> Network {
        self.next += 1;
        Network { prefix: format!("2001:db8:{:x}", 0x100 + (self.next * 37 + self.shift) % 0xfe00), v6: true }
    }
}

/// From where one token, or one person, calls.
#[derive(Debug, Clone)]
pub(super) enum Site {
    /// One server.
    Server(Network, usize),
    /// Two servers that share the work for as long as the token lives.
    Pair(Network, Network),
    /// A server with IPv4 and IPv6.
    DualStack(Network, Network),
    /// Hosted build agents: another machine of a large cloud range on each run.
    Hosted,
    /// A person: office, home, VPN exit.
    Person { office: Network, home: Network, vpn: Network },
}

impl Site {
    /// Returns the address of one run of work.
    pub(super) fn address(&self, hosted: &[Network], dice: &mut Dice) -> String {
        match self {
            Self::Server(network, host) => network.address(*host),
            Self::Pair(one, other) => if dice.chance(0.5) { one } else { other }.address(10),
            Self::DualStack(v4, v6) => if dice.chance(0.7) { v4 } else { v6 }.address(20),
            Self::Hosted => dice.pick(hosted).address(dice.below(250)),
            Self::Person { office, home, vpn } => match dice.below(10) {
                0..=4 => office.address(dice.below(4)),
                5..=7 => home.address(7),
                _ => vpn.address(dice.below(30)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_network_comes_twice() {
        let mut networks = Networks::new(&mut Dice::new(3, "place", 0));
        let mut seen: Vec<String> = (0..V4_NETWORKS).map(|_| networks.fresh().address(1)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), V4_NETWORKS);
    }
}
