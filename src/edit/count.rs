//! Lengths that stand in a record: what they count may have become longer or shorter.

use std::ops::Range;

use super::{Edit, Edits};
use crate::decoded::Decoded;
use crate::format::{Field, Layer, Role};
use crate::policy::decide::Record;
use crate::span::Span;

impl Edits {
    /// Makes the lengths true of which something was counted that is edited. Those of inner layers come first: they may
    /// be counted in turn.
    pub(super) fn correct_counts(&mut self, record: &Record<'_>) {
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
}
