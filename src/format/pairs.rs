//! What the formats of `name=value` pairs share.

use super::{Field, Layer, Name, Role};
use crate::span::Span;

/// The part of a record that a field stands for: a pair with its name. None for the record, and for a name alone.
pub(super) fn part(fields: &[Field], field: &Field) -> Option<Span> {
    match (field.role, field.name) {
        (Role::Name | Role::Object, _) => None,
        (_, Name::Field(name)) => Some(Span::new(fields[name].whole.start, field.whole.end)),
        _ => Some(field.whole),
    }
}

/// Appends the spans that go with the fields `gone` (places in the list, ascending) of those that `may_go`. What
/// stands between two parts goes with a part: what is before it if a part stays there, else what is after it.
pub(super) fn remove(
    fields: &[Field],
    layer: &Layer,
    gone: &[usize],
    may_go: impl Fn(usize) -> bool,
    out: &mut Vec<(Span, &'static [u8])>,
) {
    let mut gone = gone.iter().copied().peekable();
    let mut parts = layer
        .fields
        .clone()
        .filter_map(|at| Some((at, part(fields, &fields[at])?)))
        .filter(|(at, _)| may_go(*at))
        .peekable();
    let (mut one_stays, mut end_of_last) = (false, 0);
    while let Some((at, part)) = parts.next() {
        if gone.next_if_eq(&at).is_none() {
            one_stays = true;
        } else if one_stays {
            out.push((Span::new(end_of_last, part.end), b""));
        } else {
            let end = parts.peek().map_or(part.end, |(_, next)| next.start);
            out.push((Span::new(part.start, end), b""));
        }
        end_of_last = part.end;
    }
}

/// Appends `text` with every byte that may not stand there as `_`.
pub(super) fn push_allowed(text: &[u8], may_stand: impl Fn(u8) -> bool, out: &mut Vec<u8>) {
    out.extend(text.iter().map(|byte| if may_stand(*byte) { *byte } else { b'_' }));
}

/// The span without the blanks at its ends; at its start if it is blank.
pub(super) fn trimmed(text: &[u8], span: Span) -> Span {
    let bytes = span.of(text);
    let length = bytes.trim_ascii_end().len();
    let start = span.start + length - bytes[..length].trim_ascii_start().len();
    Span::new(start, span.start + length)
}
