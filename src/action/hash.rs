//! `hash`: keyed pseudonyms.
//!
//! HMAC-SHA-256 (RFC 2104, FIPS 198-1) over the name of the kind, a zero byte and the canonical form of the
//! value. No unkeyed hash exists: all 2³² IPv4 addresses are counted through in minutes.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::base32;
use super::canonical::write_canonical;
use crate::kind::{Kind, Kinds};

/// Symbols of a key id: 30 bits tell the keys of one keyring apart.
pub const KEY_ID_SYMBOLS: usize = 6;

/// The first half of an HMAC.
const DIGEST_BYTES: usize = 16;

/// Bytes of the longest pseudonym beside the name of its kind.
const PSEUDONYM_BYTES: usize = 48;

/// Bytes of a token: 96 bits, 128 for cards. With 96 bits the first collision is expected at 2⁴⁸ values.
fn token_bytes(kind: Kind) -> usize {
    if kind == Kind::PAN { 16 } else { 12 }
}

/// Symbols of a token.
pub fn token_symbols(kind: Kind) -> usize {
    base32::symbols(token_bytes(kind))
}

/// The key of a period, ready to make pseudonyms, tokens and addresses. It is zeroed when dropped, and `Debug` shows its id alone.
#[derive(Clone)]
pub struct HashKey {
    id: String,
    number: u32,
    /// `:k`, the id, `:`.
    mark: [u8; KEY_ID_SYMBOLS + 3],
    mac: Hmac<Sha256>,
    sealing: Zeroizing<[u8; 64]>,
    prefixes: Zeroizing<[u8; 32]>,
    reporting: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for HashKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("HashKey").field(&self.id).finish()
    }
}

impl HashKey {
    /// The subkeys of a 256-bit key (HKDF-SHA-256, RFC 5869, without salt: the key is uniform).
    pub fn new(key: &[u8; 32]) -> HashKey {
        let hashing = subkey::<32>(key, b"logscrub hash 1");
        // HMAC takes a key of any length; the fallback cannot be reached.
        let mac = Hmac::<Sha256>::new_from_slice(&*hashing)
            .unwrap_or_else(|_| Hmac::<Sha256>::new(&Default::default()));
        let (sealing, prefixes) = (subkey(key, b"logscrub encrypt 1"), subkey(key, b"logscrub prefix 1"));
        let reporting = subkey(key, b"logscrub report 1");
        let id = key_id(key);
        let mut mark = *b":k000000:";
        mark[2..2 + KEY_ID_SYMBOLS].copy_from_slice(&id.as_bytes()[..KEY_ID_SYMBOLS]);
        HashKey { number: number_of(key), mark, id, mac, sealing, prefixes, reporting }
    }

    /// The id that stands in its pseudonyms.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Digests (HMAC-SHA-256) of whole files for a report: whoever has the report cannot test them against a guess.
    pub fn report_mac(&self) -> Hmac<Sha256> {
        Hmac::<Sha256>::new_from_slice(&*self.reporting)
            .unwrap_or_else(|_| Hmac::<Sha256>::new(&Default::default()))
    }

    /// The subkey of `encrypt`.
    pub(super) fn sealing(&self) -> &[u8; 64] {
        &self.sealing
    }

    /// The subkey for addresses in place of addresses.
    pub(super) fn prefixes(&self) -> &[u8; 32] {
        &self.prefixes
    }

    /// The number of which its id is the first thirty bits.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Appends what stands before the token in `[kind:k…:…]`.
    pub(super) fn begin_pseudonym(&self, kind: Kind, kinds: &Kinds, out: &mut Vec<u8>) {
        let name = kinds.name(kind).as_bytes();
        out.reserve(name.len() + PSEUDONYM_BYTES);
        out.push(b'[');
        out.extend_from_slice(name);
        out.extend_from_slice(&self.mark);
    }

    /// Appends the token of a value, which is hashed as a value of that kind.
    pub(super) fn token(&self, kind: Kind, value: &[u8], kinds: &Kinds, out: &mut Vec<u8>) {
        let mut message = Lent::of(out);
        message.push(&[kinds.name(kind).as_bytes(), b"\0"]);
        write_canonical(kind, value, message.room());
        let digest = self.hmac(message.bytes());
        drop(message);
        base32::encode(&digest[..token_bytes(kind)], out);
    }

    /// The first half of the HMAC. To clone the MAC is to start from its two precomputed states.
    fn hmac(&self, message: &[u8]) -> [u8; DIGEST_BYTES] {
        let full = self.mac.clone().chain_update(message).finalize().into_bytes();
        let mut half = [0; DIGEST_BYTES];
        half.copy_from_slice(&full[..DIGEST_BYTES]);
        half
    }
}

/// The end of a buffer, lent for a text: so no text has to be allocated. What is left in the buffer is as before.
pub(super) struct Lent<'r> {
    room: &'r mut Vec<u8>,
    start: usize,
}

impl Lent<'_> {
    pub(super) fn of(room: &mut Vec<u8>) -> Lent<'_> {
        let start = room.len();
        Lent { room, start }
    }

    pub(super) fn push(&mut self, parts: &[&[u8]]) {
        parts.iter().for_each(|part| self.room.extend_from_slice(part));
    }

    /// To append to.
    pub(super) fn room(&mut self) -> &mut Vec<u8> {
        self.room
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.room[self.start..]
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.room.truncate(self.start);
    }
}

/// The fingerprint of a key, as it stands in a keyring and in pseudonyms.
pub fn key_id(key: &[u8; 32]) -> String {
    let mut id = Vec::new();
    base32::encode(&number_of(key).to_be_bytes(), &mut id);
    id.truncate(KEY_ID_SYMBOLS);
    String::from_utf8_lossy(&id).into_owned()
}

/// The number of which the id is the first thirty bits.
fn number_of(key: &[u8; 32]) -> u32 {
    let fingerprint = subkey::<32>(key, b"logscrub key id 1");
    fingerprint.first_chunk().copied().map_or(0, u32::from_be_bytes)
}

fn subkey<const BYTES: usize>(key: &[u8; 32], purpose: &[u8]) -> Zeroizing<[u8; BYTES]> {
    let mut subkey = Zeroizing::new([0; BYTES]);
    // Only lengths above 255 × 32 bytes fail.
    let _ = Hkdf::<Sha256>::new(None, key).expand(purpose, &mut *subkey);
    subkey
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// RFC 4231 sections 4.2 and 4.3; RFC 5869 appendix A.3, which is without salt as well.
    #[test]
    fn the_published_vectors_hold() {
        let mac = |key: &[u8], text: &[u8]| {
            hex(&Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(text).finalize().into_bytes())
        };
        let expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        assert_eq!(mac(&[0x0b; 20], b"Hi There"), expected);
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(mac(b"Jefe", b"what do ya want for nothing?"), expected);
        let mut subkey = [0; 42];
        Hkdf::<Sha256>::new(None, &[0x0b; 22]).expand(b"", &mut subkey).unwrap();
        let expected = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8";
        assert_eq!(hex(&subkey), expected);
    }

    #[test]
    fn each_purpose_has_a_key_of_its_own() {
        let key = HashKey::new(&[7; 32]);
        assert_ne!(key.sealing()[..32], key.sealing()[32..]);
        assert_ne!(key.prefixes()[..16], key.prefixes()[16..]);
        assert!(!key.sealing().windows(32).any(|part| *part == key.prefixes()[..]));
        assert_eq!(format!("{key:?}"), format!("HashKey({:?})", key.id()));
    }
}
