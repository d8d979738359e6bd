//! The report as JSON (`--report`).

use serde_json::{Value, json};

use super::{Row, Run};

/// The report of a run, with a line feed at its end.
pub fn render(run: &Run<'_>) -> String {
    let totals = run.totals();
    let rules: Vec<_> = run.rows().iter().map(row).collect();
    let faults: Vec<_> = run
        .faults
        .iter()
        .map(|fault| json!({"input": fault.source, "what": fault.what, "offset": fault.offset}))
        .collect();
    let policy = run.policy();
    let fingerprint = policy.map_or(&[][..], |policy| &policy.fingerprint);
    let fingerprint: String = fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut report = json!({
        "logscrub": env!("CARGO_PKG_VERSION"),
        "rules": {"title": policy.map_or("", |policy| &policy.title), "sha256": fingerprint},
        "records": totals.records,
        "changed": totals.changed,
        "withheld": totals.withheld,
        "dropped": totals.dropped,
        "acted": rules,
        "input_faults": faults,
    });
    if run.parts.iter().any(|part| part.policy.needs_keys()) {
        report["without_key"] = json!(totals.without_key);
    }
    if policy.is_some_and(|policy| !policy.holds.is_empty()) {
        report["held"] = json!(totals.held);
        report["held_late"] = json!(totals.held_late);
    }
    if run.parts.iter().any(|part| part.policy.known.is_some()) {
        report["unknown_fields"] = json!({"names": totals.unknown.names, "unnamed": totals.unknown.unnamed});
    }
    format!("{report:#}\n")
}

pub(super) fn row(row: &Row<'_>) -> Value {
    let mut told = json!({"rule": row.rule, "kind": row.kind, "action": row.action, "count": row.count});
    if let Some(step) = row.step {
        told["step"] = json!(step);
    }
    if let Some(year) = row.year {
        told["year"] = json!(year);
    }
    if let Some(source) = row.source {
        told["source"] = json!(source);
    }
    told
}
