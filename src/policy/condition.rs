//! Conditions on values: `only` and `unless`.

use std::net::IpAddr;

use super::{Network, Policy, Values};
use crate::action::canonical::{canonical, ipv4, ipv6};
use crate::kind::Kind;

impl Policy {
    /// Whether a condition holds for a value with its escapes undone.
    pub(super) fn matches(&self, values: &Values, kind: Kind, plain: &[u8]) -> bool {
        let in_network = |address: IpAddr| values.networks.iter().any(|network| network.contains(address));
        if !values.networks.is_empty() && address(kind, plain).is_some_and(in_network) {
            return true;
        }
        let Values { values, domains, suffixes, lists, .. } = values;
        if values.is_empty() && domains.is_empty() && suffixes.is_empty() && lists.is_empty() {
            return false;
        }
        let lower = canonical(kind, plain).to_ascii_lowercase();
        let domain = memchr::memrchr(b'@', &lower).map(|at| &lower[at + 1..]);
        values.iter().any(|value| value.eq_ignore_ascii_case(&lower))
            || domain.is_some_and(|domain| domains.iter().any(|wanted| within_domain(domain, wanted)))
            || suffixes.iter().any(|suffix| lower.ends_with(suffix))
            || lists.iter().any(|list| self.lists[*list].contains(plain))
    }
}

/// The IP address that a value is; a mapped one counts as the IPv4 address that it holds.
fn address(kind: Kind, plain: &[u8]) -> Option<IpAddr> {
    match kind {
        Kind::IPV6 => ipv6(plain).map(|address| address.to_canonical()),
        _ => ipv4(plain).map(IpAddr::from).or_else(|| ipv6(plain).map(|address| address.to_canonical())),
    }
}

fn within_domain(domain: &[u8], wanted: &[u8]) -> bool {
    domain.strip_suffix(wanted).is_some_and(|rest| rest.is_empty() || rest.ends_with(b"."))
}

impl Network {
    /// Whether the address lies in the network.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (own, other, bits) = match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (u128::from(own.to_bits()) << 96, u128::from(other.to_bits()) << 96, 32)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits(), other.to_bits(), 128),
            _ => return false,
        };
        let kept = u128::MAX.checked_shl(128 - u32::from(self.prefix.min(bits))).unwrap_or(0);
        own & kept == other & kept
    }
}
