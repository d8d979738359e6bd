//! Edits: which bytes of a record give way to which others.

mod count;
mod names;
mod number;

use std::ops::Range;

use crate::action::{self, Action, Left};
use crate::decoded::Decoded;
use crate::format::{Field, Role};
use crate::kind::Kind;
use crate::policy::Policy;
use crate::policy::decide::{Decision, Plain, Record};
use crate::policy::taint::Means;
use crate::span::Span;
use number::{is_number, numbers};

/// Bytes of a record that give way to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What goes, in the record.
    pub span: Span,
    /// What is written instead: a range of [`Edits::text`].
    pub text: Range<usize>,
    /// The value on whose account; `None` for a quote that a bare number needs to become text, and for a length that
    /// others changed.
    pub cause: Option<Cause>,
}

/// The value and the rule behind an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The value as it was found, in the record.
    pub value: Span,
    /// What it was taken for.
    pub kind: Kind,
    /// The rule, by its place in the policy.
    pub rule: usize,
    /// It is a copy of what the rule removes from a field elsewhere in the record.
    pub copy: bool,
}

impl From<&Decision> for Cause {
    fn from(decision: &Decision) -> Cause {
        let Decision { span: value, kind, rule, copy, .. } = *decision;
        Cause { value, kind, rule, copy }
    }
}

/// The edits of one record, sorted by place, no two sharing a byte.
#[derive(Debug, Default)]
pub struct Edits {
    /// The edits.
    pub list: Vec<Edit>,
    /// Their texts, one after another.
    pub text: Vec<u8>,
    /// Values that were redacted for want of a key.
    pub without_key: u64,
    plain: Vec<u8>,
    left: Vec<u8>,
    decoded: Decoded,
}

impl Edits {
    /// Forgets everything but keeps the memory.
    pub fn clear(&mut self) {
        self.list.clear();
        self.text.clear();
        self.without_key = 0;
    }

    /// Turns decisions into edits. A decision that would leave a value as it is makes none.
    pub fn plan(
        &mut self,
        policy: &Policy,
        record: &Record<'_>,
        decisions: &[Decision],
        means: Means<'_>,
        plain: Plain<'_>,
    ) {
        let mut gone: Vec<(usize, Cause)> = Vec::new();
        let mut names: Vec<(usize, usize)> = Vec::new(); // name, edit
        for decision in decisions {
            let field = &record.fields.list[decision.field];
            let action = &policy.rules[decision.rule].action;
            let span = match field.role {
                Role::Bytes if !decision.whole => numbers(record.bytes, decision.span),
                _ => decision.span,
            };
            let cause = Cause { value: span, ..Cause::from(decision) };
            if decision.whole && record.fields.are_named() && *action == Action::Drop {
                gone.push((decision.field, cause));
                continue;
            }
            let is_comma = span.is_empty() && !decision.span.is_empty();
            if is_comma || !self.leaves_less(policy, record, decision, span, means, plain) {
                continue;
            }
            let left = std::mem::take(&mut self.left);
            let whole = decision.whole && !decision.rest;
            if self.write(policy, record, field, &left, cause, whole) {
                names.extend((field.role == Role::Name).then(|| (decision.field, self.list.len() - 1)));
            }
            self.left = left;
        }
        if !names.is_empty() {
            self.number_equal_names(record, &names);
        }
        if !gone.is_empty() {
            gone.sort_unstable_by_key(|(field, _)| *field);
            self.remove(record, &gone);
        }
        self.order();
        if !self.list.is_empty() {
            self.correct_counts(record);
        }
    }

    /// Makes what a decision leaves of these bytes, which is then in `left`. `false` if that is what stands there.
    fn leaves_less(
        &mut self,
        policy: &Policy,
        record: &Record<'_>,
        decision: &Decision,
        span: Span,
        means: Means<'_>,
        plain: Plain<'_>,
    ) -> bool {
        let Edits { plain: seen_through, left, decoded, .. } = self;
        let field = &record.fields.list[decision.field];
        let Decision { rule, kind, rest, .. } = *decision;
        let action = &policy.rules[rule].action;
        // A mask made of escapes as they are written would be escaped once more, each time anew.
        decoded.clear();
        let mut value = span.of(record.bytes);
        if field.escaped {
            record.fields.decode(record.bytes, field, span, decoded);
            value = &decoded.bytes;
        }
        seen_through.clear();
        if action.reads_plain() || policy.may_have_been_ipv4(rule, kind) {
            plain(span, field, seen_through);
        }
        left.clear();
        let leaves_nothing = matches!(action, Action::Withhold | Action::Drop);
        let done = if rest && !leaves_nothing {
            let redact = Action::Redact { with: None };
            action::apply(&redact, kind, value, seen_through, means.tools, left)
        } else if decision.left {
            let acts = policy.take_further(rule, kind, value, means, left);
            left.extend_from_slice(if acts { b"" } else { value });
            Left::AsAsked
        } else {
            policy.leave(rule, kind, value, seen_through, means, left)
        };
        self.without_key += u64::from(done == Left::NoKey);
        self.left != value
    }

    /// Notes what is written in place of a value, unless it stands there already. A bare number becomes text or,
    /// if the policy says so, the whole number becomes `null`.
    fn write(
        &mut self,
        policy: &Policy,
        record: &Record<'_>,
        field: &Field,
        left: &[u8],
        cause: Cause,
        whole: bool,
    ) -> bool {
        let stays_number = field.role == Role::Number && whole && is_number(left);
        let bare = matches!(field.role, Role::Number | Role::Literal) && !stays_number;
        if bare && !policy.numbers.is_string() && field.role == Role::Number {
            self.push(field.whole, b"null", Some(cause));
            return true;
        }
        let start = self.text.len();
        if (whole || bare) && !stays_number {
            record.fields.quote(field, left, &mut self.text);
        }
        let quote = start..self.text.len();
        if !quote.is_empty() {
            for at in [field.whole.start, field.whole.end] {
                self.list.push(Edit { span: Span::new(at, at), text: quote.clone(), cause: None });
            }
        }
        let start = self.text.len();
        record.fields.escape(field, left, whole, &mut self.text);
        if quote.is_empty() && self.text[start..] == *cause.value.of(record.bytes) {
            self.text.truncate(start);
            return false;
        }
        self.list.push(Edit { span: cause.value, text: start..self.text.len(), cause: Some(cause) });
        true
    }

    fn push(&mut self, span: Span, text: &[u8], cause: Option<Cause>) {
        let start = self.text.len();
        self.text.extend_from_slice(text);
        self.list.push(Edit { span, text: start..self.text.len(), cause });
    }

    fn remove(&mut self, record: &Record<'_>, gone: &[(usize, Cause)]) {
        let fields: Vec<usize> = gone.iter().map(|(field, _)| *field).collect();
        let mut spans = Vec::new();
        record.fields.remove(&fields, &mut spans);
        for ((span, text), (_, cause)) in spans.into_iter().zip(gone) {
            // What cannot be taken away without the record is empty already.
            if span.of(record.bytes) != text {
                self.push(span, text, Some(*cause));
            }
        }
    }

    /// Sorts the edits; what lies inside a removed field, and a second quote at one place, goes.
    fn order(&mut self) {
        if !self.list.is_sorted_by_key(|edit| edit.span) {
            self.list.sort_by_key(|edit| edit.span);
        }
        let mut end = 0;
        let mut quoted = None;
        self.list.retain(|edit| {
            let inside = edit.span.start < end || edit.span.is_empty() && quoted == Some(edit.span.start);
            if !inside {
                end = edit.span.end;
                quoted = edit.span.is_empty().then_some(edit.span.start);
            }
            !inside
        });
    }

    /// Moves places of the record, ascending, to where they are once all edits are made. A place inside of what is
    /// replaced moves behind what takes its place.
    pub fn move_places(&self, places: &mut [usize]) {
        let (mut gone, mut added) = (0, 0);
        let mut edits = self.list.iter().peekable();
        for place in places {
            while let Some(edit) = edits.next_if(|edit| edit.span.end <= *place) {
                (gone, added) = (gone + edit.span.len(), added + edit.text.len());
            }
            *place = match edits.peek() {
                Some(edit) if edit.span.start < *place => edit.span.start + edit.text.len(),
                _ => *place,
            } + added
                - gone;
        }
    }

    /// Appends the record with all edits made.
    pub fn splice(&self, record: &[u8], out: &mut Vec<u8>) {
        let mut from = 0;
        for edit in &self.list {
            out.extend_from_slice(&record[from..edit.span.start]);
            out.extend_from_slice(&self.text[edit.text.clone()]);
            from = edit.span.end;
        }
        out.extend_from_slice(&record[from..]);
    }
}
