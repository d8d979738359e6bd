//! Whether what is left of a record need not be judged again.

use super::Scratch;
use super::law::Law;
use crate::detect::plain_escape;
use crate::detect::unescape::is_harmless;
use crate::edit::Edit;
use crate::format::{Field, Role};
use crate::policy::decide::Decision;

impl Law {
    /// Whether the edits of the last pass leave nothing that another pass could act on: nothing in the record may be
    /// a value but what they take away, what they write is known as a residue, and they let nothing run together.
    ///
    /// It may say no in vain. Of records with fields that rules name most settle so, and a second pass costs as much
    /// as the first.
    pub(super) fn is_settled(&self, bytes: &[u8], scratch: &Scratch) -> bool {
        let Scratch { fields, value, decisions, edits, .. } = scratch;
        let is_simple = fields.format().is_json() && fields.layers.len() == 1;
        if !is_simple || !self.policy.decides_alike_again() || !self.detectors.own().is_empty() {
            return false;
        }
        let acting = &decisions.acting;
        // What is left of a copy, or of what was left before, may be another rule's to take further.
        let goes_on = |decision: &Decision| decision.left || decision.copy && self.policy.acts_on_residues();
        if acting.iter().any(goes_on) {
            return false;
        }
        let is_residue =
            |edit: &Edit| edit.cause.is_none() || self.residues.is(&edits.text[edit.text.clone()]);
        let stands_apart = |decision: &Decision| {
            let field = &fields.list[decision.field];
            matches!(field.role, Role::Text | Role::Number | Role::Literal)
                && is_apart(bytes, field, decision)
        };
        let mut next = 0;
        let is_taken = |at: &u32| {
            let at = *at as usize;
            next += acting[next..].iter().take_while(|decision| decision.span.end <= at).count();
            acting.get(next).is_some_and(|decision| decision.span.start <= at)
        };
        let caused = edits.list.iter().filter(|edit| edit.cause.is_some()).count();
        caused == acting.len()
            && edits.list.iter().all(is_residue)
            && acting.iter().all(stands_apart)
            && value.candidates().iter().all(is_taken)
            && value.escapes(bytes.len()).all(|at| is_harmless(bytes, at))
            && !plain_escape::may_hide(bytes)
    }
}

/// Whether a value is all of its field, or has neighbours that nothing can run on across, nor that make a name of it.
fn is_apart(bytes: &[u8], field: &Field, decision: &Decision) -> bool {
    let span = decision.span;
    let (before, after) = (bytes.get(field.value.start..span.start), bytes.get(span.end..field.value.end));
    let (Some(before), Some(after)) = (before, after) else { return decision.whole };
    let parts = |byte: Option<&u8>| byte.is_none_or(|byte| b" ,;&()<>".contains(byte));
    let next = after.iter().find(|byte| !matches!(byte, b' ' | b'\t'));
    let makes_name = matches!(next, Some(b'=' | b':'));
    decision.whole || (parts(before.last()) || before.ends_with(b"=")) && parts(after.first()) && !makes_name
}
