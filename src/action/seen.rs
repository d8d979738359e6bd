//! [`Seen`]: the tokens of values that were hashed lately.
//!
//! The same clients and users occur again and again. An HMAC and its symbols take 200 ns on a processor that has
//! instructions for SHA-256, and four times as long on one that has none; to look a token up takes 20 to 60 ns.

use std::hash::{BuildHasher, Hasher, RandomState};

use crate::kind::Kind;

/// Symbols of the tokens that are remembered: of all kinds but cards, which hardly ever occur again.
pub(super) const TOKEN_SYMBOLS: usize = 20;

/// Sets of two slots: 2 MiB once a value was hashed. Of the 23,000 clients of a busy web server, all equally frequent,
/// 97 % are found, and with half the sets 85 %, which costs more than what falls out of the second-level cache.
const SETS: usize = 1 << 15;

/// What is hashed of a value, and whether it counts as an IPv4 address though it is written as an IPv6 one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hashed {
    pub(super) as_ipv4: bool,
    pub(super) token: [u8; TOKEN_SYMBOLS],
}

/// Remembers what was hashed. It holds no values: they are told apart by 64 bits under a key of its own, which is random
/// and never leaves it. So nobody can choose values that drive each other out; and that one of 10⁹ values is taken for
/// another happens in one of 10⁸ runs.
#[derive(Default)]
pub(super) struct Seen {
    key: RandomState,
    /// Empty before the first value.
    sets: Vec<Set>,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Seen").finish_non_exhaustive()
    }
}

/// A cache line; the newer one first.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Set([Slot; 2]);

#[derive(Clone, Copy, Default)]
struct Slot {
    tag: Tag,
    /// `None` in an empty slot.
    as_ipv4: Option<bool>,
    token: [u8; TOKEN_SYMBOLS],
}

/// 64 bits that stand for a value of a kind under a key.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tag(u64);

impl Seen {
    /// What tells the value of a kind under the key of that number from all others: a SipHash.
    pub(super) fn tag(&self, key: u32, kind: Kind, value: &[u8]) -> Tag {
        let mut hasher = self.key.build_hasher();
        hasher.write_u64(u64::from(key) << 16 | kind.index() as u64);
        hasher.write(value);
        Tag(hasher.finish())
    }

    /// What was hashed of the value with this tag, if it is remembered.
    pub(super) fn find(&self, tag: Tag) -> Option<Hashed> {
        let Set(slots) = self.sets.get(tag.set())?;
        let slot = slots.iter().find(|slot| slot.tag == tag)?;
        slot.as_ipv4.map(|as_ipv4| Hashed { as_ipv4, token: slot.token })
    }

    /// Remembers it.
    pub(super) fn keep(&mut self, tag: Tag, hashed: Hashed) {
        if self.sets.is_empty() {
            self.sets = vec![Set::default(); SETS];
        }
        let Set(slots) = &mut self.sets[tag.set()];
        slots[1] = slots[0];
        slots[0] = Slot { tag, as_ipv4: Some(hashed.as_ipv4), token: hashed.token };
    }
}

impl Tag {
    fn set(self) -> usize {
        self.0 as usize % SETS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashed(number: u32) -> Hashed {
        let mut token = [b'0'; TOKEN_SYMBOLS];
        token[..4].copy_from_slice(&number.to_be_bytes());
        Hashed { as_ipv4: number % 2 == 1, token }
    }

    #[test]
    fn what_was_hashed_lately_is_remembered() {
        let mut seen = Seen::default();
        let texts = [&b""[..], b"a", b"b", b"a\0", &[b'x'; 1000]];
        for (number, text) in (0..).zip(texts) {
            assert_eq!(seen.find(seen.tag(7, Kind::EMAIL, text)), None);
            seen.keep(seen.tag(7, Kind::EMAIL, text), hashed(number));
        }
        for (number, text) in (0..).zip(texts) {
            assert_eq!(seen.find(seen.tag(7, Kind::EMAIL, text)), Some(hashed(number)));
        }
        assert_eq!(seen.find(seen.tag(8, Kind::EMAIL, b"a")), None);
    }

    #[test]
    fn more_values_than_slots_are_all_right() {
        let mut seen = Seen::default();
        let mut known = 0;
        for number in (0..4 * SETS as u32).chain(3 * SETS as u32..4 * SETS as u32) {
            let tag = seen.tag(7, Kind::IPV4, &number.to_le_bytes());
            match seen.find(tag) {
                Some(found) => {
                    assert_eq!(found, hashed(number));
                    known += 1;
                }
                None => seen.keep(tag, hashed(number)),
            }
        }
        assert!(known > SETS / 2, "{known}");
        assert_eq!(size_of::<Set>(), 64);
    }
}
