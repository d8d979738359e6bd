//! Edits: which bytes of a record give way to which others.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::action::{self, Action, Left};
use crate::decoded::Decoded;
use crate::format::{Field, Layer, Role};
use crate::kind::Kind;
use crate::policy::Policy;
use crate::policy::decide::{Decision, Plain, Record};
use crate::policy::taint::Means;
use crate::span::Span;

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
        let mut left = std::mem::take(&mut self.left);
        let mut decoded = std::mem::take(&mut self.decoded);
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
            let leaves_nothing = matches!(action, Action::Withhold | Action::Drop);
            let redacts = decision.rest && !leaves_nothing;
            if span.is_empty() && !decision.span.is_empty() {
                continue; // a comma
            }
            // A mask made of escapes as they are written would be escaped once more, each time anew.
            decoded.clear();
            let mut value = span.of(record.bytes);
            if field.escaped {
                record.fields.decode(record.bytes, field, span, &mut decoded);
                value = &decoded.bytes;
            }
            self.plain.clear();
            if action.reads_plain() || policy.may_have_been_ipv4(decision.rule, decision.kind) {
                plain(span, field, &mut self.plain);
            }
            left.clear();
            let (rule, kind) = (decision.rule, decision.kind);
            let done = match redacts {
                true => {
                    let redact = Action::Redact { with: None };
                    action::apply(&redact, kind, value, &self.plain, means.tools, &mut left)
                }
                false => policy.leave(rule, kind, value, &self.plain, means, &mut left),
            };
            self.without_key += u64::from(done == Left::NoKey);
            let whole = decision.whole && !decision.rest;
            if left != value && self.write(policy, record, field, &left, cause, whole) {
                names.extend((field.role == Role::Name).then(|| (decision.field, self.list.len() - 1)));
            }
        }
        (self.left, self.decoded) = (left, decoded);
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

    /// Makes the lengths true of which something was counted that is edited. Those of inner layers come first: they may
    /// be counted in turn.
    fn correct_counts(&mut self, record: &Record<'_>) {
        let is_count = |field: &Field| matches!(field.role, Role::Count);
        for layer in record.fields.layers.iter().rev() {
            let edits = self.list.len();
            let mut from = 0;
            for field in record.fields.list[layer.fields.clone()].iter().filter(|field| is_count(field)) {
                let counted = Span::new(field.value.end, field.whole.end);
                from += self.list[from..edits].partition_point(|edit| edit.span.end <= counted.start);
                let length = self.list[from..edits].partition_point(|edit| edit.span.end <= counted.end);
                // What reaches into the digits has made them something else.
                let around = [from.checked_sub(1), (length > 0).then_some(from)].into_iter().flatten();
                let digits = Span::new(field.value.start, counted.start);
                let touched = around.into_iter().any(|at| self.list[at].span.overlaps(digits));
                if length > 0 && !touched {
                    self.correct_count(record, layer, field, from..from + length);
                }
                from += length;
            }
            if self.list.len() > edits {
                self.list.sort_by_key(|edit| edit.span);
            }
        }
    }

    /// Notes the length of which these edits are counted, as it is after them.
    fn correct_count(&mut self, record: &Record<'_>, layer: &Layer, field: &Field, edits: Range<usize>) {
        let counted = Span::new(field.value.end, field.whole.end);
        let mut after = Vec::new();
        let mut from = counted.start;
        for edit in &self.list[edits] {
            after.extend_from_slice(&record.bytes[from..edit.span.start]);
            after.extend_from_slice(&self.text[edit.text.clone()]);
            from = edit.span.end;
        }
        after.extend_from_slice(&record.bytes[from..counted.end]);
        let outer = layer.opened.map(|outer| &record.fields.list[outer]);
        let plain = |text: &[u8]| match outer {
            Some(outer) => {
                let mut plain = Decoded::default();
                record.fields.decode(text, outer, Span::new(0, text.len()), &mut plain);
                plain.bytes
            }
            None => text.to_vec(),
        };
        let digits = plain(field.value.of(record.bytes));
        let Some(old) = std::str::from_utf8(&digits).ok().and_then(|digits| digits.parse::<u64>().ok())
        else {
            return;
        };
        let more = plain(&after).len() as i128 - plain(counted.of(record.bytes)).len() as i128;
        let Ok(new) = u64::try_from(i128::from(old) + more) else { return };
        let written = new.to_string().into_bytes();
        let start = self.text.len();
        match outer {
            Some(outer) => record.fields.escape(outer, &written, false, &mut self.text),
            None => self.text.extend_from_slice(&written),
        }
        if self.text[start..] != *field.value.of(record.bytes) {
            self.list.push(Edit { span: field.value, text: start..self.text.len(), cause: None });
        }
    }

    /// Two names of one object that were different must not become equal: most readers would keep the last
    /// of them only. The second becomes `[email#2]`.
    fn number_equal_names(&mut self, record: &Record<'_>, edited: &[(usize, usize)]) {
        let object = |name: usize| record.fields.list[name].parent;
        let objects: HashSet<Option<usize>> = edited.iter().map(|(name, _)| object(*name)).collect();
        let names = record.fields.list.iter().enumerate().filter(|(_, field)| field.role == Role::Name);
        let mut taken: HashSet<(Option<usize>, Vec<u8>)> = names
            .filter(|(at, field)| {
                objects.contains(&field.parent) && edited.binary_search_by_key(at, |(name, _)| *name).is_err()
            })
            .map(|(_, field)| (field.parent, field.value.of(record.bytes).to_vec()))
            .collect();
        let mut numbers: HashMap<(Option<usize>, Vec<u8>), usize> = HashMap::new();
        for edits in edited.chunk_by(|one, other| one.0 == other.0) {
            let (name, first) = edits[0];
            let span = record.fields.list[name].value;
            let mut text = Vec::new();
            self.splice_some(record.bytes, span, edits, &mut text);
            let base = (object(name), text);
            let mut key = base.clone();
            while !taken.insert(key.clone()) {
                let number = numbers.entry(base.clone()).or_insert(1);
                *number += 1;
                key.1 = numbered(&base.1, *number);
            }
            if key != base {
                let start = self.text.len();
                self.text.extend_from_slice(&key.1);
                self.list[first].span = span; // the other edits of the name now lie inside this one
                self.list[first].text = start..self.text.len();
            }
        }
    }

    /// Appends the bytes of `span` with these edits made (each with its place in the list).
    fn splice_some(&self, record: &[u8], span: Span, edits: &[(usize, usize)], out: &mut Vec<u8>) {
        let mut from = span.start;
        for edit in edits.iter().map(|(_, at)| &self.list[*at]) {
            out.extend_from_slice(&record[from..edit.span.start]);
            out.extend_from_slice(&self.text[edit.text.clone()]);
            from = edit.span.end;
        }
        out.extend_from_slice(&record[from..span.end]);
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

/// Whether the text is a number as JSON has them (RFC 8259 section 6): a shorter one takes the place of a number as it
/// is, such as a time without its seconds.
fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(text);
    if whole == 0 || whole > 1 && text.starts_with(b"0") {
        return false;
    }
    let mut rest = &text[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = &fraction[count..];
    }
    if let [b'e' | b'E', power @ ..] = rest {
        let power = power.strip_prefix(b"+").or_else(|| power.strip_prefix(b"-")).unwrap_or(power);
        return !power.is_empty() && digits(power) == power.len();
    }
    rest.is_empty()
}

/// The numbers in a span of text that is written as numbers. What a stronger decision leaves of it may begin or end
/// with a comma.
fn numbers(bytes: &[u8], span: Span) -> Span {
    let text = span.of(bytes);
    let start = text.iter().position(u8::is_ascii_digit).unwrap_or(text.len());
    let end = text.iter().rposition(u8::is_ascii_digit).map_or(start, |last| last + 1);
    Span::new(start, end).shifted(span.start)
}

/// The name with `#2`, `#3` … inside its closing bracket.
fn numbered(name: &[u8], number: usize) -> Vec<u8> {
    let (head, tail) = match name {
        [head @ .., b']'] => (head, &b"]"[..]),
        all => (all, &b""[..]),
    };
    [head, format!("#{number}").as_bytes(), tail].concat()
}
