//! The canonical form of a value: what is hashed, and what conditions compare.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::kind::Kind;

/// The canonical form of a value of that kind (its escapes undone): an e-mail address with its domain in
/// lower case, an IPv6 address as RFC 5952 has it, a mapped one as its IPv4 address, a card as digits only.
pub fn canonical(kind: Kind, value: &[u8]) -> Vec<u8> {
    match kind {
        Kind::EMAIL => email(value),
        Kind::IPV6 => match ipv6(value) {
            Some(address) => match address.to_ipv4_mapped() {
                Some(mapped) => mapped.to_string().into_bytes(),
                None => address.to_string().into_bytes(),
            },
            None => value.to_vec(),
        },
        Kind::PAN => value.iter().copied().filter(u8::is_ascii_digit).collect(),
        _ => value.to_vec(),
    }
}

/// The kind under which a value is hashed: a mapped IPv6 address is the IPv4 address that it holds.
pub fn hashed_as(kind: Kind, value: &[u8]) -> Kind {
    let mapped = kind == Kind::IPV6 && ipv6(value).is_some_and(|address| address.to_ipv4_mapped().is_some());
    if mapped { Kind::IPV4 } else { kind }
}

fn email(value: &[u8]) -> Vec<u8> {
    let mut canonical = value.to_vec();
    if let Some(at) = memchr::memrchr(b'@', value) {
        canonical[at..].make_ascii_lowercase();
    }
    canonical
}

/// Reads an IPv4 address in dotted decimal, without leading zeros (RFC 6943 section 3.1.1). As the standard
/// library reads it, in a fourth of the time.
pub fn ipv4(value: &[u8]) -> Option<Ipv4Addr> {
    let mut parts = value.split(|byte| *byte == b'.');
    let mut octets = [0; 4];
    for octet in &mut octets {
        *octet = decimal(parts.next()?)?;
    }
    parts.next().is_none().then(|| Ipv4Addr::from(octets))
}

/// 0 to 255, without leading zeros.
fn decimal(digits: &[u8]) -> Option<u8> {
    if !(1..=3).contains(&digits.len()) || digits.len() > 1 && digits[0] == b'0' {
        return None;
    }
    let value = digits
        .iter()
        .try_fold(0, |value, digit| digit.is_ascii_digit().then(|| value * 10 + u16::from(digit - b'0')))?;
    u8::try_from(value).ok()
}

/// Reads an IPv6 address in any text form of RFC 4291 section 2.2.
pub fn ipv6(value: &[u8]) -> Option<Ipv6Addr> {
    std::str::from_utf8(value).ok()?.parse().ok()
}
