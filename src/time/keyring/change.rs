//! New keys, and keys that are forgotten. Nothing here touches a file.

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::parse::KEYS;
use super::{Forgotten, IdOf, Keyring, Period};
use crate::time::age::Age;

/// How many periods are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// So many.
    Count(usize),
    /// Until this moment has a key, and all before it.
    Until(Timestamp),
}

impl Keyring {
    /// A keyring of one key that serves everything for ever.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn of_one_key(id_of: IdOf) -> Result<Keyring, String> {
        let mut keyring = Keyring::default();
        let key = keyring.random(None, None, id_of)?;
        keyring.periods.push(key);
        Ok(keyring)
    }

    /// A keyring of periods of equal length.
    ///
    /// # Errors
    /// The system gives no random bytes, or there would be too many keys.
    pub fn of_periods(every: Age, from: Timestamp, reach: Reach, id_of: IdOf) -> Result<Keyring, String> {
        let mut keyring = Keyring { every: Some(every), ..Keyring::default() };
        keyring.add(every, from, reach, id_of)?;
        Ok(keyring)
    }

    /// Adds the key of `scope = "forever"`.
    ///
    /// # Errors
    /// The system gives no random bytes, or there would be too many keys.
    pub fn add_forever(&mut self, id_of: IdOf) -> Result<(), String> {
        self.check_room()?;
        self.forever = Some(self.random(None, None, id_of)?);
        Ok(())
    }

    /// Adds periods of the same length behind the last, until that moment has a key, and keys for times between
    /// periods that have none. Says how many.
    ///
    /// # Errors
    /// It has no periods, the system gives no random bytes, or there would be too many keys.
    pub fn roll(&mut self, until: Timestamp, id_of: IdOf) -> Result<usize, String> {
        let end = self.last_end().ok_or("its key serves for ever: there is nothing to add")?;
        let every =
            self.every.ok_or("it does not say how long a period is: write every = \"30d\" below version")?;
        let before = self.periods.len();
        for (from, until) in self.gaps() {
            self.fill(every, from, until, id_of)?;
        }
        self.add(every, end, Reach::Until(until), id_of)?;
        Ok(self.periods.len() - before)
    }

    /// Forgets the keys of the periods whose end is so, and says which. One that is not over by now stays.
    pub fn forget(&mut self, now: Timestamp, is_due: impl Fn(Timestamp) -> bool) -> Vec<Forgotten> {
        let goes = |period: &mut Period| period.until.is_some_and(|until| until <= now && is_due(until));
        let gone: Vec<Forgotten> =
            self.periods.extract_if(.., goes).map(|period| note(&period, now, false)).collect();
        self.keep_notes(&gone);
        gone
    }

    /// Forgets the key for `scope = "forever"`, also if it serves the periods, and says which it was.
    pub fn forget_forever(&mut self, now: Timestamp) -> Vec<Forgotten> {
        let unbounded = |period: &mut Period| period.from.is_none() && period.until.is_none();
        let gone: Vec<Forgotten> = match self.forever.take() {
            Some(key) => vec![note(&key, now, true)],
            None => self.periods.extract_if(.., unbounded).map(|key| note(&key, now, false)).collect(),
        };
        self.keep_notes(&gone);
        gone
    }

    fn keep_notes(&mut self, gone: &[Forgotten]) {
        self.forgotten.extend_from_slice(gone);
        self.forgotten.sort_by_key(|gone| (gone.was_forever, gone.from));
    }

    fn add(&mut self, every: Age, mut from: Timestamp, reach: Reach, id_of: IdOf) -> Result<(), String> {
        let mut made = 0;
        while match reach {
            Reach::Count(count) => made < count,
            Reach::Until(until) => from < until,
        } {
            let until = every.after(from).ok_or("a period would end after the year 9999")?;
            self.push(from, until, id_of)?;
            from = until;
            made += 1;
        }
        Ok(())
    }

    fn fill(&mut self, every: Age, mut from: Timestamp, end: Timestamp, id_of: IdOf) -> Result<(), String> {
        while from < end {
            let until = every.after(from).map_or(end, |until| until.min(end));
            self.push(from, until, id_of)?;
            from = until;
        }
        Ok(())
    }

    fn push(&mut self, from: Timestamp, until: Timestamp, id_of: IdOf) -> Result<(), String> {
        self.check_room()?;
        let key = self.random(Some(from), Some(until), id_of)?;
        let place = self.periods.partition_point(|period| period.from < key.from);
        self.periods.insert(place, key);
        Ok(())
    }

    fn check_room(&self) -> Result<(), String> {
        match self.ids().count() < KEYS {
            true => Ok(()),
            false => Err(format!("these would be more than {KEYS} keys")),
        }
    }

    /// A new key, whose id no other has.
    fn random(
        &self,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
        id_of: IdOf,
    ) -> Result<Period, String> {
        let mut secret = Box::new(Zeroizing::new([0_u8; 32]));
        loop {
            getrandom::fill(&mut **secret).map_err(|_| "the system gave no random bytes".to_owned())?;
            let id = id_of(&secret);
            if self.ids().all(|known| known != id) {
                return Ok(Period { from, until, id, secret });
            }
        }
    }
}

fn note(period: &Period, now: Timestamp, was_forever: bool) -> Forgotten {
    Forgotten { from: period.from, until: period.until, was_forever, id: period.id.clone(), forgotten: now }
}
