//! Carrying an action out on one value.

use super::hash::HashKey;
use super::keys::Keys;
use super::residue::WITHHELD;
use super::truncate::{at_domain, truncate};
use super::{Action, Hash};
use crate::kind::{Kind, Kinds};

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
    /// The keys, and that of them under which a value of the record goes.
    fn key(self, forever: bool) -> Option<(&'t Keys, &'t HashKey)> {
        let keys = self.keys?;
        let key = if forever { keys.forever() } else { keys.of_period(self.period?) };
        Some((keys, key?))
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
        Action::Hash(hash) => return pseudonym(*hash, kind, plain, tools, out),
        Action::Truncate(keep) if truncate(kind, plain, keep, out) => {}
        Action::Redact { with: Some(text) } => out.extend_from_slice(text.as_bytes()),
        Action::Redact { with: None } | Action::Truncate(_) => label(kind, tools.kinds, out),
        Action::Withhold => out.extend_from_slice(WITHHELD),
        Action::Drop | Action::DropRecord => out.extend_from_slice(b"[]"),
    }
    Left::AsAsked
}

/// `[kind]`.
fn label(kind: Kind, kinds: &Kinds, out: &mut Vec<u8>) {
    out.push(b'[');
    out.extend_from_slice(kinds.name(kind).as_bytes());
    out.push(b']');
}

/// Letters and digits of any script become `*`; a byte of a character outside ASCII counts as a letter.
fn masked(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() || !byte.is_ascii() { b'*' } else { byte }
}

fn pseudonym(hash: Hash, kind: Kind, plain: &[u8], tools: Tools<'_>, out: &mut Vec<u8>) -> Left {
    let Some((keys, key)) = tools.key(false) else {
        label(kind, tools.kinds, out);
        return Left::NoKey;
    };
    keys.pseudonym(key, kind, plain, tools.kinds, out);
    if hash.keep_domain && kind == Kind::EMAIL {
        out.extend(at_domain(plain).into_iter().flatten());
    }
    Left::AsAsked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashed(kind: Kind, value: &[u8]) -> String {
        let keys = Keys::one(HashKey::new(&[7; 32]));
        let tools = Tools { kinds: &Kinds::default(), keys: Some(&keys), period: Some(0) };
        let mut out = Vec::new();
        apply(&Action::Hash(Hash::default()), kind, value, value, tools, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn every_spelling_of_a_value_has_the_same_pseudonym() {
        let plain = hashed(Kind::IPV4, b"203.0.113.9");
        for mapped in [&b"::ffff:203.0.113.9"[..], b"::FFFF:cb00:7109", b"0:0:0:0:0:ffff:203.0.113.9"] {
            assert_eq!(hashed(Kind::IPV6, mapped), plain);
        }
        assert_eq!(hashed(Kind::IPV6, b"2001:DB8:0::1"), hashed(Kind::IPV6, b"2001:db8::1"));
        assert_eq!(hashed(Kind::PAN, b"4111-1111 11111111"), hashed(Kind::PAN, b"4111111111111111"));
        assert_eq!(hashed(Kind::EMAIL, b"ana@EXAMPLE.com"), hashed(Kind::EMAIL, b"ana@example.com"));
        assert_ne!(hashed(Kind::EMAIL, b"Ana@example.com"), hashed(Kind::EMAIL, b"ana@example.com"));
        assert_ne!(hashed(Kind::FIELD, b"203.0.113.9"), plain);
    }
}
