//! `truncate`: fewer bits or digits, for good.

use std::borrow::Cow;
use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use super::canonical::{ipv4, ipv6, write_ipv4};
use super::encrypt::MAX_VALUE_BYTES;
use super::{PanKeep, Part, Truncate, zip};
use crate::kind::{Kind, Kinds};

/// Appends what may stay of a value (its escapes undone). `false` if it is not of a kind that can be
/// truncated under these parameters; nothing is appended then, and the value has to be redacted.
pub fn truncate(kind: Kind, value: &[u8], keep: &Truncate, kinds: &Kinds, out: &mut Vec<u8>) -> bool {
    if value.len() > MAX_VALUE_BYTES || !may_stay(kind, keep) {
        return false;
    }
    match kind {
        Kind::IPV4 => ipv4(value).map(|address| write_ipv4(truncate_ipv4(address, keep.ipv4), out)).is_some(),
        Kind::IPV6 => ipv6(value).map(|address| write_truncated(address, value, keep, out)).is_some(),
        Kind::PAN => truncate_pan(value, keep.pan, out),
        Kind::EMAIL if keep.email_domain => truncate_email(value, out),
        _ => keep.zip.is_some_and(|digits| kinds.name(kind) == ZIP && zip::truncate(value, digits, out)),
    }
}

/// Whether anything may be left of a kind after what an earlier step left.
pub fn may_stay(kind: Kind, keep: &Truncate) -> bool {
    match keep.only {
        None => true,
        Some(Part::Domain) => kind == Kind::EMAIL,
        Some(Part::Network { .. }) => matches!(kind, Kind::IPV4 | Kind::IPV6),
    }
}

/// The kind whose values are postal codes.
pub const ZIP: &str = "zip";

/// Appends the network of an address, with its prefix: `203.0.113.0/24`. An IPv4 address inside an IPv6 one keeps the
/// bits of an IPv4 address. `false` if it is no address; nothing is appended then.
pub(super) fn write_network(value: &[u8], bits: (u8, u8), out: &mut Vec<u8>) -> bool {
    let (for_ipv4, for_ipv6) = (bits.0.min(32), bits.1.min(128));
    let keep = Truncate { ipv4: for_ipv4, ipv6: for_ipv6, ..Truncate::default() };
    let prefix = if let Some(address) = ipv4(value) {
        write_ipv4(truncate_ipv4(address, for_ipv4), out);
        for_ipv4
    } else if let Some(address) = ipv6(value) {
        write_ipv6(truncate_ipv6(address, &keep), out);
        address.to_ipv4_mapped().map_or(for_ipv6, |_| 96 + for_ipv4)
    } else {
        return false;
    };
    let _ = write!(out, "/{prefix}"); // a Vec takes everything
    true
}

/// The address in a network as [`write_network`] writes it.
pub(super) fn network_address(text: &[u8]) -> Option<&[u8]> {
    let slash = memchr::memchr(b'/', text)?;
    let (address, prefix) = (&text[..slash], std::str::from_utf8(&text[slash + 1..]).ok()?);
    let bits: u8 = prefix.parse().ok().filter(|_| !prefix.starts_with('+'))?;
    // An IPv4 address inside may have lost more bits than the prefix says; a mapped one has lost just those.
    let is_mapped = ipv6(address).is_some_and(|address| address.to_ipv4_mapped().is_some());
    let limits = match (ipv4(address), is_mapped) {
        (Some(_), _) => (bits, 128),
        (None, true) => (bits.checked_sub(96)?, 128),
        (None, false) => (32, bits),
    };
    let mut written = Vec::new();
    write_network(address, limits, &mut written);
    (written == text).then_some(address)
}

fn truncate_email(value: &[u8], out: &mut Vec<u8>) -> bool {
    let Some(domain) = at_domain(value) else { return false };
    out.extend_from_slice(b"[email]");
    out.extend(domain);
    true
}

/// `@` and the domain of an e-mail address, in lower case. A domain literal is an IP address and goes with
/// the rest; what is too long to be truncated is no address.
pub fn at_domain(value: &[u8]) -> Option<impl Iterator<Item = u8>> {
    let (_, domain) = value.split_at(memchr::memrchr(b'@', value)?);
    (!domain.starts_with(b"@[") && value.len() <= MAX_VALUE_BYTES)
        .then(|| domain.iter().map(u8::to_ascii_lowercase))
}

fn truncate_ipv4(address: Ipv4Addr, prefix: u8) -> Ipv4Addr {
    Ipv4Addr::from_bits(address.to_bits() & mask32(prefix))
}

fn mask32(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0)
}

/// An address that has nothing left to lose keeps its spelling, unless an earlier step has changed it for good.
fn write_truncated(address: Ipv6Addr, value: &[u8], keep: &Truncate, out: &mut Vec<u8>) {
    let truncated = truncate_ipv6(address, keep);
    if truncated == address && keep.only.is_none() {
        out.extend_from_slice(value);
    } else {
        let from = out.len();
        write_ipv6(truncated, out);
        if let Cow::Owned(plain) = unmistakable(&out[from..]) {
            out.truncate(from);
            out.extend_from_slice(&plain);
        }
    }
}

/// An address as it is found again by later steps, wherever it stands: all eight groups of it if its short form may be
/// taken for a time (`10:20::`), for names (`fdab:cdef::`) or for empty fields before a path (`1000:1000::/home`).
pub(super) fn unmistakable(text: &[u8]) -> Cow<'_, [u8]> {
    let groups = || text.split(|byte| *byte == b':').filter(|group| !group.is_empty());
    let is_decimal = |group: &&[u8]| group.iter().all(u8::is_ascii_digit);
    let is_pair_of_digits = |group: &&[u8]| group.len() == 2 && is_decimal(group);
    let is_no_name =
        groups().any(|group| group.len() > 2 && !is_decimal(&group)) && text.iter().any(u8::is_ascii_digit);
    let is_clear = (groups().count() > 2 || is_no_name) && !groups().all(|group| is_pair_of_digits(&group));
    match ipv6(text).filter(|_| !is_clear) {
        Some(address) => {
            let groups = address.segments().map(|group| format!("{group:x}"));
            Cow::Owned(groups.join(":").into_bytes())
        }
        None => Cow::Borrowed(text),
    }
}

fn write_ipv6(address: Ipv6Addr, out: &mut Vec<u8>) {
    let _ = write!(out, "{address}"); // a Vec takes everything
}

/// The leading bits; of an IPv4 address inside, as many as the IPv4 rule allows.
fn truncate_ipv6(address: Ipv6Addr, keep: &Truncate) -> Ipv6Addr {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return truncate_ipv4(mapped, keep.ipv4).to_ipv6_mapped();
    }
    let kept = u128::MAX.checked_shl(128 - u32::from(keep.ipv6.min(128))).unwrap_or(0);
    let mut bits = address.to_bits() & kept;
    for shift in inner_ipv4(address) {
        bits &= !(u128::from(!mask32(keep.ipv4)) << shift);
    }
    Ipv6Addr::from_bits(bits)
}

/// How far to the left the IPv4 addresses inside an address stand: 6to4 (RFC 3056), NAT64 (RFC 6052) and
/// Teredo (RFC 4380), which holds its server's and, inverted, the client's. Clearing inverted bits leaves as
/// little as clearing the bits themselves.
fn inner_ipv4(address: Ipv6Addr) -> &'static [u32] {
    match address.segments() {
        [0x2002, ..] => &[80],
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => &[0],
        [0x2001, 0, ..] => &[64, 0],
        _ => &[],
    }
}

/// PCI SSC FAQ 1091: first six and last four of 15 to 19 digits; of 12 to 14 digits that would hide two to
/// four only, so the last four stay. Separators stay, and what was truncated before counts as digits.
fn truncate_pan(value: &[u8], keep: PanKeep, out: &mut Vec<u8>) -> bool {
    let digits = value.iter().filter(|byte| is_place(**byte)).count();
    if !CARD_DIGITS.contains(&digits) {
        return false;
    }
    let head = unhidden(keep, digits);
    let mut seen = 0;
    for byte in value {
        if is_place(*byte) {
            seen += 1;
            out.push(if seen <= head || seen > digits - 4 { *byte } else { b'*' });
        } else {
            out.push(*byte);
        }
    }
    true
}

/// Digits that card numbers have.
const CARD_DIGITS: RangeInclusive<usize> = 12..=19;

/// How many of the first digits stay.
fn unhidden(keep: PanKeep, digits: usize) -> usize {
    if keep == PanKeep::First6Last4 && digits >= 15 { 6 } else { 0 }
}

/// Whether a digit stands there, or stood.
fn is_place(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'*'
}

/// Whether the text is a card number of which truncation took digits: of the first six all stand there, or none. A number
/// that happens to stand before one is no part of it.
pub fn is_truncated_card(text: &[u8]) -> bool {
    let is_written = |byte: &u8| is_place(*byte) || b" -+.".contains(byte);
    let places = || text.iter().filter(|byte| is_place(**byte));
    let count = places().count();
    let shown = places().take_while(|byte| byte.is_ascii_digit()).count();
    let head = unhidden(PanKeep::First6Last4, count).min(shown);
    CARD_DIGITS.contains(&count)
        && (head == 0 || head == unhidden(PanKeep::First6Last4, count))
        && places().skip(head).take(count - head - 4).all(|byte| *byte == b'*')
        && text.iter().any(u8::is_ascii_digit)
        && text.iter().all(is_written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn addresses_are_read_and_written_as_the_standard_library_does(bits: u32, text in "[0-9]{1,4}(\\.[0-9]{0,4}){2,4}|[0-2]?[0-9]{1,2}(\\.[0-2]?[0-9]{1,2}){3}") {
            let address = Ipv4Addr::from_bits(bits);
            let mut written = Vec::new();
            write_ipv4(address, &mut written);
            prop_assert_eq!(String::from_utf8_lossy(&written), address.to_string());
            prop_assert_eq!(ipv4(&written), Some(address));
            prop_assert_eq!(ipv4(text.as_bytes()), text.parse().ok(), "{}", text);
        }
    }
}
