//! [`Networks`]: whether an address lies in one of many networks.

use std::net::{IpAddr, Ipv4Addr};

use super::Network;

/// Networks as they were written, and the ranges of addresses that they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks {
    list: Vec<Network>,
    /// Bit `n`: whether a range holds an IPv4 address that begins with `n`. Most addresses are turned away here.
    first_octets: [u64; 4],
    ipv4: Ranges<u32>,
    ipv6: Ranges<u128>,
}

impl Networks {
    /// The networks as they were written.
    pub fn iter(&self) -> impl Iterator<Item = &Network> {
        self.list.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether the address lies in one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => {
                let [first, ..] = address.octets();
                self.first_octets[usize::from(first / 64)] >> (first % 64) & 1 == 1
                    && self.ipv4.contains(address.to_bits())
            }
            IpAddr::V6(address) => self.ipv6.contains(address.to_bits()),
        }
    }
}

impl FromIterator<Network> for Networks {
    fn from_iter<I: IntoIterator<Item = Network>>(networks: I) -> Networks {
        let list: Vec<Network> = networks.into_iter().collect();
        let (mut ipv4, mut ipv6) = (Vec::new(), Vec::new());
        for network in &list {
            let prefix = u32::from(network.prefix);
            match network.address {
                IpAddr::V4(address) => {
                    let host = u32::MAX.checked_shr(prefix).unwrap_or(0);
                    ipv4.push((address.to_bits() & !host, address.to_bits() | host));
                }
                IpAddr::V6(address) => {
                    let host = u128::MAX.checked_shr(prefix).unwrap_or(0);
                    ipv6.push((address.to_bits() & !host, address.to_bits() | host));
                }
            }
        }
        let mut first_octets = [0; 4];
        for (first, last) in &ipv4 {
            for octet in Ipv4Addr::from_bits(*first).octets()[0]..=Ipv4Addr::from_bits(*last).octets()[0] {
                first_octets[usize::from(octet / 64)] |= 1 << (octet % 64);
            }
        }
        Networks { list, first_octets, ipv4: Ranges::of(ipv4), ipv6: Ranges::of(ipv6) }
    }
}

/// Ranges of addresses, first and last, in ascending order and apart from each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ranges<T>(Vec<(T, T)>);

impl<T: Copy + Ord> Ranges<T> {
    fn of(mut ranges: Vec<(T, T)>) -> Ranges<T> {
        ranges.sort_unstable();
        ranges.dedup_by(|next, one| {
            let joined = next.0 <= one.1;
            if joined {
                one.1 = one.1.max(next.1);
            }
            joined
        });
        Ranges(ranges)
    }

    fn contains(&self, address: T) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= address);
        after.checked_sub(1).is_some_and(|before| address <= self.0[before].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As RFC 4632 and RFC 4291 say it: the leading bits are the same.
    fn lies_in(network: &Network, address: IpAddr) -> bool {
        let (own, other, bits) = match (network.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (u128::from(own.to_bits()) << 96, u128::from(other.to_bits()) << 96, 32)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits(), other.to_bits(), 128),
            _ => return false,
        };
        let kept = u128::MAX.checked_shl(128 - u32::from(network.prefix.min(bits))).unwrap_or(0);
        own & kept == other & kept
    }

    /// Few different bits, so that networks hold one another and addresses hit them and their edges.
    fn address() -> impl Strategy<Value = IpAddr> {
        let octet = prop::sample::select(&[0, 1, 9, 10, 127, 128, 192, 255][..]);
        let ipv4 = prop::array::uniform4(octet.clone()).prop_map(IpAddr::from);
        prop_oneof![2 => ipv4, 1 => prop::array::uniform16(octet).prop_map(IpAddr::from)]
    }

    fn network() -> impl Strategy<Value = Network> {
        (address(), 0..=128_u8).prop_map(|(address, prefix)| {
            let prefix = prefix % if address.is_ipv4() { 33 } else { 129 };
            Network { address, prefix }
        })
    }

    proptest! {
        #[test]
        fn the_ranges_are_the_networks(
            networks in prop::collection::vec(network(), 0..9),
            addresses in prop::collection::vec(address(), 20),
        ) {
            let ranges: Networks = networks.iter().copied().collect();
            for address in addresses {
                let wanted = networks.iter().any(|network| lies_in(network, address));
                prop_assert_eq!(ranges.contains(address), wanted, "{} {:?}", address, networks);
            }
        }
    }
}
