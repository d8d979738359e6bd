//! The parting of bytes among decisions that overlap.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::Policy;
use super::decide::Decision;
use crate::span::Span;

impl Policy {
    /// Makes of decisions those that share no byte, sorted by place: the stronger action first, then the longer
    /// span. What the loser covers outside the winner is still acted on, so no tail of it stays.
    pub fn part(&self, decisions: &mut Vec<Decision>) {
        decisions.retain(|decision| !decision.span.is_empty());
        let overlap = |pair: &[Decision]| pair[1].span.start < pair[0].span.end;
        if !decisions.is_sorted_by_key(|decision| decision.span) {
            decisions.sort_by_key(|decision| decision.span);
        }
        if decisions.windows(2).any(overlap) {
            *decisions = self.part_overlapping(std::mem::take(decisions));
        }
    }

    fn part_overlapping(&self, mut decisions: Vec<Decision>) -> Vec<Decision> {
        decisions.sort_by_key(|decision| {
            let strength = self.rules[decision.rule].action.strength();
            (Reverse((strength, decision.span.len())), decision.span.start, decision.rule)
        });
        let mut parted = Vec::new();
        let mut taken = BTreeMap::new();
        for decision in decisions {
            let mut start = decision.span.start;
            let overlapping: Vec<Span> = overlaps(&taken, decision.span);
            let rest = !overlapping.is_empty();
            for span in overlapping.into_iter().chain([Span::new(decision.span.end, decision.span.end)]) {
                if start < span.start {
                    let piece = Span::new(start, span.start);
                    taken.insert(piece.start, piece.end);
                    parted.push(Decision { span: piece, rest, whole: decision.whole && !rest, ..decision });
                }
                start = start.max(span.end);
            }
        }
        parted.sort_by_key(|decision| decision.span);
        parted
    }
}

/// The taken spans that share a byte with `span`, in order.
fn overlaps(taken: &BTreeMap<usize, usize>, span: Span) -> Vec<Span> {
    let mut found: Vec<Span> = taken
        .range(..span.end)
        .rev()
        .map(|(start, end)| Span::new(*start, *end))
        .take_while(|other| other.end > span.start)
        .collect();
    found.reverse();
    found
}
