//! [`Keys`]: every key that a run may need, by the time that it serves.

use std::sync::Arc;

use jiff::Timestamp;

use super::canonical::hashed_as;
use super::hash::{HashKey, Lent};
use super::seen::{Hashed, with_seen};
use crate::kind::{Kind, Kinds};

/// A period: the key of a span of time.
#[derive(Clone, Debug)]
pub struct KeyPeriod {
    /// First moment, if there is one.
    pub from: Option<Timestamp>,
    /// First moment after, if there is one.
    pub until: Option<Timestamp>,
    /// The id of its key, as it stands in pseudonyms.
    pub id: String,
    /// The key; `None` once it is forgotten.
    pub key: Option<HashKey>,
}

/// All keys of a run. A clone shares them.
///
/// What was hashed lately each thread remembers, in 2 MiB for all keys.
#[derive(Clone, Debug)]
pub struct Keys {
    ring: Arc<Ring>,
}

#[derive(Debug)]
struct Ring {
    /// In the order of their times.
    periods: Vec<KeyPeriod>,
    forever: Option<HashKey>,
    /// All ids, sorted, each with what its key serves.
    ids: Vec<(String, Serves)>,
}

/// What a key serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Serves {
    /// The period at that place.
    Period(usize),
    /// All times.
    Forever,
    /// Nothing any more: it served all times, and is forgotten.
    Nothing,
}

impl Keys {
    /// Keys by period, no two of which serve at the same time, the one key of `scope = "forever"`, and the ids of those
    /// that were such and are forgotten.
    pub fn new(mut periods: Vec<KeyPeriod>, forever: Option<HashKey>, forgotten: Vec<String>) -> Keys {
        periods.sort_by_key(|period| period.from); // `None`, since ever, is the least
        let by_period =
            periods.iter().enumerate().map(|(at, period)| (period.id.clone(), Serves::Period(at)));
        let for_all = forever.iter().map(|key| (key.id().to_owned(), Serves::Forever));
        let gone = forgotten.into_iter().map(|id| (id, Serves::Nothing));
        let mut ids: Vec<_> = by_period.chain(for_all).chain(gone).collect();
        ids.sort();
        Keys { ring: Arc::new(Ring { periods, forever, ids }) }
    }

    /// One key since ever, for ever, and for `scope = "forever"`.
    pub fn one(key: HashKey) -> Keys {
        let forever = Some(key.clone());
        let period = KeyPeriod { from: None, until: None, id: key.id().to_owned(), key: Some(key) };
        Keys::new(vec![period], forever, Vec::new())
    }

    /// The place of the period in which the moment lies, its key forgotten or not.
    pub fn period_at(&self, moment: Timestamp) -> Option<usize> {
        let begun = |period: &KeyPeriod| period.from.is_none_or(|from| from <= moment);
        let last = self.ring.periods.partition_point(begun).checked_sub(1)?;
        self.ring.periods[last].until.is_none_or(|until| moment < until).then_some(last)
    }

    /// The periods, in the order of their times.
    pub fn periods(&self) -> &[KeyPeriod] {
        &self.ring.periods
    }

    /// The ids of all keys, those of forgotten ones too.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.ring.ids.iter().map(|(id, _)| id.as_str())
    }

    /// The ids of the keys that served all times and are forgotten.
    pub fn forgotten_for_ever(&self) -> impl Iterator<Item = &str> {
        let gone = self.ring.ids.iter().filter(|(_, serves)| *serves == Serves::Nothing);
        gone.map(|(id, _)| id.as_str())
    }

    /// Whether one key serves at all times, so that the time of a record does not matter.
    pub fn is_single(&self) -> bool {
        matches!(self.periods(), [KeyPeriod { from: None, until: None, .. }])
    }

    /// The key of the period at that place, unless it is forgotten.
    pub fn of_period(&self, period: usize) -> Option<&HashKey> {
        self.periods().get(period)?.key.as_ref()
    }

    /// The key for all times.
    pub fn forever(&self) -> Option<&HashKey> {
        self.ring.forever.as_ref()
    }

    /// Whether a key has that id, forgotten or not.
    pub fn knows(&self, id: &[u8]) -> bool {
        self.ring.ids.binary_search_by(|(known, _)| known.as_bytes().cmp(id)).is_ok()
    }

    /// The keys with that id, but for forgotten ones. Ids of keys of one keyring could be equal.
    pub(super) fn with_id<'k>(&'k self, id: &'k [u8]) -> impl Iterator<Item = &'k HashKey> {
        let ids = &self.ring.ids;
        let first = ids.partition_point(|(known, _)| known.as_bytes() < id);
        let equal = ids[first..].iter().take_while(move |(known, _)| known.as_bytes() == id);
        equal.filter_map(|(_, serves)| match serves {
            Serves::Period(at) => self.of_period(*at),
            Serves::Forever => self.forever(),
            Serves::Nothing => None,
        })
    }
}

/// Appends the pseudonym `[kind:k…:…]` of a value under a key. That of a mapped IPv6 address is the one of the IPv4
/// address that it holds.
pub(super) fn pseudonym(key: &HashKey, kind: Kind, value: &[u8], kinds: &Kinds, out: &mut Vec<u8>) {
    // A card hardly ever occurs again.
    if kind == Kind::PAN {
        key.begin_pseudonym(kind, kinds, out);
        key.token(kind, value, kinds, out);
    } else {
        let Hashed { as_ipv4, token } = hashed(key, kind, value, kinds, out);
        key.begin_pseudonym(if as_ipv4 { Kind::IPV4 } else { kind }, kinds, out);
        out.extend_from_slice(&token);
    }
    out.push(b']');
}

/// Near where the pseudonym of a value under a key is remembered, if it is.
pub(super) fn place(key: &HashKey, kind: Kind, kinds: &Kinds, value: &[u8]) -> Option<*const u8> {
    with_seen(|seen| seen.place(seen.tag(key.number(), kind, kinds, value)))?
}

/// Remembered by the key and the value as it is written: then its canonical form need not be made either.
fn hashed(key: &HashKey, kind: Kind, value: &[u8], kinds: &Kinds, room: &mut Vec<u8>) -> Hashed {
    let remembered = with_seen(|seen| {
        let tag = seen.tag(key.number(), kind, kinds, value);
        seen.find(tag).unwrap_or_else(|| {
            let hashed = compute(key, kind, value, kinds, room);
            seen.keep(tag, hashed);
            hashed
        })
    });
    remembered.unwrap_or_else(|| compute(key, kind, value, kinds, room))
}

fn compute(key: &HashKey, kind: Kind, value: &[u8], kinds: &Kinds, room: &mut Vec<u8>) -> Hashed {
    let counts_as = hashed_as(kind, value);
    let mut text = Lent::of(room);
    key.token(counts_as, value, kinds, text.room());
    let token = text.bytes().first_chunk().copied().unwrap_or_default();
    Hashed { as_ipv4: counts_as != kind, token }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn period(from: Option<&str>, until: Option<&str>, byte: u8) -> KeyPeriod {
        let moment = |text: &str| text.parse().unwrap();
        let key = HashKey::new(&[byte; 32]);
        KeyPeriod {
            from: from.map(moment),
            until: until.map(moment),
            id: key.id().to_owned(),
            key: Some(key),
        }
    }

    const DAYS: [&str; 3] = ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"];

    #[test]
    fn a_moment_lies_in_the_period_that_begins_with_it() {
        let [first, second, third] = DAYS.map(Some);
        let keys = Keys::new(vec![period(third, None, 3), period(first, second, 1)], None, Vec::new());
        let at = |text: &str| keys.period_at(text.parse().unwrap());
        assert_eq!(at("2025-12-31T23:59:59.999999999Z"), None);
        assert_eq!(at(DAYS[0]), Some(0));
        assert_eq!(at("2026-01-31T23:59:59.999999999Z"), Some(0));
        assert_eq!(at(DAYS[1]), None); // no key serves in February
        assert_eq!(at(DAYS[2]), Some(1));
        assert_eq!(at("2999-01-01T00:00:00Z"), Some(1));
        assert!(!keys.is_single());
        let ids: Vec<&str> = keys.ids().collect();
        assert_eq!(ids.len(), 2);
        assert!(ids.iter().all(|id| keys.knows(id.as_bytes())));
        assert!(!keys.knows(b"000000"));
        assert!(Keys::new(vec![period(None, None, 1)], None, Vec::new()).is_single());
        assert!(Keys::one(HashKey::new(&[1; 32])).is_single());
        assert_eq!(Keys::new(Vec::new(), None, Vec::new()).period_at(Timestamp::UNIX_EPOCH), None);
    }

    #[test]
    fn ids_of_forgotten_keys_are_known_and_lead_to_no_key() {
        let forever = HashKey::new(&[2; 32]);
        let gone = KeyPeriod { key: None, ..period(None, Some(DAYS[0]), 1) };
        let ids = [gone.id.clone(), "8ye0tm".to_owned(), forever.id().to_owned()];
        let keys = Keys::new(vec![gone], Some(forever), vec!["8ye0tm".to_owned()]);
        assert!(ids.iter().all(|id| keys.knows(id.as_bytes())));
        assert_eq!(ids.map(|id| keys.with_id(id.as_bytes()).count()), [0, 0, 1]);
    }

    #[test]
    fn what_is_remembered_under_one_key_is_not_taken_for_that_of_another() {
        let [first, second, _] = DAYS.map(Some);
        let keys = Keys::new(vec![period(first, second, 1), period(second, None, 2)], None, Vec::new());
        let kinds = Kinds::default();
        let pseudonym = |keys: &Keys, period| {
            let mut out = Vec::new();
            let key = keys.of_period(period).unwrap();
            super::pseudonym(key, Kind::EMAIL, b"ana@example.com", &kinds, &mut out);
            out
        };
        let (one, other) = (pseudonym(&keys, 0), pseudonym(&keys, 1));
        assert_ne!(one[15..], other[15..]);
        assert_eq!(pseudonym(&keys, 0), one);
        assert_eq!(
            std::thread::scope(|threads| threads.spawn(|| pseudonym(&keys, 1)).join()).unwrap(),
            other
        );
    }

    /// Why no hash is without a key, and what it means to forget one: whoever has it counts all addresses of a network
    /// through, and whoever has not finds none.
    #[test]
    fn who_has_the_key_finds_every_address_of_a_network_and_who_has_not_finds_none() {
        let kinds = Kinds::default();
        let tokens = |key: HashKey| -> std::collections::HashSet<Vec<u8>> {
            let token = |host: u16| {
                let mut out = Vec::new();
                let value = format!("198.51.{}.{}", host >> 8, host & 0xff);
                pseudonym(&key, Kind::IPV4, value.as_bytes(), &kinds, &mut out);
                out.split_off(b"[ipv4:k3f9x2q:".len())
            };
            (0..=u16::MAX).map(token).collect()
        };
        let log = tokens(HashKey::new(&[7; 32]));
        assert_eq!(log.len(), 1 << 16);
        assert_eq!(tokens(HashKey::new(&[7; 32])), log);
        assert!(tokens(HashKey::new(&[8; 32])).is_disjoint(&log));
    }
}
