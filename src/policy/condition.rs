//! Conditions on values: `only` and `unless`.

use std::cell::OnceCell;
use std::net::IpAddr;

use super::{Policy, Values};
use crate::action::canonical::{canonical, ipv4, ipv6};
use crate::kind::{Kind, KindSet};

/// A value, its escapes undone, as rules ask about it. What several of them ask for is worked out once.
pub(super) struct Subject<'v> {
    kind: Kind,
    plain: &'v [u8],
    address: OnceCell<Option<IpAddr>>,
    lower: OnceCell<Vec<u8>>,
}

impl<'v> Subject<'v> {
    pub(super) fn new(kind: Kind, plain: &'v [u8]) -> Subject<'v> {
        Subject { kind, plain, address: OnceCell::new(), lower: OnceCell::new() }
    }

    /// Whether a rule for these kinds covers it. A mapped IPv6 address is covered by rules for either kind of
    /// address.
    pub(super) fn is_of(&self, kinds: &KindSet) -> bool {
        kinds.contains(self.kind)
            || self.kind == Kind::IPV6
                && kinds.contains(Kind::IPV4)
                && self.address().is_some_and(|address| address.is_ipv4())
    }

    /// The IP address that it is; a mapped one counts as the IPv4 address that it holds.
    fn address(&self) -> Option<IpAddr> {
        let as_ipv6 = || ipv6(self.plain).map(|address| address.to_canonical());
        *self.address.get_or_init(|| match self.kind {
            Kind::IPV6 => as_ipv6(),
            _ => ipv4(self.plain).map(IpAddr::from).or_else(as_ipv6),
        })
    }

    fn lower(&self) -> &[u8] {
        self.lower.get_or_init(|| canonical(self.kind, self.plain).to_ascii_lowercase())
    }
}

impl Policy {
    /// Whether the conditions of a rule hold for a value.
    pub(super) fn holds(
        &self,
        only: Option<&Values>,
        unless: Option<&Values>,
        subject: &Subject<'_>,
    ) -> bool {
        only.is_none_or(|only| self.matches(only, subject))
            && !unless.is_some_and(|unless| self.matches(unless, subject))
    }

    fn matches(&self, condition: &Values, subject: &Subject<'_>) -> bool {
        let Values { networks, values, domains, suffixes, lists, forms } = condition;
        if !networks.is_empty() && subject.address().is_some_and(|address| networks.contains(address)) {
            return true;
        }
        let is_bare = values.is_empty() && domains.is_empty() && suffixes.is_empty();
        if is_bare && lists.is_empty() && forms.is_empty() {
            return false;
        }
        let lower = subject.lower();
        let domain = memchr::memrchr(b'@', lower).map(|at| &lower[at + 1..]);
        values.iter().any(|value| value.eq_ignore_ascii_case(lower))
            || domain.is_some_and(|domain| domains.iter().any(|wanted| within_domain(domain, wanted)))
            || suffixes.iter().any(|suffix| lower.ends_with(suffix))
            || lists.iter().any(|list| self.lists[*list].contains(subject.plain))
            || forms.iter().any(|list| self.lists[*list].contains(lower))
    }
}

fn within_domain(domain: &[u8], wanted: &[u8]) -> bool {
    domain.strip_suffix(wanted).is_some_and(|rest| rest.is_empty() || rest.ends_with(b"."))
}
