//! Whatever a format reads from any bytes: fields in order and inside one another; of formats with a grammar of their own a
//! record with a value replaced reads as the same fields with that value, and one with a field removed is still of the format.
#![no_main]

#[path = "../../tests/reading/mod.rs"]
mod reading;

use libfuzzer_sys::fuzz_target;
use logscrub::format::{FORMATS, Head};

/// Edits are tried on shorter records only: each of a record's fields is edited, and the record read again.
const MAX_EDITED_BYTES: usize = 512;

// A line feed ends a header, which says how to read the record after it.
fuzz_target!(|data: &[u8]| {
    for format in FORMATS {
        let (mut head, mut record) = (Head::default(), data);
        if let Some(at) = data.iter().position(|byte| *byte == b'\n')
            && let Some(columns) = format.header(&data[..at])
        {
            head.columns = Some(columns.into());
            record = &data[at + 1..];
        }
        if let Some(fields) = reading::read(record, format, &head) {
            reading::check_places(record, &fields);
            if record.len() <= MAX_EDITED_BYTES {
                reading::check_edits_of_any(record, format, &head);
            }
        }
    }
});
