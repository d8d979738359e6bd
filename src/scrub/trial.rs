//! Records as of a chosen age: what `[[test]]` asks for. A part of [`Scrubber`].

use jiff::Timestamp;

use super::Scrubber;
use super::carry::{Last, Read};
use crate::policy::{Test, When};
use crate::time::stamp::Moment;

/// The moment of tests that do not say theirs, of records without a time: 2030-01-01T00:00:00Z.
const FIXED: Timestamp = Timestamp::constant(1_893_456_000, 0);

impl Scrubber {
    /// The own time of a record, if it has one; of one without a year the last before `reference`. Nothing is read where
    /// nothing depends on it.
    pub fn time_of(&mut self, record: &[u8], reference: Timestamp) -> Option<Timestamp> {
        let read = Read::new(Timestamp::MAX, Some(reference));
        let moment = self.stages.as_mut()?.own_time(record, &self.carry.head, read)?;
        Some(moment.nominal)
    }

    /// Scrubs the record of a test, as the first of an input and at the moment that the test says.
    pub fn try_out(&mut self, test: &Test, out: &mut Vec<u8>) {
        self.start_over();
        let reference = if let When::At(now) = test.when { now } else { FIXED };
        let written = self.time_of(&test.input, reference);
        let (now, behind) = match test.when {
            When::At(now) => (now, None),
            When::New => (written.unwrap_or(FIXED), None),
            When::Old(age) => match written {
                Some(time) => (age.after(time).unwrap_or(Timestamp::MAX), None),
                None => (FIXED, Some(age.before(FIXED))),
            },
        };
        // One without a time takes that of the record before.
        let mut carry = self.carry.start_over(self.policy());
        carry.read = Some(Read::new(now, written.filter(|_| !matches!(test.when, When::At(_)))));
        carry.last = behind.map(|time| Last { moment: Moment::certain(time), record: None });
        self.go_on(carry);
        self.scrub(&test.input, out);
        self.start_over();
    }
}
