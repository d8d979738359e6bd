//! [`Seen`]: the tokens of values that were hashed lately.
//!
//! The same clients and users occur again and again. An HMAC and its symbols take 200 ns on a processor that has
//! instructions for SHA-256, and four times as long on one that has none; to look a token up takes 20 to 60 ns.

use std::cell::RefCell;
use std::hash::{BuildHasher, Hasher, RandomState};

use crate::kind::{Kind, Kinds};

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
    multilinear: Multilinear,
    /// Empty before the first value.
    sets: Vec<Set>,
}

thread_local! {
    /// One for all policies and keys of a thread: to lock one in each would take half as long as to look a token up.
    static SEEN: RefCell<Seen> = RefCell::default();
}

/// Lends what this thread remembers; nothing when the thread ends.
pub(super) fn with_seen<T>(act: impl FnOnce(&mut Seen) -> T) -> Option<T> {
    SEEN.try_with(|seen| seen.try_borrow_mut().ok().map(|mut seen| act(&mut seen))).ok()?
}

/// Hashes three words to one: the upper half of their sum, each times a random number of 128 bits. Of two different
/// triples one of 2⁶⁴ choices of these numbers gives the same (Dietzfelbinger, "Universal hashing and k-wise independent
/// random variables via integer arithmetic without primes", STACS 1996).
struct Multilinear([u128; 4]);

impl Default for Multilinear {
    fn default() -> Multilinear {
        let random = RandomState::new();
        let word = |number: u8| u128::from(random.hash_one(number));
        Multilinear([0, 2, 4, 6].map(|number| word(number) << 64 | word(number + 1)))
    }
}

impl Multilinear {
    fn hash(&self, words: [u64; 3]) -> u64 {
        let Multilinear([factors @ .., addend]) = self;
        let products = factors.iter().zip(words).map(|(factor, word)| factor.wrapping_mul(word.into()));
        (products.fold(*addend, u128::wrapping_add) >> 64) as u64
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
    /// What tells the value of a kind under the key of that number from all others: a SipHash, for which a third of the
    /// time is enough where two words hold the value, as they do nearly every IPv4 address.
    pub(super) fn tag(&self, key: u32, kind: Kind, kinds: &Kinds, value: &[u8]) -> Tag {
        match (value.first_chunk(), value.last_chunk()) {
            (Some(first), Some(last)) if value.len() <= 16 && kind.is_built_in() => {
                let rest = u64::from(key) << 32 | (kind.index() << 8 | value.len()) as u64;
                Tag(self.multilinear.hash([u64::from_le_bytes(*first), u64::from_le_bytes(*last), rest]))
            }
            _ => self.siphash(key, kind, kinds, value),
        }
    }

    fn siphash(&self, key: u32, kind: Kind, kinds: &Kinds, value: &[u8]) -> Tag {
        let mut hasher = self.key.build_hasher();
        // A number that is not built in another policy may give to another kind.
        let (number, name) =
            if kind.is_built_in() { (kind.index(), "") } else { (usize::MAX, kinds.name(kind)) };
        hasher.write_u64(u64::from(key) << 16 ^ number as u64);
        hasher.write(name.as_bytes());
        hasher.write_u8(0);
        hasher.write(value);
        Tag(hasher.finish())
    }

    /// Near where the value with this tag is remembered, if it is.
    pub(super) fn place(&self, tag: Tag) -> Option<*const u8> {
        self.sets.get(tag.set()).map(|set| std::ptr::from_ref(set).cast())
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

    fn tag(seen: &Seen, key: u32, kind: Kind, value: &[u8]) -> Tag {
        seen.tag(key, kind, &Kinds::default(), value)
    }

    #[test]
    fn what_was_hashed_lately_is_remembered() {
        let mut seen = Seen::default();
        let texts = [&b""[..], b"a", b"b", b"a\0", &[b'x'; 1000]];
        for (number, text) in (0..).zip(texts) {
            assert_eq!(seen.find(tag(&seen, 7, Kind::EMAIL, text)), None);
            seen.keep(tag(&seen, 7, Kind::EMAIL, text), hashed(number));
        }
        for (number, text) in (0..).zip(texts) {
            assert_eq!(seen.find(tag(&seen, 7, Kind::EMAIL, text)), Some(hashed(number)));
        }
        assert_eq!(seen.find(tag(&seen, 8, Kind::EMAIL, b"a")), None);
    }

    #[test]
    fn kinds_of_two_policies_are_told_apart() {
        let (mut one, mut two) = (Kinds::default(), Kinds::default());
        let (staff, customer) = (one.intern("staff"), two.intern("customer"));
        assert_eq!(staff, customer);
        let seen = Seen::default();
        assert!(seen.tag(7, staff, &one, b"a") != seen.tag(7, customer, &two, b"a"));
        two.intern("staff");
        let again = two.get("staff").unwrap_or(Kind::FIELD);
        assert!(seen.tag(7, staff, &one, b"a") == seen.tag(7, again, &two, b"a"));
    }

    #[test]
    fn the_tag_of_a_short_value_is_like_that_of_no_other() {
        let seen = Seen::default();
        let texts =
            ["198.51.100.1", "198.51.100.11", "198.51.101.1", "198.51.100.1.", "2001:db8::1", "1.1.1.1"];
        let kinds = [Kind::IPV4, Kind::IPV6].into_iter();
        let all = kinds
            .flat_map(|kind| [7, 8].map(|key| texts.map(|text| tag(&seen, key, kind, text.as_bytes()).0)));
        let mut all: Vec<u64> = all.flatten().collect();
        let first = all[0];
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 4 * texts.len());
        assert_eq!(tag(&seen, 7, Kind::IPV4, b"198.51.100.1").0, first);
    }

    #[test]
    fn more_values_than_slots_are_all_right() {
        let mut seen = Seen::default();
        let mut known = 0;
        for number in (0..4 * SETS as u32).chain(3 * SETS as u32..4 * SETS as u32) {
            let address = std::net::Ipv4Addr::from_bits(number).to_string();
            let tag = tag(&seen, 7, Kind::IPV4, address.as_bytes());
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
