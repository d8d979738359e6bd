//! What earlier steps of ladders left in a record, for later steps to take further.

use std::collections::BTreeMap;

use super::law::Law;
use crate::action::residue::Residue;
use crate::action::truncate::is_truncated_card;
use crate::decoded::Decoded;
use crate::detect::DETECTORS;
use crate::finding::Finding;
use crate::format::Role;
use crate::kind::Kind;
use crate::policy::decide::{Record, Sighting};
use crate::span::Span;

/// More than the longest card number with its separators has.
const MAX_CARD_BYTES: usize = 40;

impl Law {
    /// Notes what earlier steps may have left. Who decides about it knows what of that any step acts on.
    pub(super) fn sight_left(&self, record: &Record<'_>, out: &mut Vec<Sighting>) {
        let before = out.len();
        let mut known = Known::default();
        self.each_left(record.bytes, |kind, span| {
            let field = record.fields.around(span);
            known.add(span);
            out.push(Sighting { finding: Finding { kind, span }, field, left: true });
        });
        let mut decoded = Decoded::default();
        for (at, field) in record.fields.list.iter().enumerate() {
            if !field.escaped || !matches!(field.role, Role::Text | Role::Name | Role::Bytes) {
                continue;
            }
            decoded.clear();
            record.fields.decode(record.bytes, field, field.value, &mut decoded);
            self.each_left(&decoded.bytes, |kind, span| {
                let finding = Finding { kind, span: decoded.raw(span) };
                if known.add(finding.span) {
                    out.push(Sighting { finding, field: at, left: true });
                }
            });
        }
        if out.len() > before {
            out.sort_by_key(|sighting| (sighting.field, sighting.finding.span));
        }
    }

    fn each_left(&self, text: &[u8], mut each: impl FnMut(Kind, Span)) {
        for at in memchr::memchr_iter(b'[', text) {
            let Some((residue, span)) = self.residues.read(text, at) else { continue };
            let (kind, may_have_domain) = match residue {
                Residue::Empty | Residue::Withheld => continue,
                Residue::Label { kind } | Residue::Pseudonym { kind, network: None } => (kind, true),
                Residue::Pseudonym { kind, .. }
                | Residue::Address { kind }
                | Residue::Sealed { kind }
                | Residue::Encrypted { kind, .. } => (kind, false),
            };
            let end =
                if may_have_domain && kind == Kind::EMAIL { behind_domain(text, span.end) } else { span.end };
            each(kind, Span::new(span.start, end));
        }
        let mut from = 0;
        for at in memchr::memmem::find_iter(text, b"**") {
            if at >= from
                && let Some(card) = card_around(text, at, from)
            {
                from = card.end;
                each(Kind::PAN, card);
            }
        }
    }
}

/// What was sighted so far, in the order of the record: the same residue may be read in its bytes and in its fields.
#[derive(Default)]
struct Known(BTreeMap<usize, usize>);

impl Known {
    /// Adds a span, unless it overlaps another.
    fn add(&mut self, span: Span) -> bool {
        let before = self.0.range(..span.end).next_back();
        let is_new = before.is_none_or(|(_, end)| *end <= span.start);
        if is_new {
            self.0.insert(span.start, span.end);
        }
        is_new
    }
}

/// Where the domain ends that stands behind a residue, if one does: where it would end behind a local part.
fn behind_domain(text: &[u8], end: usize) -> usize {
    /// Longest domain (RFC 1035), and what tells its end.
    const REACH_BYTES: usize = 320;
    let Some(rest) = text.get(end..).filter(|rest| rest.starts_with(b"@")) else { return end };
    let rest = &rest[..rest.len().min(REACH_BYTES)];
    let mut address = [b'x'; 1 + REACH_BYTES];
    address[1..=rest.len()].copy_from_slice(rest);
    let [email, ..] = DETECTORS else { return end };
    match email.verify(&address[..=rest.len()], 1).outcome {
        Ok(finding) if finding.span.start == 0 => end + finding.span.end - 1,
        _ => end,
    }
}

/// The card number around a place of which truncation took digits: the longest, for what stands beside it may be digits
/// as well. Stars of somebody's own stand beside it where a digit meets one.
fn card_around(text: &[u8], at: usize, from: usize) -> Option<Span> {
    let is_digit = |byte: &u8| byte.is_ascii_digit() || *byte == b'*';
    let may_be = |byte: &&u8| is_digit(byte) || b" -+.".contains(byte);
    let before = text[from..at].iter().rev().take(MAX_CARD_BYTES).take_while(may_be).count();
    let after = text[at..].iter().take(MAX_CARD_BYTES).take_while(may_be).count();
    let (first, last) = (at - before, at + after);
    if !text[first..last].iter().any(u8::is_ascii_digit) {
        return None; // a run of stars
    }
    let parts = |digit: u8, beside: u8| !is_digit(&beside) || beside == b'*' && digit != b'*';
    let begins =
        |place: &usize| is_digit(&text[*place]) && (*place == first || parts(text[*place], text[*place - 1]));
    let ends = |place: &usize| {
        is_digit(&text[*place - 1]) && (*place == last || parts(text[*place - 1], text[*place]))
    };
    (first..=at).filter(begins).find_map(|start| {
        let end = (at + 1..=last).rev().filter(ends).find(|end| is_truncated_card(&text[start..*end]))?;
        Some(Span::new(start, end))
    })
}
