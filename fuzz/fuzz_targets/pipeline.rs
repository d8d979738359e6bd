//! First byte: the policy. Second: how the rest, a log, is cut.
#![no_main]

#[path = "../../tests/logs/mod.rs"]
mod logs;
#[path = "../../tests/reference/mod.rs"]
mod reference;
mod scrubbers;

use std::io::Write;

use libfuzzer_sys::fuzz_target;
use logscrub::detect::index;
use logscrub::detect::marks::Marks;
use logscrub::stream::ScrubWriter;

/// Whether there is a candidate: escapes split by escapes may hide one (see `hides_trigger`).
fn is_looked_at(line: &[u8]) -> bool {
    let mut candidates = Vec::new();
    index(line, &mut Marks::default(), &mut candidates);
    !candidates.is_empty()
}

fuzz_target!(|data: &[u8]| {
    let [choice, step, log @ ..] = data else { return };
    let scrubbers = &scrubbers::ALL;
    let choice = usize::from(*choice) % scrubbers.len();
    let scrub = |log: &[u8]| {
        let mut out = Vec::new();
        scrubbers[choice].clone().scrub(log, &mut out);
        out
    };
    let whole = scrub(log);
    if let Some(policy) = reference::scrub::Policy::BOTH.get(choice).filter(|_| log.len() < 2048) {
        for line in log.split_inclusive(|byte| *byte == b'\n').filter(|line| is_looked_at(line)) {
            let slow = reference::scrub::scrub(line, *policy);
            assert_eq!(scrubbers::shown(&scrub(line)), scrubbers::shown(&slow));
        }
    }
    assert_eq!(scrubbers::shown(&scrub(&whole)), scrubbers::shown(&whole), "final");

    let lines: Vec<&[u8]> = log.split_inclusive(|byte| *byte == b'\n').collect();
    let blocks = lines.chunks(usize::from(*step % 5) + 1);
    assert_eq!(blocks.flat_map(|lines| scrub(&lines.concat())).collect::<Vec<u8>>(), whole, "blocks");

    let mut writer = ScrubWriter::new(scrubbers[choice].clone(), Vec::new());
    log.chunks(usize::from(*step) + 1).for_each(|piece| writer.write_all(piece).unwrap());
    assert_eq!(writer.finish().unwrap(), whole, "writes");
});
