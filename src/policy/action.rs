//! Actions as written to actions as done.

use super::document::{Document, Entry, Node, Value};
use super::fault::Faults;
use crate::action::{Action, Hash, PanKeep, Truncate};

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
    let bits = |key, default| match node.get(key).map(|node| &node.value) {
        Some(Value::Whole(number)) => u8::try_from(*number).unwrap_or(default),
        _ => default,
    };
    Truncate {
        ipv4: bits("ipv4", default.ipv4),
        ipv6: bits("ipv6", default.ipv6),
        pan: if node.text("pan") == Some("last4") { PanKeep::Last4 } else { default.pan },
        email_domain: default.email_domain,
    }
}

fn hash(doc: &Document, node: &Node, faults: &mut Faults) -> Hash {
    match node.get("keep").and_then(|keep| keep.as_text().map(|text| (text, &keep.span))) {
        None => Hash::default(),
        Some(("domain", _)) => Hash { keep_domain: true },
        Some((prefix, span)) if is_prefix(prefix) => {
            faults.push(
                doc.fault(span, "`keep` of a network part is not yet supported").help("until then: domain"),
            );
            Hash::default()
        }
        Some((_, span)) => {
            let fault = doc.fault(span, "`keep` takes \"domain\", or a prefix such as \"/24\"");
            faults.push(fault.help("a hash of a card number never keeps a part (PCI DSS 3.5.1)"));
            Hash::default()
        }
    }
}

fn is_prefix(text: &str) -> bool {
    text.strip_prefix('/').and_then(|bits| bits.parse::<u8>().ok()).is_some_and(|bits| bits <= 128)
}
