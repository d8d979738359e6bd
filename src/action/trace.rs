//! [`Trace`]: what is known of a value by what an action left of it.

use zeroize::Zeroizing;

use super::apply::{label, pseudonym};
use super::canonical::hashed_as;
use super::hash::KEY_ID_SYMBOLS;
use super::residue::{Residue, Residues};
use super::truncate::{is_truncated_card, may_stay, truncate, unmistakable, write_network};
use super::{Action, Hash, Of, Part, Tools, apply};
use crate::kind::Kind;

/// What is known of a value after an earlier step. Beside what [`Residues::read`] reads, these are residues here:
/// `[email]@example.org`, `[email:k…:…]@example.org` and `411111******1111`.
#[derive(Debug)]
pub struct Trace<'r> {
    /// What the value was. Of a mapped address it may be either kind.
    pub kind: Kind,
    pub(super) left: What<'r>,
    text: &'r [u8],
}

#[derive(Debug)]
pub(super) enum What<'r> {
    Label,
    Encrypted(Zeroizing<Vec<u8>>),
    /// Encrypted under a key that is forgotten.
    Sealed,
    Pseudonym,
    /// A pseudonym, and behind it `@` with the domain.
    WithDomain(&'r [u8]),
    /// A pseudonym, and in it the address of the network.
    WithNetwork(&'r [u8]),
    Address,
    /// `@` with the domain.
    Domain(&'r [u8]),
    Card(&'r [u8]),
}

impl<'r> Trace<'r> {
    /// Reads all of the text as what is left of one value; of that kind, if the text does not say of which.
    pub fn read(text: &'r [u8], kind: Kind, residues: &Residues) -> Option<Trace<'r>> {
        let Some((residue, span)) = residues.read(text, 0) else {
            let is_card = kind == Kind::PAN && is_truncated_card(text);
            return is_card.then_some(Trace { kind, left: What::Card(text), text });
        };
        let behind = &text[span.end..];
        let is_domain = behind.starts_with(b"@") && !behind[1..].contains(&b'@');
        let (kind, left) = match (residue, behind) {
            (Residue::Label { kind: Kind::EMAIL }, domain) if is_domain => {
                (Kind::EMAIL, What::Domain(domain))
            }
            (Residue::Pseudonym { kind: Kind::EMAIL, .. }, domain) if is_domain => {
                (Kind::EMAIL, What::WithDomain(domain))
            }
            (_, [_, ..]) | (Residue::Empty | Residue::Withheld, _) => return None,
            (Residue::Label { kind }, _) => (kind, What::Label),
            (Residue::Encrypted { kind, value }, _) => (kind, What::Encrypted(value)),
            (Residue::Sealed { kind }, _) => (kind, What::Sealed),
            (Residue::Pseudonym { kind, network: None }, _) => (kind, What::Pseudonym),
            // A mapped address keeps its network as it is written.
            (Residue::Pseudonym { network: Some(network), .. }, _) => {
                let kind = if network.contains(&b':') { Kind::IPV6 } else { Kind::IPV4 };
                (kind, What::WithNetwork(network))
            }
            (Residue::Address { kind }, _) => (kind, What::Address),
        };
        Some(Trace { kind, left, text })
    }

    /// The value, if it can be turned back.
    pub fn value(&self) -> Option<&[u8]> {
        match &self.left {
            What::Encrypted(value) => Some(value),
            _ => None,
        }
    }

    /// `@` with the domain that stayed.
    pub fn domain(&self) -> Option<&'r [u8]> {
        match self.left {
            What::Domain(domain) | What::WithDomain(domain) => Some(domain),
            _ => None,
        }
    }

    /// Whether it may be left of a value of kind IPv6 in which an IPv4 address is mapped, and of any other of its kind.
    pub fn of_mapped(&self) -> [bool; 2] {
        match (&self.left, self.kind) {
            (What::WithNetwork(network), Kind::IPV6) => {
                let is_mapped = hashed_as(Kind::IPV6, network) == Kind::IPV4;
                [is_mapped, !is_mapped]
            }
            (What::WithNetwork(_) | What::Encrypted(_), _) => [false, true],
            (What::Label | What::Sealed, Kind::IPV6) => [true, true],
            (_, Kind::IPV4) => [true, true],
            _ => [false, true],
        }
    }

    /// Whether the action leaves such a residue of some value, under this policy or an older one.
    pub fn may_be_left_by(&self, action: &Action) -> bool {
        match (&self.left, action) {
            (What::Label, Action::Encrypt | Action::Hash(_) | Action::Truncate(_)) => true,
            (What::Label, Action::Redact { with }) => with.is_none(),
            (What::Encrypted(_) | What::Sealed, Action::Encrypt) => true,
            (What::Pseudonym, Action::Hash(_)) => true,
            (What::WithDomain(_), Action::Hash(hash)) => hash.keep == Some(Part::Domain),
            (What::WithNetwork(_), Action::Hash(hash)) => matches!(hash.keep, Some(Part::Network { .. })),
            (What::Address, Action::Truncate(keep)) => keep.pseudonymise,
            (What::Domain(_), Action::Truncate(keep)) => keep.email_domain,
            (What::Card(_), Action::Truncate(_)) => true,
            _ => false,
        }
    }

    /// Whether it is what the action leaves of some value of the record today. `is_found`: of a value that is what its kind
    /// says.
    pub fn is_left_by(&self, action: &Action, is_found: bool, tools: Tools<'_>) -> bool {
        let is_certain = is_found && matches!(self.kind, Kind::IPV4 | Kind::IPV6 | Kind::PAN);
        if !self.may_be_left_by(action) || matches!(self.left, What::Sealed) {
            return false;
        }
        match (&self.left, action) {
            (What::Label, Action::Encrypt) => !is_certain || tools.key(false).is_none(),
            (What::Label, Action::Hash(hash)) => {
                let is_cut = matches!(hash.of, Of::Truncated(_)) && self.kind == Kind::PAN;
                !is_certain || is_cut || tools.key(hash.forever).is_none()
            }
            (What::Label, Action::Truncate(keep)) if is_certain && self.kind != Kind::PAN => {
                !may_stay(self.kind, keep) || keep.pseudonymise && tools.key(false).is_none()
            }
            (What::Pseudonym, Action::Hash(hash)) => {
                let keeps =
                    is_certain && self.kind != Kind::PAN && matches!(hash.keep, Some(Part::Network { .. }));
                !keeps && self.is_under_key(hash.forever, tools)
            }
            (What::WithDomain(_), Action::Hash(hash)) => self.is_under_key(hash.forever, tools),
            (
                What::WithNetwork(network),
                Action::Hash(Hash { keep: Some(Part::Network { ipv4, ipv6 }), forever, .. }),
            ) => {
                let mut written = vec![b'@'];
                let is_network = write_network(network, (*ipv4, *ipv6), &mut written);
                is_network
                    && memchr::memmem::find(self.text, &written).is_some()
                    && self.is_under_key(*forever, tools)
            }
            (What::Address, Action::Truncate(_)) => self.is_under_key(false, tools),
            (What::Card(_), Action::Truncate(_)) => !self.advance(action, &[], tools, &mut Vec::new()),
            _ => true,
        }
    }

    /// Whether it was made under the key of the record.
    fn is_under_key(&self, forever: bool, tools: Tools<'_>) -> bool {
        let behind = memchr::memchr(b':', self.text).and_then(|at| self.text.get(at + 2..));
        let id = behind.and_then(|behind| behind.get(..KEY_ID_SYMBOLS));
        tools.key(forever).is_some_and(|key| id == Some(key.id().as_bytes()))
    }

    /// Appends what the action makes of it after these steps; `false` if it stays as it is, and nothing is appended.
    pub fn advance(&self, action: &Action, earlier: &[Action], tools: Tools<'_>, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        // A step between would have hashed a mapped address as the IPv4 address that it holds.
        let was_hashed = earlier.iter().any(|step| matches!(step, Action::Hash(_)));
        let acts = self.write(action, was_hashed, tools, out) && out[start..] != *self.text;
        if !acts {
            out.truncate(start);
        }
        acts
    }

    /// The kind by which the value is labelled: a mapped address was hashed as the IPv4 address in it.
    fn label(&self, was_hashed: bool) -> Kind {
        match &self.left {
            What::WithNetwork(network) => hashed_as(self.kind, network),
            What::Encrypted(value) if was_hashed => hashed_as(self.kind, value),
            _ => self.kind,
        }
    }

    /// Appends what the action makes of it; `false` if it does not act on it.
    fn write(&self, action: &Action, was_hashed: bool, tools: Tools<'_>, out: &mut Vec<u8>) -> bool {
        match (action, &self.left) {
            (Action::Redact { with: None }, What::Label) => return false, // the number of a second name stays
            (Action::Redact { .. } | Action::Drop | Action::DropRecord, _) => {
                apply(action, self.label(was_hashed), b"", b"", tools, out);
            }
            (Action::Hash(_) | Action::Truncate(_), What::Encrypted(value)) => {
                apply(action, self.kind, value, value, tools, out);
            }
            (Action::Hash(_) | Action::Truncate(_), What::Sealed) => label(self.kind, tools.kinds, out),
            // A step between would have cut the domain off.
            (Action::Hash(Hash { of: Of::Truncated(keep), .. }), What::Domain(_) | What::WithDomain(_))
                if !keep.email_domain =>
            {
                label(self.kind, tools.kinds, out)
            }
            (Action::Hash(hash), What::Domain(domain)) => {
                pseudonym(*hash, self.kind, domain, tools, out);
            }
            // A hash of what truncation leaves: what the pseudonym keeps is what there was to truncate.
            (Action::Hash(hash @ Hash { of: Of::Truncated(_), .. }), What::WithDomain(domain)) => {
                pseudonym(*hash, self.kind, domain, tools, out);
            }
            (Action::Hash(Hash { of: Of::Truncated(_), .. }), What::WithNetwork(network)) => {
                apply(action, self.kind, network, network, tools, out);
            }
            (Action::Hash(Hash { of: Of::Truncated(keep), .. }), What::Pseudonym)
                if keep.only.is_some() && !may_stay(self.kind, keep) =>
            {
                label(self.kind, tools.kinds, out);
            }
            (Action::Truncate(keep), What::Domain(domain) | What::WithDomain(domain)) => {
                label(self.kind, tools.kinds, out);
                out.extend_from_slice(if keep.email_domain { domain } else { b"" });
            }
            (Action::Truncate(keep), What::WithNetwork(text) | What::Card(text)) => {
                if !truncate(self.kind, &unmistakable(text), keep, tools.kinds, out) {
                    label(self.kind, tools.kinds, out);
                }
            }
            (Action::Truncate(_), What::Pseudonym) | (Action::Hash(_), What::Card(_)) => {
                label(self.kind, tools.kinds, out);
            }
            _ => return false,
        }
        true
    }
}
