//! `redact` of the Vector Remap Language: one event a line, as in a pipeline of Vector.

use peers::{filter_lines, rules};
use vrl::compiler::{TargetValue, TimeZone, runtime::Runtime, state::RuntimeState};
use vrl::value::{ObjectMap, Secrets, Value};

fn main() -> std::io::Result<()> {
    let filters: Vec<String> = rules().iter().map(|(_, pattern)| format!("r'{pattern}'")).collect();
    let source = format!(".message = redact!(.message, filters: [{}])", filters.join(", "));
    let program = vrl::compiler::compile(&source, &vrl::stdlib::all()).expect("the program compiles").program;
    let mut runtime = Runtime::new(RuntimeState::default());
    let zone = TimeZone::default();
    let mut event = TargetValue {
        value: Value::Null,
        metadata: Value::Object(ObjectMap::new()),
        secrets: Secrets::default(),
    };
    filter_lines(|line, scrubbed| {
        event.value = Value::Object(ObjectMap::from([("message".into(), Value::from(line))]));
        runtime.resolve(&mut event, &program, &zone).expect("the program runs");
        let message = event.value.as_object().and_then(|fields| fields.get("message"));
        scrubbed.extend_from_slice(message.and_then(Value::as_bytes).expect("a message is bytes"));
    })
}
