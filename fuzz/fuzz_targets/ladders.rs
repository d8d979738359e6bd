//! First byte: the ladder. Second: the date, and how the rest, a log, is cut.
//!
//! What is left of it is the same however it is judged and cut, and final at that date; the records add up; and to be
//! scrubbed on the way changes nothing about what a late run leaves.
#![no_main]

mod aged;

use std::collections::BTreeMap;
use std::io::Write;

use libfuzzer_sys::fuzz_target;
use logscrub::scrub::{Dated, Scrubber};
use logscrub::stream::ScrubWriter;
use logscrub::time::stamp::Moment;

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn lines(log: &[u8]) -> u64 {
    log.split_inclusive(|byte| *byte == b'\n').count() as u64
}

/// What is written of a log that comes in these pieces.
fn written<'l>(scrubber: &Scrubber, pieces: impl Iterator<Item = &'l [u8]>) -> String {
    let mut writer = ScrubWriter::new(scrubber.clone(), Vec::new());
    pieces.for_each(|piece| writer.write_all(piece).expect("room"));
    shown(&writer.finish().expect("room"))
}

/// When the records were written, as far as they or those before them tell.
fn times(scrubber: &Scrubber, log: &[u8]) -> BTreeMap<u64, Option<Moment>> {
    let mut times = BTreeMap::new();
    scrubber.clone().inspect(log, |number, _, judged| {
        let time = match judged.dated {
            Some((Dated::Own(moment) | Dated::Before(moment), _)) => Some(moment),
            _ => None,
        };
        times.insert(number, time);
    });
    times
}

fuzz_target!(|data: &[u8]| {
    let [choice, step, log @ ..] = data else { return };
    let (ladder, scrubbers) = aged::chosen(*choice);
    let at = usize::from(*step) % scrubbers.len();
    let scrubber = &scrubbers[at];
    let (whole, [records, changed, withheld, dropped]) = aged::scrub(scrubber, log);
    let tally = [records, changed, withheld, dropped];

    let slow = aged::scrub(&scrubber.clone().without_fast_lane(), log);
    assert_eq!((shown(&slow.0), slow.1), (shown(&whole), tally), "without the lane");
    let slow = aged::scrub(&scrubber.clone().judging_every_record(), log);
    assert_eq!((shown(&slow.0), slow.1), (shown(&whole), tally), "every record");

    let size = usize::from(*step) + 1;
    let step = usize::from(*step % 5) + 1;
    assert_eq!(written(scrubber, log.chunks(size)), shown(&whole), "pieces");
    let feeds: Vec<&[u8]> = log.split_inclusive(|byte| *byte == b'\n').collect();
    let blocks: Vec<Vec<u8>> = feeds.chunks(step).map(<[&[u8]]>::concat).collect();
    assert_eq!(written(scrubber, blocks.iter().map(Vec::as_slice)), shown(&whole), "blocks");

    assert_eq!(records, lines(log));
    assert_eq!(lines(&whole) + dropped, records, "{}", shown(&whole));
    assert!(dropped == 0 || !ladder.keeps_records);

    // A record that is gone or withheld tells those behind it no time any more.
    if withheld > 0 || dropped > 0 {
        return;
    }
    let (again, [_, changed, ..]) = aged::scrub(scrubber, &whole);
    assert_eq!(shown(&again), shown(&whole), "final");
    assert_eq!(changed, 0);
    scrubber.clone().inspect(&whole, |_, record, judged| {
        assert_eq!(judged.left.as_deref().map(shown), Some(shown(record)), "inspected");
    });
    if ladder.walks {
        for late in &scrubbers[at + 1..] {
            let known = times(scrubber, log);
            if times(late, log)
                .iter()
                .any(|(number, time)| known.get(number).is_some_and(|known| known != time))
            {
                continue; // without a year, or ahead of now: it is read as another one later
            }
            let (once, [_, _, withheld, _]) = aged::scrub(late, log);
            let (walked, [_, _, lost, _]) = aged::scrub(late, &whole);
            assert!(
                withheld + lost > 0 || walked == once,
                "{}\n{}\n{}",
                shown(&walked),
                shown(&once),
                shown(&whole)
            );
        }
    }
});
