//! `hash`: keyed pseudonyms.
//!
//! HMAC-SHA-256 (RFC 2104, FIPS 198-1) over the name of the kind, a zero byte and the canonical form of the
//! value. No unkeyed hash exists: all 2³² IPv4 addresses are counted through in minutes.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::kind::Kind;

/// Symbols of a key id: 30 bits tell the keys of one keyring apart.
pub const KEY_ID_SYMBOLS: usize = 6;

/// Base 32 without the look-alikes i, l, o, u (Crockford's alphabet, in lower case).
const SYMBOLS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Symbols of a token: 96 bits, 128 for cards. With 96 bits the first collision is expected at 2⁴⁸ values.
pub fn token_symbols(kind: Kind) -> usize {
    if kind == Kind::PAN { 26 } else { 20 }
}

/// Whether a byte is a symbol of the alphabet.
pub fn is_symbol(byte: u8) -> bool {
    SYMBOLS.contains(&byte)
}

/// A key ready to make pseudonyms. It is zeroed when dropped, and `Debug` shows its id alone.
#[derive(Clone)]
pub struct HashKey {
    id: String,
    mac: Hmac<Sha256>,
}

impl std::fmt::Debug for HashKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("HashKey").field(&self.id).finish()
    }
}

impl HashKey {
    /// The hashing subkey of a 256-bit key (HKDF-SHA-256, RFC 5869, without salt: the key is uniform).
    pub fn new(key: &[u8; 32]) -> HashKey {
        let subkey = subkey(key, b"logscrub hash 1");
        // HMAC takes a key of any length; the fallback cannot be reached.
        let mac = Hmac::<Sha256>::new_from_slice(&*subkey)
            .unwrap_or_else(|_| Hmac::<Sha256>::new(&Default::default()));
        HashKey { id: key_id(key), mac }
    }

    /// The id that stands in its pseudonyms.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Appends the pseudonym `[kind:k…:…]` of a value in canonical form.
    pub fn pseudonym(&self, kind: Kind, name: &str, canonical: &[u8], out: &mut Vec<u8>) {
        let mut mac = self.mac.clone();
        mac.update(name.as_bytes());
        mac.update(&[0]);
        mac.update(canonical);
        let digest = mac.finalize().into_bytes();
        out.push(b'[');
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b":k");
        out.extend_from_slice(self.id.as_bytes());
        out.push(b':');
        let bits = if kind == Kind::PAN { 128 } else { 96 };
        base32(&digest[..bits / 8], token_symbols(kind), out);
        out.push(b']');
    }
}

/// The fingerprint of a key, as it stands in a keyring and in pseudonyms.
pub fn key_id(key: &[u8; 32]) -> String {
    let mut id = Vec::new();
    base32(&*subkey(key, b"logscrub key id 1"), KEY_ID_SYMBOLS, &mut id);
    String::from_utf8_lossy(&id).into_owned()
}

fn subkey(key: &[u8; 32], purpose: &[u8]) -> zeroize::Zeroizing<[u8; 32]> {
    let mut subkey = zeroize::Zeroizing::new([0; 32]);
    // Only lengths above 255 × 32 bytes fail.
    let _ = Hkdf::<Sha256>::new(None, key).expand(purpose, &mut *subkey);
    subkey
}

/// The first `symbols` symbols of the bits of `bytes`, most significant first, filled up with zeros.
fn base32(bytes: &[u8], symbols: usize, out: &mut Vec<u8>) {
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| usize::from(byte >> (7 - at % 8) & 1));
    for symbol in 0..symbols {
        let value = (0..5).fold(0, |value, at| value << 1 | bit(symbol * 5 + at));
        out.push(SYMBOLS[value]);
    }
}
