//! The count of values in fields that nobody named, by what those are called.

use super::Scratch;
use super::law::Law;
use crate::edit::Cause;
use crate::policy::decide::Record;
use crate::tally::Unknown;

/// Longest name of a field that is shown.
const SHOWN_NAME_BYTES: usize = 64;

/// Whether a name can be nothing but a name.
fn may_be_shown(name: &str) -> bool {
    (1..=SHOWN_NAME_BYTES).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

impl Law {
    /// Counts what the last pass did to fields that nobody named, by their names as far as those may be shown.
    pub(super) fn count_unknown(&self, bytes: &[u8], scratch: &mut Scratch, unknown: &mut Unknown) {
        let Some(known) = &self.policy.known else { return };
        let Scratch { fields, decisions, edits, detect, value, .. } = scratch;
        let record = Record { bytes, fields };
        let by_rule = |cause: &Cause| cause.rule == known.rule;
        let mut name = Vec::new();
        for cause in edits.list.iter().filter_map(|edit| edit.cause).filter(by_rule) {
            let at = decisions.acting.binary_search_by_key(&cause.value, |decision| decision.span);
            let Some(decision) = at.ok().and_then(|at| decisions.acting.get(at)) else { continue };
            let field = decision.field;
            name.clear();
            decisions.name_of(&record, field, &mut name);
            match std::str::from_utf8(&name).ok().filter(|name| may_be_shown(name)) {
                Some(name) if unknown.names.contains_key(name) => unknown.add(name, 1),
                Some(name) => {
                    value.findings.clear();
                    self.all_detectors.find(name.as_bytes(), detect, &mut value.findings);
                    if value.findings.is_empty() { unknown.add(name, 1) } else { unknown.unnamed += 1 }
                }
                None => unknown.unnamed += 1,
            }
        }
    }
}
