//! Any bytes as a record, a value or two: a time that is read lies in them, and what it is coarsened to is read as
//! that, in the same place, and stays.
#![no_main]

use libfuzzer_sys::fuzz_target;
use logscrub::time::stamp::Clock;

#[path = "../../tests/times/oracle.rs"]
mod oracle;

fuzz_target!(|data: &[u8]| {
    let Some(([how, text @ ..], reference)) = data.split_last_chunk::<4>().map(|(text, last)| (text, *last)) else {
        return;
    };
    let zone = (how % 2 == 1).then(|| jiff::tz::Offset::from_seconds(i32::from(*how as i8) * 15 * 60).ok()).flatten();
    let reference = i64::from(i32::from_le_bytes(reference)) * 4;
    let Ok(reference) = jiff::Timestamp::from_second(reference) else { return };
    oracle::check_all(text, &Clock { zone, reference });
});
