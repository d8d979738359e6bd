//! Carrying an action out on one value.

use super::canonical::{canonical, hashed_as};
use super::hash::HashKey;
use super::truncate::{email_domain, truncate};
use super::{Action, Hash};
use crate::kind::{Kind, Kinds};

/// What actions need beside the value.
#[derive(Debug, Clone, Copy)]
pub struct Tools<'t> {
    /// The names of kinds.
    pub kinds: &'t Kinds,
    /// The key for `hash`. Without one `hash` leaves what `redact` would.
    pub key: Option<&'t HashKey>,
}

/// Appends what the action leaves of a value of that kind.
///
/// `raw` is the value as written; `plain` the same with its escapes undone. `keep` appends `raw`; `drop`,
/// where there is no field to remove, the empty residue `[]`.
pub fn apply(action: &Action, kind: Kind, raw: &[u8], plain: &[u8], tools: Tools<'_>, out: &mut Vec<u8>) {
    match action {
        Action::Keep => out.extend_from_slice(raw),
        Action::Mask => out.extend(raw.iter().map(|byte| masked(*byte))),
        Action::Hash(hash) => pseudonym(*hash, kind, plain, tools, out),
        Action::Truncate(keep) if truncate(kind, plain, keep, out) => {}
        Action::Redact { with: Some(text) } => out.extend_from_slice(text.as_bytes()),
        Action::Redact { with: None } | Action::Truncate(_) => label(kind, tools.kinds, out),
        Action::Drop | Action::DropRecord => out.extend_from_slice(b"[]"),
    }
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

fn pseudonym(hash: Hash, kind: Kind, plain: &[u8], tools: Tools<'_>, out: &mut Vec<u8>) {
    let Some(key) = tools.key else { return label(kind, tools.kinds, out) };
    let kind = hashed_as(kind, plain);
    let mut token = Vec::new();
    key.pseudonym(kind, tools.kinds.name(kind), &canonical(kind, plain), &mut token);
    if !(hash.keep_domain && kind == Kind::EMAIL && email_domain(&token, plain, out)) {
        out.extend_from_slice(&token);
    }
}
