//! Names of fields that edits made equal.

use std::collections::{HashMap, HashSet};

use super::Edits;
use crate::format::Role;
use crate::policy::decide::Record;
use crate::span::Span;

impl Edits {
    /// Two names of one object that were different must not become equal: most readers would keep the last
    /// of them only. The second becomes `[email#2]`.
    pub(super) fn number_equal_names(&mut self, record: &Record<'_>, edited: &[(usize, usize)]) {
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
}

/// The name with `#2`, `#3` … inside its closing bracket.
fn numbered(name: &[u8], number: usize) -> Vec<u8> {
    let (head, tail) = match name {
        [head @ .., b']'] => (head, &b"]"[..]),
        all => (all, &b""[..]),
    };
    [head, format!("#{number}").as_bytes(), tail].concat()
}
