//! What lines say about those behind them, headers and lines of private keys: a part of [`Scrubber`].

use std::sync::Arc;

use super::dating::Units;
use super::key::KeyLine;
use super::{Scrubber, Work};
use crate::span::Span;

impl Scrubber {
    /// Looks for headers and for lines of private keys in a block.
    pub(super) fn begin(&mut self, block: &[u8]) {
        let Scrubber { judge, carry, work, .. } = self;
        let Work { parts, headers, keys, seen, left_heads, left_seen, .. } = work;
        headers.clear();
        keys.clear();
        *seen = match left_seen.take() {
            Some(seen) => seen,
            None => parts.begin(judge.policy(), block, carry),
        };
        Units { seen: *seen, max_record: carry.max_record }.note_in(&mut carry.head);
        // The fast lane does not see them, and where records are judged nobody is to tell by the result.
        carry.head.numbers_alone = !seen.may_have_bytes();
        judge.begin(&carry.head);
        match left_heads.take() {
            Some(known) => (*headers, *keys) = known,
            None => {
                carry.headers(judge.policy(), block, |header| headers.push(header));
                carry.keys(judge.policy(), block, |line| keys.push(line));
            }
        }
        headers.reverse();
        keys.reverse();
    }

    /// What the headers up to this place say holds from here on: a header is read by its own names.
    pub(super) fn pass_headers(&mut self, place: usize) {
        let mut is_header = false;
        while let Some((at, columns)) = self.work.headers.pop_if(|(at, _)| *at <= place) {
            is_header = at == place;
            self.carry.head.columns = Some(columns);
            self.judge.begin(&self.carry.head);
        }
        self.judge.at_header(is_header);
    }

    /// What of this record is a line of a private key, as a span of the record.
    pub(super) fn pass_key(&mut self, record: Span) -> Option<KeyLine> {
        while self.work.keys.pop_if(|line| line.span.start < record.start).is_some() {} // of parts of longer records
        let KeyLine { span, begins } = self.work.keys.pop_if(|line| line.span.start < record.end)?;
        Some(KeyLine { span: Span::new(span.start - record.start, span.end - record.start), begins })
    }

    pub(super) fn end(&mut self, block: &[u8]) {
        self.carry.seen = self.work.seen;
        if self.carry.has_headers(self.judge.policy()) {
            let last = self.work.headers.first().map(|(_, columns)| Arc::clone(columns));
            self.carry.end(last, block);
        }
    }

    /// Whether a rule asks for one of the columns that a header names: none of them stands in its records.
    pub(super) fn asks_for_columns(&self) -> bool {
        let carried = self.carry.head.columns.iter();
        let columns = carried.chain(self.work.headers.iter().map(|(_, columns)| columns));
        let mut names = columns.flat_map(|columns| &columns.names);
        names.any(|name| self.judge.policy().may_mean(name))
    }
}
