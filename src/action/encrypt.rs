//! `encrypt`: tokens that the holder of the key can turn back.
//!
//! AES-SIV with two 256-bit keys (RFC 5297) and the name of the kind as associated data, over the value as it is read,
//! its escapes undone. Without a nonce the same value has the same token under a key, so that a token serves as a
//! pseudonym as well; and nobody without the key can make one that is taken for one.

use aes_siv::aead::generic_array::GenericArray;
use aes_siv::siv::Aes256Siv;
use aes_siv::{KeyInit, Tag};
use zeroize::Zeroizing;

use super::base32;
use super::hash::{HashKey, KEY_ID_SYMBOLS, Lent};
use super::keys::Keys;
use super::residue::ordinal;
use crate::kind::{Kinds, NAME_BYTES};
use crate::span::Span;

/// Bytes of the tag before the ciphertext (RFC 5297 section 2.6).
const TAG_BYTES: usize = 16;

/// Longest value that is encrypted, and truncated: longer ones are redacted. Most session tokens are shorter, and no
/// address, number or name is longer. Whoever looks for tokens has to look that far.
pub const MAX_VALUE_BYTES: usize = 1024;

/// Symbols of the longest token.
pub(super) const MAX_TOKEN_SYMBOLS: usize = base32::symbols(TAG_BYTES + MAX_VALUE_BYTES);

/// Symbols of the shortest one.
pub(super) const MIN_TOKEN_SYMBOLS: usize = base32::symbols(TAG_BYTES);

/// Appends the token of a value under a key.
pub(super) fn seal(key: &[u8; 64], kind: &str, value: &[u8], out: &mut Vec<u8>) -> bool {
    let start = out.len();
    let mut sealed = Lent::of(out);
    sealed.push(&[&[0; TAG_BYTES], value]);
    let Some(text) = sealed.room().get_mut(start + TAG_BYTES..) else { return false };
    let mut siv = Aes256Siv::new(GenericArray::from_slice(key));
    // Only more than 126 headers fail.
    let Ok(tag) = siv.encrypt_in_place_detached([kind], text) else { return false };
    let mut token = Vec::with_capacity(base32::symbols(TAG_BYTES + value.len()));
    sealed.room()[start..start + TAG_BYTES].copy_from_slice(&tag);
    base32::encode(sealed.bytes(), &mut token);
    drop(sealed);
    out.extend_from_slice(&token);
    true
}

/// The value of which a token was made under the key, for that kind.
pub(super) fn open(key: &[u8; 64], kind: &str, token: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut sealed = Zeroizing::new(Vec::with_capacity(token.len()));
    if !(MIN_TOKEN_SYMBOLS..=MAX_TOKEN_SYMBOLS).contains(&token.len()) || !base32::decode(token, &mut sealed)
    {
        return None;
    }
    let (tag, text) = sealed.split_at_mut_checked(TAG_BYTES)?;
    let tag = Tag::clone_from_slice(tag);
    Aes256Siv::new(GenericArray::from_slice(key)).decrypt_in_place_detached([kind], text, &tag).ok()?;
    sealed.drain(..TAG_BYTES);
    Some(sealed)
}

impl HashKey {
    /// Appends the residue `[kind~k…:…]` of a value; `false` if it is too long for one, and nothing is appended.
    pub(super) fn encrypt(&self, kind: &str, value: &[u8], out: &mut Vec<u8>) -> bool {
        let start = out.len();
        let parts = [b"[", kind.as_bytes(), b"~k", self.id().as_bytes(), b":"];
        parts.iter().for_each(|part| out.extend_from_slice(part));
        let sealed = value.len() <= MAX_VALUE_BYTES && seal(self.sealing(), kind, value, out);
        if sealed {
            out.push(b']');
        } else {
            out.truncate(start);
        }
        sealed
    }

    /// The value of which a token was made under this key, for that kind.
    pub fn decrypt(&self, kind: &str, token: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        open(self.sealing(), kind, token)
    }
}

/// What looks like a token in a text.
#[derive(Debug)]
pub struct Opened<'t> {
    /// Where it stands, with its brackets.
    pub span: Span,
    /// The name of the kind that it is said to be of.
    pub kind: &'t str,
    /// The value, if a key opens it.
    pub value: Option<Zeroizing<Vec<u8>>>,
}

/// What looks like a token in a text, in its order.
pub fn opened<'t>(keys: &Keys, text: &'t [u8]) -> impl Iterator<Item = Opened<'t>> {
    memchr::memchr_iter(b'[', text).filter_map(|open| {
        let (token, length) = written(&text[open..])?;
        let value = keys.with_id(token.id).find_map(|key| key.decrypt(token.kind, token.text));
        Some(Opened { span: Span::new(open, open + length), kind: token.kind, value })
    })
}

/// Appends the text with values, as they were read, in place of all tokens that one of the keys opens. Returns how many
/// look like tokens under any key, and stay.
pub fn reveal(keys: &Keys, text: &[u8], out: &mut Vec<u8>) -> u64 {
    let (mut from, mut stay) = (0, 0);
    for Opened { span, value, .. } in opened(keys, text) {
        match value {
            Some(value) => {
                out.extend_from_slice(&text[from..span.start]);
                out.extend_from_slice(&value);
                from = span.end;
            }
            None => stay += 1,
        }
    }
    out.extend_from_slice(&text[from..]);
    stay
}

/// A token as it stands in a text: `[kind~kID:TEXT]`.
struct Written<'t> {
    kind: &'t str,
    id: &'t [u8],
    text: &'t [u8],
}

/// The token at the beginning of a text, and how long it is with its brackets.
fn written(text: &[u8]) -> Option<(Written<'_>, usize)> {
    let inside = text.strip_prefix(b"[")?;
    let mark = inside.iter().take(NAME_BYTES + 1).position(|byte| *byte == b'~')?;
    let kind = std::str::from_utf8(&inside[..mark]).ok().filter(|kind| Kinds::is_name(kind))?;
    let (id, rest) = inside[mark + 1..].strip_prefix(b"k")?.split_at_checked(KEY_ID_SYMBOLS)?;
    let rest = rest.strip_prefix(b":")?;
    let symbols =
        rest.iter().take(MAX_TOKEN_SYMBOLS + 1).take_while(|byte| base32::is_symbol(**byte)).count();
    let (token, end) = rest.split_at(symbols);
    let number = ordinal(end);
    let closes = end.get(number) == Some(&b']') && token.len() >= MIN_TOKEN_SYMBOLS;
    closes.then(|| {
        let length = text.len() - end.len() + number + 1;
        (Written { kind, id, text: token }, length)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    /// RFC 5297 appendices A.1 and A.2, which are for keys of half the length; and of the length that is used here the
    /// vector that is published with several implementations.
    #[test]
    fn the_published_vectors_hold() {
        let ad = ["101112131415161718191a1b1c1d1e1f2021222324252627"].map(bytes);
        let key = "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
        let mut siv = aes_siv::siv::Aes128Siv::new(GenericArray::from_slice(&bytes(key)));
        let mut text = bytes("112233445566778899aabbccddee");
        let tag = siv.encrypt_in_place_detached(&ad, &mut text).unwrap();
        assert_eq!(tag[..], bytes("85632d07c6e8f37f950acd320a2ecc93"));
        assert_eq!(text, bytes("40c02b9690c4dc04daef7f6afe5c"));

        let ad = [
            "00112233445566778899aabbccddeeffdeaddadadeaddadaffeeddccbbaa99887766554433221100",
            "102030405060708090a0",
            "09f911029d74e35bd84156c5635688c0",
        ]
        .map(bytes);
        let key = "7f7e7d7c7b7a79787776757473727170404142434445464748494a4b4c4d4e4f";
        let mut siv = aes_siv::siv::Aes128Siv::new(GenericArray::from_slice(&bytes(key)));
        let mut text = b"this is some plaintext to encrypt using SIV-AES".to_vec();
        let tag = siv.encrypt_in_place_detached(&ad, &mut text).unwrap();
        assert_eq!(tag[..], bytes("7bdb6e3b432667eb06f4d14bff2fbd0f"));
        let sealed =
            "cb900f2fddbe404326601965c889bf17dba77ceb094fa663b7a3f748ba8af829ea64ad544a272e9c485b62a3fd5c0d";
        assert_eq!(text, bytes(sealed));

        let ad = ["101112131415161718191a1b1c1d1e1f2021222324252627"].map(bytes);
        let key = "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f06f6e6d6c6b6a69686766656463626160\
                   f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff000102030405060708090a0b0c0d0e0f";
        let mut siv = Aes256Siv::new(GenericArray::from_slice(&bytes(key)));
        let mut text = bytes("112233445566778899aabbccddee");
        let tag = siv.encrypt_in_place_detached(&ad, &mut text).unwrap();
        let sealed = [&tag[..], &text].concat();
        assert_eq!(sealed, bytes("f125274c598065cfc26b0e71575029088b035217e380cac8919ee800c126"));
    }

    #[test]
    fn a_token_gives_the_value_back_to_the_holder_of_its_key_alone() {
        let (key, other) = ([7; 64], [8; 64]);
        for value in [&b""[..], b"a", b"ana@example.com", b"\xff\x00\n", &[b'x'; MAX_VALUE_BYTES]] {
            let (mut token, mut again) = (b"before".to_vec(), Vec::new());
            assert!(seal(&key, "email", value, &mut token));
            assert!(seal(&key, "email", value, &mut again));
            let token = token.strip_prefix(b"before").unwrap();
            assert_eq!(token, again);
            assert!((MIN_TOKEN_SYMBOLS..=MAX_TOKEN_SYMBOLS).contains(&token.len()));
            assert_eq!(open(&key, "email", token).unwrap()[..], *value);
            assert_eq!(open(&other, "email", token), None);
            assert_eq!(open(&key, "ipv4", token), None);
            for at in 0..token.len().min(60) {
                let mut forged = token.to_vec();
                forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
                assert_eq!(open(&key, "email", &forged), None);
                assert_eq!(open(&key, "email", &token[..at]), None);
            }
        }
    }

    #[test]
    fn tokens_in_a_text_are_revealed_and_all_else_stays() {
        let keys = Keys::one(HashKey::new(&[7; 32]));
        let (mut token, mut other) = (Vec::new(), Vec::new());
        HashKey::new(&[7; 32]).encrypt("user_id", b"bea \xff", &mut token);
        HashKey::new(&[8; 32]).encrypt("user_id", b"bea", &mut other);
        let numbered = [&token[..token.len() - 1], b"#2]"].concat();
        let text = [b"[[x", &token[..], b"]", &numbered, &other, b"[user_id~k", &token].concat();
        let mut out = Vec::new();
        assert_eq!(reveal(&keys, &text, &mut out), 1);
        assert_eq!(out, [b"[[xbea \xff]bea \xff", &other[..], b"[user_id~kbea \xff"].concat());
    }
}
