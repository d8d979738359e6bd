//! The report as JSON (`--report`).

use serde_json::json;

use super::Run;

/// The report of a run, with a line feed at its end.
pub fn render(run: &Run<'_>) -> String {
    let rules: Vec<_> = run
        .rows()
        .iter()
        .map(|row| json!({"rule": row.rule, "kind": row.kind, "action": row.action, "count": row.count}))
        .collect();
    let faults: Vec<_> = run
        .faults
        .iter()
        .map(|fault| json!({"input": fault.source, "what": fault.what, "offset": fault.offset}))
        .collect();
    let fingerprint: String = run.policy.fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut report = json!({
        "logscrub": env!("CARGO_PKG_VERSION"),
        "rules": {"title": run.policy.title, "sha256": fingerprint},
        "records": run.tally.records,
        "changed": run.tally.changed,
        "withheld": run.tally.withheld,
        "dropped": run.tally.dropped,
        "acted": rules,
        "input_faults": faults,
    });
    if run.policy.known.is_some() {
        let unknown = &run.tally.unknown;
        report["unknown_fields"] = json!({"names": unknown.names, "unnamed": unknown.unnamed});
    }
    format!("{report:#}\n")
}
