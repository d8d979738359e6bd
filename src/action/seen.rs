//! [`Seen`]: the digests of values that were hashed lately.
//!
//! The same clients and users occur again and again. An HMAC takes 150 ns on a processor that has instructions
//! for SHA-256, and four times as long on one that has none; to look a digest up takes 20 to 80 ns.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Bytes of a digest that pseudonyms are made of.
pub(super) const DIGEST_BYTES: usize = 16;

/// Sets of two slots: 1 MiB once a value was hashed. Of the 23,000 clients of a busy web server, all equally
/// frequent, 85 % are found, and with half the sets 65 %; twice the sets fall out of the second-level cache.
const SETS: usize = 1 << 14;

/// What is hashed of a value: the digest of its canonical form, and whether it counts as an IPv4 address though it
/// is written as an IPv6 one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hashed {
    pub(super) as_ipv4: bool,
    pub(super) digest: [u8; DIGEST_BYTES],
}

/// Remembers what was hashed. It holds no values: they are told apart by 96 bits under a key of
/// its own, which is random and never leaves it. So nobody can choose values that drive each other out or are taken
/// for one another; and the pseudonyms have no more bits themselves.
#[derive(Default)]
pub(super) struct Seen {
    key: RandomState,
    /// Empty before the first value.
    sets: Vec<Set>,
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
    digest: [u8; DIGEST_BYTES],
}

/// 96 bits that stand for a text.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tag([u32; 3]);

impl std::fmt::Debug for Seen {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Seen").finish_non_exhaustive()
    }
}

impl Seen {
    /// What tells the text from all others: its SipHash, and that of the text with one more byte.
    pub(super) fn tag(&self, text: &[u8]) -> Tag {
        let mut hasher = self.key.build_hasher();
        hasher.write(text);
        let first = hasher.finish();
        hasher.write_u8(0);
        Tag([first as u32, (first >> 32) as u32, hasher.finish() as u32])
    }

    /// What was hashed of the text with this tag, if it is remembered.
    pub(super) fn find(&self, tag: Tag) -> Option<Hashed> {
        let Set(slots) = self.sets.get(tag.set())?;
        let slot = slots.iter().find(|slot| slot.tag == tag)?;
        slot.as_ipv4.map(|as_ipv4| Hashed { as_ipv4, digest: slot.digest })
    }

    /// Remembers it.
    pub(super) fn keep(&mut self, tag: Tag, hashed: Hashed) {
        if self.sets.is_empty() {
            self.sets = vec![Set::default(); SETS];
        }
        let Set(slots) = &mut self.sets[tag.set()];
        slots[1] = slots[0];
        slots[0] = Slot { tag, as_ipv4: Some(hashed.as_ipv4), digest: hashed.digest };
    }
}

impl Tag {
    fn set(self) -> usize {
        self.0[0] as usize % SETS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashed(number: u32) -> Hashed {
        Hashed { as_ipv4: number % 2 == 1, digest: u128::from(number).to_be_bytes() }
    }

    #[test]
    fn what_was_hashed_lately_is_remembered() {
        let mut seen = Seen::default();
        let texts = [&b""[..], b"a", b"b", b"a\0", &[b'x'; 1000]];
        for (number, text) in (0..).zip(texts) {
            assert_eq!(seen.find(seen.tag(text)), None);
            seen.keep(seen.tag(text), hashed(number));
        }
        for (number, text) in (0..).zip(texts) {
            assert_eq!(seen.find(seen.tag(text)), Some(hashed(number)));
        }
        assert_eq!(Seen::default().find(seen.tag(b"a")), None);
    }

    #[test]
    fn more_values_than_slots_are_all_right() {
        let mut seen = Seen::default();
        let mut known = 0;
        for number in (0..4 * SETS as u32).chain(3 * SETS as u32..4 * SETS as u32) {
            let tag = seen.tag(&number.to_le_bytes());
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
