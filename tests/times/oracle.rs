//! What must hold for any bytes, for the tests and for fuzzing.

use logscrub::time::stamp::{Clock, Stamp, Unit};

/// The text of the time at that unit.
pub(crate) fn coarsened(stamp: &Stamp, text: &[u8], unit: Unit) -> Vec<u8> {
    let mut out = Vec::new();
    stamp.coarsen(stamp.span.of(text), unit, &mut out);
    out
}

/// Holds a time against the text that it was read from; `read` is how it was read.
pub(crate) fn check(text: &[u8], stamp: &Stamp, read: impl Fn(&[u8]) -> Option<Stamp>) {
    let shown = || String::from_utf8_lossy(text).into_owned();
    assert!(
        stamp.span.start < stamp.span.end && stamp.span.end <= text.len(),
        "{:?} of {}",
        stamp.span,
        shown()
    );
    let moment = stamp.moment(None);
    assert!(moment.earliest() <= moment.nominal && moment.nominal <= moment.latest(), "{}", shown());
    for unit in Unit::ALL {
        let coarse = coarsened(stamp, text, unit);
        let has_exponent = stamp.span.of(text).contains(&b'E') || stamp.span.of(text).contains(&b'e');
        assert!(
            coarse.len() == stamp.span.len() || has_exponent && coarse.len() > stamp.span.len(),
            "{}",
            shown()
        );
        let whole = [&text[..stamp.span.start], &coarse, &text[stamp.span.end..]].concat();
        let Some(again) = read(&whole) else {
            panic!("{unit:?} of {} is not read: {}", shown(), String::from_utf8_lossy(&whole))
        };
        let written = String::from_utf8_lossy(&whole);
        assert_eq!(again.span.start, stamp.span.start, "{written}");
        assert_eq!(again.span.of(&whole), coarse, "{written}");
        assert_eq!(again.moment(None), stamp.moment(Some(unit)), "{unit:?} of {}: {written}", shown());
        assert_eq!(coarsened(&again, &whole, unit), coarse, "{unit:?} of {} again: {written}", shown());
        for finer in Unit::ALL.into_iter().filter(|finer| *finer < unit) {
            let by_way = coarsened(stamp, text, finer);
            let way = [&text[..stamp.span.start], &by_way, &text[stamp.span.end..]].concat();
            let Some(between) = read(&way) else { panic!("{finer:?} of {} is not read", shown()) };
            assert_eq!(coarsened(&between, &way, unit), coarse, "{finer:?}, then {unit:?} of {}", shown());
        }
    }
}

/// Reads the bytes as a record, as a value, and as two.
pub(crate) fn check_all(text: &[u8], clock: &Clock) {
    if let Some(stamp) = Stamp::at_head(text, clock) {
        check(text, &stamp, |text| Stamp::at_head(text, clock));
    }
    if let Some(stamp) = Stamp::of_value(text, clock) {
        check(text, &stamp, |text| Stamp::of_value(text, clock));
    }
    if let Some(middle) = text.iter().position(|byte| matches!(byte, b' ' | b'\t' | b'T')) {
        let (date, time) = (&text[..middle], &text[middle + 1..]);
        if let Some([day, hour]) = Stamp::of_parts(date, time, clock) {
            assert_eq!(day.moment(None), hour.moment(None));
            check_parts(date, time, [day, hour], clock);
        }
    }
}

/// A date and a time of day are coarsened together.
pub(crate) fn check_parts(date: &[u8], time: &[u8], [day, hour]: [Stamp; 2], clock: &Clock) {
    for unit in Unit::ALL {
        let (day_text, hour_text) = (coarsened(&day, date, unit), coarsened(&hour, time, unit));
        assert_eq!((day_text.len(), hour_text.len()), (date.len(), time.len()));
        let [day_again, hour_again] = Stamp::of_parts(&day_text, &hour_text, clock).expect("is read again");
        assert_eq!(day_again.moment(None), day.moment(Some(unit)));
        assert_eq!(hour_again.moment(None), hour.moment(Some(unit)));
    }
}
