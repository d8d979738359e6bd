//! [`Taint`]: the copies, elsewhere in the same record, of what field rules remove.
//!
//! A name that is redacted in `user` must not stay in `login of alice77`. What a rule removes from a field is searched for
//! in all other values, as a whole word and through escapes, and each copy gets what the field got. Only values are
//! touched: neither names nor structure, the record's own time nor `true`, `false` and `null`. And so that nobody
//! erases what a log is kept for by calling himself `error`, the words of logging itself have no copies.

use std::cmp::Reverse;

use super::decide::{Decision, Decisions, Plain, Record};
use super::selector::normal;
use super::{Covers, Policy, time_name};
use crate::action::residue::Residues;
use crate::action::{Action, Tools};
use crate::decoded::Decoded;
use crate::detect::Words;
use crate::detect::copies::{Copies, TooMuch};
use crate::format::{Field, Name, Opens, Role};
use crate::kind::Kind;
use crate::span::Span;

/// Shorter values stand everywhere by chance.
const MIN_BYTES: usize = 4;

/// Shorter numbers are counts, codes and durations.
const MIN_DIGITS: usize = 6;

/// Values whose copies cannot be told from the words of any log: levels, methods of HTTP (RFC 9110 section 9) and
/// literals.
const ORDINARY: Words = Words::of(
    "true false null none trace debug info notice warn warning error err crit critical fatal alert emerg emergency \
     panic unknown success failed failure head post patch delete options connect",
);

/// Fields of which a value of letters alone is never a copy: it says what happened.
const TELLING: Words =
    Words::of("level lvl loglevel levelname severity severitytext status method httpmethod");

/// What becomes of a copy; the stronger is the lesser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Lot {
    strength: Reverse<u8>,
    rule: usize,
    kind: Kind,
}

/// What field rules removed from one record, over all its passes. It owns the buffers of the search.
#[derive(Debug, Default)]
pub struct Taint {
    copies: Copies<Lot>,
    found: Vec<Place>,
    /// By field: what becomes of it as a whole.
    removed: Vec<Option<Lot>>,
    content: Decoded,
    plain: Vec<u8>,
    left: Vec<u8>,
}

/// A place where a value, or a copy of it, stands, and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    field: usize,
    lot: Lot,
    span: Span,
}

impl Taint {
    /// Starts with a new record. Until then what was removed from it once is remembered: an edit may lay bare a copy.
    pub fn begin(&mut self) {
        self.copies.clear();
    }
}

/// What taint needs beside the record and the decisions about it.
#[derive(Clone, Copy)]
pub struct Means<'m> {
    /// What actions need.
    pub tools: Tools<'m>,
    /// What is no value any more.
    pub residues: &'m Residues,
}

impl Policy {
    /// Adds to the decisions about a record those about copies of what field rules remove from it.
    ///
    /// # Errors
    /// The record is made so that the search would take too much memory or time.
    pub fn taint(
        &self,
        record: &Record<'_>,
        decisions: &mut Decisions,
        means: Means<'_>,
        plain: Plain<'_>,
        taint: &mut Taint,
    ) -> Result<(), TooMuch> {
        let drops = |decision: &Decision| self.rules[decision.rule].action == Action::DropRecord;
        if !self.taints() || decisions.acting.iter().any(drops) {
            return Ok(());
        }
        self.words_of(record, &decisions.acting, means, plain, taint);
        taint.copies.prepare()?;
        if taint.copies.is_empty() {
            return Ok(());
        }
        taint.find(record, means.residues)?;
        self.decide_about_copies(record, &mut taint.found, decisions);
        Ok(())
    }

    /// Notes what the decisions of field rules remove.
    fn words_of(
        &self,
        record: &Record<'_>,
        acting: &[Decision],
        means: Means<'_>,
        plain: Plain<'_>,
        taint: &mut Taint,
    ) {
        let fields = &record.fields.list;
        taint.removed.clear();
        for decision in acting {
            let Some(lot) = self.lot(decision) else { continue };
            if decision.whole {
                taint.removed.resize(fields.len(), None);
                let removed = &mut taint.removed[decision.field];
                *removed = Some(removed.map_or(lot, |other| other.min(lot)));
            } else {
                let place = Place { field: decision.field, lot, span: decision.span };
                self.word_at(record, place, means, &mut *plain, taint);
            }
        }
        for (at, field) in fields.iter().enumerate().take(taint.removed.len()) {
            // What a field lies in stands before it.
            let around = field.parent.and_then(|parent| taint.removed[parent]);
            let Some(lot) = taint.removed[at].or(around) else { continue };
            taint.removed[at] = Some(lot);
            if matches!(field.role, Role::Text | Role::Number | Role::Bytes) {
                let place = Place { field: at, lot, span: field.value };
                self.word_at(record, place, means, &mut *plain, taint);
            }
        }
    }

    fn lot(&self, decision: &Decision) -> Option<Lot> {
        let rule = &self.rules[decision.rule];
        let strength = Reverse(rule.action.strength());
        let taints = matches!(rule.covers, Covers::Field { elsewhere: true, .. });
        taints.then_some(Lot { strength, rule: decision.rule, kind: decision.kind })
    }

    /// Notes a value, as its format gives it and with all other escapes undone as well, unless the action leaves it
    /// as it is.
    fn word_at(
        &self,
        record: &Record<'_>,
        place: Place,
        means: Means<'_>,
        plain: Plain<'_>,
        taint: &mut Taint,
    ) {
        let Taint { copies, content, plain: undone, left, .. } = taint;
        let Place { field, lot, span } = place;
        let field = &record.fields.list[field];
        content.clear();
        undone.clear();
        left.clear();
        record.fields.decode(record.bytes, field, span, content);
        plain(span, field, undone);
        let raw = span.of(record.bytes);
        let advances = self.advances(lot.rule, lot.kind, &content.bytes, means);
        if !advances {
            self.leave(lot.rule, lot.kind, raw, undone, means, left);
        }
        if !advances && (left == raw || *left == content.bytes || means.residues.is(&content.bytes)) {
            return;
        }
        // A copy need not have the blanks around.
        for word in [content.bytes.trim_ascii(), undone.trim_ascii()] {
            if self.is_telling(word) {
                copies.add(word, lot);
            }
        }
    }

    /// Whether a copy of the value tells anything: what stands in any log, or is written by a rule, does not.
    fn is_telling(&self, word: &[u8]) -> bool {
        let digits = word.iter().all(u8::is_ascii_digit);
        let is_written = self.rules.iter().any(|rule| match &rule.action {
            Action::Redact { with: Some(text) } => memchr::memmem::find(text.as_bytes(), word).is_some(),
            _ => false,
        });
        word.len() >= if digits { MIN_DIGITS } else { MIN_BYTES }
            && (word.iter().any(|byte| is_word(*byte)) || is_varied(word))
            && !ORDINARY.contains(word)
            && !is_written
    }

    /// Decides about each copy. Copies of one lot that overlap are one.
    fn decide_about_copies(&self, record: &Record<'_>, found: &mut Vec<Place>, decisions: &mut Decisions) {
        found.sort_unstable();
        found.dedup_by(|next, one| {
            let joins = (next.field, next.lot) == (one.field, one.lot) && next.span.start < one.span.end;
            if joins {
                one.span.end = one.span.end.max(next.span.end);
            }
            joins
        });
        let Decisions { all, acting, .. } = decisions;
        acting.sort_by_key(|decision| (decision.span, decision.rule));
        let decided = acting.len();
        for copy in found.iter() {
            let Place { field, lot: Lot { rule, kind, .. }, span } = *copy;
            let known = |decision: &Decision| (decision.span, decision.rule);
            if acting[..decided].binary_search_by_key(&(span, rule), known).is_ok() {
                continue;
            }
            // Of a field that no rule names the name stays.
            let removes = self.rules[rule].action.strength() >= Action::Drop.strength();
            let whole = span == record.fields.list[field].value && !removes;
            let (rest, copy, left) = (false, true, false);
            let decision = Decision { span, kind, field, rule, whole, rest, copy, left };
            all.push(decision);
            acting.push(decision);
        }
    }
}

impl Taint {
    /// Notes the copies in all values.
    fn find(&mut self, record: &Record<'_>, residues: &Residues) -> Result<(), TooMuch> {
        self.found.clear();
        for (at, field) in record.fields.list.iter().enumerate() {
            let holds = matches!(field.role, Role::Text | Role::Number | Role::Bytes);
            if holds && field.value.len() >= MIN_BYTES && !record.fields.is_opened(at) {
                self.find_in(record, at, residues)?;
            }
        }
        let layers = &record.fields.layers;
        if record.fields.are_named() && layers.iter().any(|layer| !layer.format.is_json()) {
            self.find_between(record, residues)?;
        }
        Ok(())
    }

    fn find_in(&mut self, record: &Record<'_>, at: usize, residues: &Residues) -> Result<(), TooMuch> {
        let Taint { copies, found, content, .. } = self;
        let field = &record.fields.list[at];
        let before = found.len();
        let mut push = |lot, span| push(found, record, residues, Place { field: at, lot, span });
        if field.escaped {
            content.clear();
            record.fields.decode(record.bytes, field, field.value, content);
            copies.find(&content.bytes, |lot, span| push(lot, content.raw(span)))?;
        } else {
            let start = field.value.start;
            copies.find(field.value.of(record.bytes), |lot, span| push(lot, span.shifted(start)))?;
        }
        if found.len() > before && is_spared(record, field) {
            found.truncate(before);
        }
        if found.len() > before && !record.fields.are_named() {
            let time = time_at_head(record.bytes);
            found.retain(|place| place.span.end > time);
        }
        Ok(())
    }

    /// Notes the copies between the fields, where a format leaves text that is none of them.
    fn find_between(&mut self, record: &Record<'_>, residues: &Residues) -> Result<(), TooMuch> {
        let Taint { copies, found, .. } = self;
        copies.find(record.bytes, |lot, span| {
            let field = record.fields.around(span);
            if is_between(record, field, span) {
                push(found, record, residues, Place { field, lot, span });
            }
        })
    }
}

fn push(found: &mut Vec<Place>, record: &Record<'_>, residues: &Residues, copy: Place) {
    let Span { start, end } = copy.span;
    let inside = |at| residues.runs_across(record.bytes, at);
    if !copy.span.is_empty() && !inside(start) && !inside(end) {
        found.push(copy);
    }
}

/// Whether a span of a container holds nothing of the fields in it.
fn is_between(record: &Record<'_>, container: usize, span: Span) -> bool {
    let around = &record.fields.list[container];
    // Those in it stand behind it in the list.
    let end = record.fields.layers[around.layer].fields.end;
    let fields = record.fields.list.get(container + 1..end).unwrap_or_default();
    let after = fields.partition_point(|field| field.whole.start < span.start);
    around.is_container() && fields.get(after).is_none_or(|next| next.whole.start >= span.end)
}

/// Whether what looks like a copy stays: in the record's own time, and where letters alone say what happened.
fn is_spared(record: &Record<'_>, field: &Field) -> bool {
    let mut decoded = Decoded::default();
    let name = match field.name {
        Name::None => return false,
        Name::Given(name) => record.fields.given_name(name),
        Name::Field(name) => {
            let name = &record.fields.list[name];
            if name.escaped {
                record.fields.decode(record.bytes, name, name.value, &mut decoded);
                &decoded.bytes
            } else {
                name.value.of(record.bytes)
            }
        }
    };
    let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or(name);
    let is_one_of = |words: &Words| words.iter().any(|word| normal(last).eq(word.iter().copied()));
    let letters = field.value.of(record.bytes).iter().all(u8::is_ascii_alphabetic);
    letters && is_one_of(&TELLING) || is_outermost(record, field) && time_name(last).is_some()
}

/// Where the time at the head of running text ends (RFC 3339, also with a blank, slashes or a bracket before it); 0 if
/// there is none.
fn time_at_head(text: &[u8]) -> usize {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    let start = usize::from(text.first() == Some(&b'['));
    let Some(head) = text.get(start..start + SHAPE.len()) else { return 0 };
    let fits = |(byte, shape): (&u8, &u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b' '),
        b'-' => matches!(byte, b'-' | b'/'),
        _ => byte == shape,
    };
    if !head.iter().zip(SHAPE).all(fits) {
        return 0;
    }
    let goes_on =
        |byte: &&u8| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b':' | b'+' | b'-' | b'Z');
    let end = start + SHAPE.len();
    end + text.iter().skip(end).take_while(goes_on).count()
}

/// Whether a field lies in nothing but a record: that of the line, or one that a wrapping holds.
fn is_outermost(record: &Record<'_>, field: &Field) -> bool {
    let layer = &record.fields.layers[field.layer];
    let is_record = layer.opened.is_none_or(|opened| record.fields.list[opened].opens == Opens::Record);
    is_record && field.parent == Some(layer.fields.start)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// Whether punctuation is more than a rule drawn across a page.
fn is_varied(word: &[u8]) -> bool {
    let mut signs = word.iter().filter(|byte| !byte.is_ascii_whitespace());
    let first = signs.next();
    signs.any(|byte| Some(byte) != first)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::format::{Fields, Format, Head, Layer, NotThis};
    use crate::kind::Kinds;

    /// Pairs `a=b` between words that are no fields.
    #[derive(Debug)]
    struct Pairs;

    impl Format for Pairs {
        fn name(&self) -> &'static str {
            "pairs"
        }

        fn fields(&self, record: &[u8], _: &Head, out: &mut Fields) -> Result<(), NotThis> {
            out.push(Field::new(Role::Object, Span::new(0, record.len())));
            for at in memchr::memchr_iter(b'=', record) {
                let start = record[..at].iter().rposition(|byte| *byte == b' ').map_or(0, |blank| blank + 1);
                let end =
                    record[at..].iter().position(|byte| *byte == b' ').map_or(record.len(), |len| at + len);
                let name = Field { parent: Some(0), ..Field::new(Role::Name, Span::new(start, at)) };
                let name = Name::Field(out.push(name));
                out.push(Field { parent: Some(0), name, ..Field::new(Role::Text, Span::new(at + 1, end)) });
            }
            Ok(())
        }

        fn escape(&self, _: &Field, text: &[u8], _: bool, out: &mut Vec<u8>) {
            out.extend_from_slice(text);
        }

        fn remove(&self, _: &Fields, _: &Layer, _: &[usize], _: &mut Vec<(Span, &'static [u8])>) {}
    }

    /// What is decided about.
    fn decided(bytes: &[u8]) -> Vec<(usize, String)> {
        let rules = "[[rule]]\nfield = ['user']\naction = 'redact'";
        let policy = Policy::from_toml(rules, "test", None).unwrap();
        let mut fields = Fields::default();
        assert!(fields.read(bytes, &Pairs, &Head::default()));
        let record = Record { bytes, fields: &fields };
        let (kinds, residues) = (Kinds::default(), Residues::default());
        let means = Means { tools: Tools { kinds: &kinds, keys: None, period: None }, residues: &residues };
        let mut plain = |span: Span, _: &Field, out: &mut Vec<u8>| out.extend_from_slice(span.of(bytes));
        let mut decisions = Decisions::default();
        policy.decide(&record, &[], means, &mut plain, &mut decisions);
        policy.taint(&record, &mut decisions, means, &mut plain, &mut Taint::default()).unwrap();
        policy.part(&mut decisions.acting);
        let text = |span: Span| String::from_utf8_lossy(span.of(bytes)).into_owned();
        decisions.acting.iter().map(|decision| (decision.span.start, text(decision.span))).collect()
    }

    #[test]
    fn text_between_fields_has_copies_and_names_have_none() {
        let alice = |at| (at, "alice".to_owned());
        assert_eq!(
            decided(b"alice user=alice alice=1 of alice b=alice"),
            [alice(0), alice(11), alice(28), alice(36)]
        );
        assert_eq!(decided(b"b=1 of c=2 d=1"), []);
    }

    #[test]
    fn the_time_at_the_head_ends_where_it_does() {
        for (text, end) in [
            ("2026-03-01T10:00:00Z x", 20),
            ("[2026/03/01 10:00:00,123] x", 24),
            ("2026-03-01 10:00:00", 19),
            ("2026-03-01 10:00", 0),
            ("203.0.113.9 - - [", 0),
            ("", 0),
        ] {
            assert_eq!(time_at_head(text.as_bytes()), end, "{text}");
        }
    }
}
