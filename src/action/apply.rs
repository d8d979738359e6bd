//! Carrying an action out on one value.

use std::io::Write;
use std::net::IpAddr;

use super::canonical::{ipv4, ipv6};
use super::encrypt::MAX_VALUE_BYTES;
use super::hash::{HashKey, Lent};
use super::keys::{self, Keys};
use super::residue::WITHHELD;
use super::truncate::{at_domain, truncate, write_network};
use super::{Action, Hash, Of, Part, prefix};
use crate::kind::{Kind, Kinds};

/// Longest text that truncation leaves: the domain of an address of which nothing else is there, behind its label.
const MAX_TRUNCATED_BYTES: usize = MAX_VALUE_BYTES + b"[email]".len();

/// What actions need beside the value.
#[derive(Debug, Clone, Copy)]
pub struct Tools<'t> {
    /// The names of kinds.
    pub kinds: &'t Kinds,
    /// The keys. Without one for the record what needs a key leaves what `redact` would.
    pub keys: Option<&'t Keys>,
    /// The place of the period in which the record lies, if it lies in any.
    pub period: Option<usize>,
}

impl<'t> Tools<'t> {
    /// The key under which a value of the record goes.
    pub(super) fn key(self, forever: bool) -> Option<&'t HashKey> {
        let keys = self.keys?;
        if forever { keys.forever() } else { keys.of_period(self.period?) }
    }
}

/// How an action was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// As it is written.
    AsAsked,
    /// As `redact` would: the key that it needs is forgotten, or never was.
    NoKey,
}

/// Appends what the action leaves of a value of that kind.
///
/// `raw` is the value without the escapes of its format; `plain` without those that text has as well. `keep` appends `raw`; `drop`,
/// where there is no field to remove, the empty residue `[]`.
pub fn apply(
    action: &Action,
    kind: Kind,
    raw: &[u8],
    plain: &[u8],
    tools: Tools<'_>,
    out: &mut Vec<u8>,
) -> Left {
    match action {
        Action::Keep => out.extend_from_slice(raw),
        Action::Mask => out.extend(raw.iter().map(|byte| masked(*byte))),
        Action::Encrypt => return token(kind, plain, tools, out),
        Action::Hash(hash) => return hashed(*hash, kind, plain, tools, out),
        Action::Truncate(keep) if keep.pseudonymise && is_address(kind) => {
            return address(kind, plain, tools, out);
        }
        Action::Truncate(keep) if truncate(kind, plain, keep, tools.kinds, out) => {}
        Action::Redact { with: Some(text) } => out.extend_from_slice(text.as_bytes()),
        Action::Redact { with: None } | Action::Truncate(_) => label(kind, tools.kinds, out),
        Action::Withhold => out.extend_from_slice(WITHHELD),
        Action::Drop | Action::DropRecord => out.extend_from_slice(b"[]"),
    }
    Left::AsAsked
}

/// Near which address it is remembered what this action leaves of an IPv4 address: to fetch that takes longer than to find
/// out.
pub fn place(action: &Action, address: &[u8], tools: Tools<'_>) -> Option<*const u8> {
    let Action::Hash(Hash { of: Of::Value, forever, .. }) = action else { return None };
    keys::place(tools.key(*forever)?, Kind::IPV4, tools.kinds, address)
}

/// `[kind]`.
pub(super) fn label(kind: Kind, kinds: &Kinds, out: &mut Vec<u8>) {
    out.push(b'[');
    out.extend_from_slice(kinds.name(kind).as_bytes());
    out.push(b']');
}

/// Letters and digits of any script become `*`; a byte of a character outside ASCII counts as a letter.
fn masked(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() || !byte.is_ascii() { b'*' } else { byte }
}

/// What is left where a key is missing.
fn without_key(kind: Kind, tools: Tools<'_>, out: &mut Vec<u8>) -> Left {
    label(kind, tools.kinds, out);
    Left::NoKey
}

/// The token of `encrypt`. A value that is too long for one is redacted.
fn token(kind: Kind, plain: &[u8], tools: Tools<'_>, out: &mut Vec<u8>) -> Left {
    let Some(key) = tools.key(false) else { return without_key(kind, tools, out) };
    if !key.encrypt(tools.kinds.name(kind), plain, out) {
        label(kind, tools.kinds, out);
    }
    Left::AsAsked
}

/// The pseudonym of `hash`.
fn hashed(hash: Hash, kind: Kind, plain: &[u8], tools: Tools<'_>, out: &mut Vec<u8>) -> Left {
    match hash.of {
        Of::Encrypted if plain.len() > MAX_VALUE_BYTES => label(kind, tools.kinds, out),
        Of::Value | Of::Encrypted => return pseudonym(hash, kind, plain, tools, out),
        Of::Truncated(keep) => {
            let mut room = [0; MAX_TRUNCATED_BYTES];
            let mut lent = Lent::of(out);
            let is_left = kind != Kind::PAN && truncate(kind, plain, &keep, tools.kinds, lent.room());
            let left = room.get_mut(..lent.bytes().len()).filter(|_| is_left);
            let left = left.map(|left| {
                left.copy_from_slice(lent.bytes());
                left.strip_prefix(b"[email]").unwrap_or(left)
            });
            drop(lent);
            match left {
                Some(left) => return pseudonym(hash, kind, left, tools, out),
                None => label(kind, tools.kinds, out),
            }
        }
    }
    Left::AsAsked
}

/// The pseudonym of a value, and what of it stays readable: the domain behind the bracket, where it is still a domain to
/// whoever reads it; a network inside, so that it is no address to anybody and its neighbours never join it.
pub(super) fn pseudonym(hash: Hash, kind: Kind, plain: &[u8], tools: Tools<'_>, out: &mut Vec<u8>) -> Left {
    let Some(key) = tools.key(hash.forever) else { return without_key(kind, tools, out) };
    keys::pseudonym(key, kind, plain, tools.kinds, out);
    match hash.keep {
        Some(Part::Domain) if kind == Kind::EMAIL => out.extend(at_domain(plain).into_iter().flatten()),
        Some(Part::Network { ipv4, ipv6 }) if is_address(kind) => {
            let end = out.len();
            out.pop();
            out.push(b'@');
            if !write_network(plain, (ipv4, ipv6), out) {
                out.truncate(end - 1);
            }
            out.push(b']');
        }
        _ => {}
    }
    Left::AsAsked
}

/// `[ipv4:k…:198.51.100.7]`: in brackets, or the next run would take it for an address.
fn address(kind: Kind, plain: &[u8], tools: Tools<'_>, out: &mut Vec<u8>) -> Left {
    let Some(key) = tools.key(false) else { return without_key(kind, tools, out) };
    let read = ipv4(plain).map(IpAddr::V4).or_else(|| ipv6(plain).map(IpAddr::V6));
    let Some(address) = read else {
        label(kind, tools.kinds, out);
        return Left::AsAsked;
    };
    let address = prefix::pseudonym(key.prefixes(), address);
    let kind = if address.is_ipv4() { Kind::IPV4 } else { Kind::IPV6 };
    let _ = write!(out, "[{}:k{}:{address}]", tools.kinds.name(kind), key.id()); // a Vec takes everything
    Left::AsAsked
}

fn is_address(kind: Kind) -> bool {
    matches!(kind, Kind::IPV4 | Kind::IPV6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_of(kind: Kind, value: &[u8]) -> String {
        let keys = Keys::one(HashKey::new(&[7; 32]));
        let tools = Tools { kinds: &Kinds::default(), keys: Some(&keys), period: Some(0) };
        let mut out = Vec::new();
        apply(&Action::Hash(Hash::default()), kind, value, value, tools, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn every_spelling_of_a_value_has_the_same_pseudonym() {
        let plain = left_of(Kind::IPV4, b"203.0.113.9");
        for mapped in [&b"::ffff:203.0.113.9"[..], b"::FFFF:cb00:7109", b"0:0:0:0:0:ffff:203.0.113.9"] {
            assert_eq!(left_of(Kind::IPV6, mapped), plain);
        }
        assert_eq!(left_of(Kind::IPV6, b"2001:DB8:0::1"), left_of(Kind::IPV6, b"2001:db8::1"));
        assert_eq!(left_of(Kind::PAN, b"4111-1111 11111111"), left_of(Kind::PAN, b"4111111111111111"));
        assert_eq!(left_of(Kind::EMAIL, b"ana@EXAMPLE.com"), left_of(Kind::EMAIL, b"ana@example.com"));
        assert_ne!(left_of(Kind::EMAIL, b"Ana@example.com"), left_of(Kind::EMAIL, b"ana@example.com"));
        assert_ne!(left_of(Kind::FIELD, b"203.0.113.9"), plain);
    }
}
