//! Actions as written to actions as done.

use super::document::{Document, Entry, Node, Value};
use super::fault::Faults;
use crate::action::{Action, DateKeep, Hash, PanKeep, Part, TimeKeep, Truncate};

/// Bytes of the text that `redact` may put in place of a value.
const WITH_BYTES: usize = 200;

/// Reads an action whose shape was checked; what is not one yields nothing.
pub(super) fn read(doc: &Document, node: &Node, faults: &mut Faults) -> Option<Action> {
    match &node.value {
        Value::Text(word) => by_word(word),
        Value::Table(entries) => entries.first().and_then(|entry| with_parameters(doc, entry, faults)),
        _ => None,
    }
}

fn by_word(word: &str) -> Option<Action> {
    Some(match word {
        "keep" => Action::Keep,
        "encrypt" => Action::Encrypt,
        "hash" => Action::Hash(Hash::default()),
        "truncate" => Action::Truncate(Truncate::default()),
        "mask" => Action::Mask,
        "redact" => Action::Redact { with: None },
        "drop" => Action::Drop,
        "drop_record" => Action::DropRecord,
        _ => return None,
    })
}

fn with_parameters(doc: &Document, entry: &Entry, faults: &mut Faults) -> Option<Action> {
    Some(match entry.key.as_str() {
        "redact" => Action::Redact { with: replacement(doc, &entry.node, faults) },
        "truncate" => Action::Truncate(truncate(&entry.node)),
        "hash" => Action::Hash(hash(doc, &entry.node, faults)),
        "encrypt" => Action::Encrypt,
        _ => return None,
    })
}

fn replacement(doc: &Document, node: &Node, faults: &mut Faults) -> Option<String> {
    let with = node.get("with")?;
    let text = with.as_text()?;
    if text.chars().any(char::is_control) {
        faults.push(
            doc.fault(&with.span, "a control character in `with` could break the record that it is put in"),
        );
    } else if text.len() > WITH_BYTES {
        faults.push(doc.fault(&with.span, format!("`with` is longer than {WITH_BYTES} bytes")));
    } else if text.is_empty() {
        let fault =
            doc.fault(&with.span, "an empty `with` would join what stands before and behind the value");
        faults.push(fault.help("write action = \"drop\""));
    }
    Some(text.to_owned())
}

fn truncate(node: &Node) -> Truncate {
    let default = Truncate::default();
    let number = |key| match node.get(key).map(|node| &node.value) {
        Some(Value::Whole(number)) => u8::try_from(*number).ok(),
        _ => None,
    };
    Truncate {
        ipv4: number("ipv4").unwrap_or(default.ipv4),
        ipv6: number("ipv6").unwrap_or(default.ipv6),
        pan: if node.text("pan") == Some("last4") { PanKeep::Last4 } else { default.pan },
        zip: number("zip"),
        date: match node.text("date") {
            Some("month") => Some(DateKeep::Month),
            Some("year") => Some(DateKeep::Year),
            _ => None,
        },
        time: match node.text("time") {
            Some("minute") => Some(TimeKeep::Minute),
            Some("hour") => Some(TimeKeep::Hour),
            Some("day") => Some(TimeKeep::Day),
            _ => None,
        },
        pseudonymise: node.text("pseudonymise") == Some("prefix"),
        ..default
    }
}

fn hash(doc: &Document, node: &Node, faults: &mut Faults) -> Hash {
    let keep = node.get("keep").and_then(|keep| Some((keep.as_text()?, &keep.span)));
    let part = keep.and_then(|(text, span)| {
        let part = part(text);
        if part.is_none() {
            let fault = doc.fault(
                span,
                "`keep` takes \"domain\", or prefixes such as \"/24\" or, for IPv4 and IPv6, \"/24,/48\"",
            );
            faults.push(fault.help("a hash of a card number never keeps a part (PCI DSS 3.5.1)"));
        }
        part
    });
    Hash { keep: part, forever: node.text("scope") == Some("forever"), ..Hash::default() }
}

/// `domain`, `/24`, `/24,/48`.
fn part(text: &str) -> Option<Part> {
    if text == "domain" {
        return Some(Part::Domain);
    }
    let (ipv4, ipv6) = text.split_once(',').map_or((text, None), |(ipv4, ipv6)| (ipv4, Some(ipv6)));
    let ipv4 = prefix(ipv4.trim_end(), 32)?;
    let ipv6 = match ipv6 {
        Some(ipv6) => prefix(ipv6.trim_start(), 128)?,
        None => ipv4.saturating_mul(2).min(Truncate::default().ipv6),
    };
    Some(Part::Network { ipv4, ipv6 })
}

fn prefix(text: &str, most: u8) -> Option<u8> {
    let bits = text.strip_prefix('/').filter(|bits| bits.bytes().all(|byte| byte.is_ascii_digit()))?;
    bits.parse().ok().filter(|bits| *bits <= most)
}
