//! `only` and `unless`: conditions on values.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::document::{Document, Node};
use super::fault::{Faults, quoted, suggestion};
use super::{Network, Values};

/// Reads a condition. `lists` are the names of the policy's lists in their order.
pub(super) fn read(doc: &Document, node: &Node, lists: &[String], faults: &mut Faults) -> Values {
    let mut values = Values::default();
    let networks = node.texts("networks").filter_map(|(text, span)| match network(text) {
        Ok(network) => Some(network),
        Err(Wrong { message, help }) => {
            faults.push(doc.fault(span, message).help(help));
            None
        }
    });
    values.networks = networks.collect();
    values.values = node.texts("values").map(|(text, _)| canonical(text)).collect();
    for (text, span) in node.texts("domains") {
        values.domains.extend(domain(doc, text, span, faults));
    }
    values.suffixes =
        node.texts("suffixes").map(|(text, _)| text.to_ascii_lowercase().into_bytes()).collect();
    for (text, span) in node.texts("lists") {
        match lists.iter().position(|list| list == text) {
            Some(at) => values.lists.push(at),
            None => {
                let fault = doc.fault(span, format!("no list is called {}", quoted(text)));
                faults.push(match suggestion(text, lists.iter().map(String::as_str)) {
                    Some(meant) => fault.help(format!("did you mean `{meant}`?")),
                    None => fault.help("write [lists.NAME] to make one"),
                });
            }
        }
    }
    values
}

struct Wrong {
    message: String,
    help: String,
}

impl Wrong {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Wrong {
        Wrong { message: message.into(), help: help.into() }
    }
}

/// An address with a prefix length; without one it is a network of one address.
fn network(text: &str) -> Result<Network, Wrong> {
    let (address, prefix) =
        text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let not_one =
        || Wrong::new(format!("{} is not a network", quoted(text)), "as in 10.0.0.0/8 or 2001:db8::/32");
    let address: IpAddr = address.parse().map_err(|_| not_one())?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix {
        None => width,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse::<u8>().ok().filter(|prefix| *prefix <= width).ok_or_else(|| {
                Wrong::new(
                    format!("{} is not a network", quoted(text)),
                    format!("the prefix length is from 0 to {width}"),
                )
            })?
        }
        Some(_) => return Err(not_one()),
    };
    let zeroed = clear_beyond(address, prefix);
    if zeroed != address {
        let message = format!("{} has bits set beyond its prefix", quoted(text));
        return Err(Wrong::new(message, format!("did you mean {zeroed}/{prefix}?")));
    }
    Ok(unmapped(Network { address, prefix }))
}

fn clear_beyond(address: IpAddr, prefix: u8) -> IpAddr {
    let prefix = u32::from(prefix);
    match address {
        IpAddr::V4(address) => IpAddr::V4(Ipv4Addr::from_bits(
            address.to_bits() & u32::MAX.checked_shl(32 - prefix).unwrap_or(0),
        )),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(
            address.to_bits() & u128::MAX.checked_shl(128 - prefix).unwrap_or(0),
        )),
    }
}

/// A network of mapped addresses is the network of the IPv4 addresses (RFC 4291 section 2.5.5.2).
fn unmapped(network: Network) -> Network {
    match network.address {
        IpAddr::V6(address) if network.prefix >= 96 => match address.to_ipv4_mapped() {
            Some(address) => Network { address: IpAddr::V4(address), prefix: network.prefix - 96 },
            None => network,
        },
        _ => network,
    }
}

/// A value in the form in which values are compared: addresses as RFC 5952 writes them, digits without their
/// separators, anything else in lower case (ASCII letters, as in the records that they are compared with).
fn canonical(text: &str) -> Vec<u8> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return address.to_canonical().to_string().into_bytes();
    }
    if text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'-')) {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
        if (12..=19).contains(&digits.len()) {
            return digits;
        }
    }
    text.to_ascii_lowercase().into_bytes()
}

fn domain(doc: &Document, text: &str, span: &Range<usize>, faults: &mut Faults) -> Option<Vec<u8>> {
    let bare = text.trim_start_matches(['@', '*', '.']).trim_end_matches('.').to_ascii_lowercase();
    if bare.is_empty() || bare.contains(['@', '/', ' ', '*']) {
        let fault = doc.fault(span, format!("{} is not a domain", quoted(text)));
        faults.push(fault.help("as in example.org; subdomains are included"));
        return None;
    }
    if bare.len() != text.len() {
        let fault =
            doc.fault(span, format!("a domain is written without signs around it, not {}", quoted(text)));
        faults.push(fault.help(format!("did you mean {}? subdomains are included", quoted(&bare))));
        return None;
    }
    Some(bare.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_exactly() {
        let written = |text| network(text).map(|n| format!("{}/{}", n.address, n.prefix)).map_err(|w| w.help);
        assert_eq!(written("10.0.0.0/8").as_deref(), Ok("10.0.0.0/8"));
        assert_eq!(written("192.0.2.7").as_deref(), Ok("192.0.2.7/32"));
        assert_eq!(written("::/0").as_deref(), Ok("::/0"));
        assert_eq!(written("0.0.0.0/0").as_deref(), Ok("0.0.0.0/0"));
        assert_eq!(written("::ffff:10.0.0.0/104").as_deref(), Ok("10.0.0.0/8"));
        assert_eq!(written("10.1.2.3/8").err().as_deref(), Some("did you mean 10.0.0.0/8?"));
        assert_eq!(written("2001:db8::1/32").err().as_deref(), Some("did you mean 2001:db8::/32?"));
        for bad in [
            "",
            "/",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0/8",
            "::/129",
            "::/256",
            "x/8",
            "1.2.3.4/8/8",
        ] {
            assert!(network(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn values_are_compared_in_one_form() {
        assert_eq!(canonical("4111 1111-1111 1111"), b"4111111111111111");
        assert_eq!(canonical("2001:DB8:0::1"), b"2001:db8::1");
        assert_eq!(canonical("Ana@Example.COM"), b"ana@example.com");
    }
}
