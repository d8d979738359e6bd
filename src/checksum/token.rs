//! What tells tokens from words: base64 that decodes to what it should (RFC 4648), and letters that no word has.

/// Whether the first part of dotted base64 is the header of a JWT: an object that names its algorithm (RFC 7515
/// section 4.1.1).
pub fn is_jwt(value: &[u8]) -> bool {
    let header = value.split(|byte| *byte == b'.').next().unwrap_or_default();
    decoded(header).is_some_and(|header| {
        let text = header.trim_ascii();
        text.starts_with(b"{") && text.ends_with(b"}") && memchr::memmem::find(text, b"\"alg\"").is_some()
    })
}

/// Whether base64 decodes to a user and a password (RFC 7617 section 2): a colon, and no control character.
pub fn is_basic_auth(value: &[u8]) -> bool {
    decoded(value).is_some_and(|text| text.contains(&b':') && !text.iter().any(u8::is_ascii_control))
}

/// Whether the bytes look drawn by lot: a letter and a digit, or a long run of digits, or of letters in both cases.
pub fn is_bearer(value: &[u8]) -> bool {
    /// `Bearer token2` is no token, and what is shorter is guessed anyway.
    const MIN_BYTES: usize = 8;
    /// Names of classes and dates are shorter, most of them.
    const MIN_PLAIN_BYTES: usize = 16;
    let has = |is: fn(&u8) -> bool| value.iter().any(is);
    let digit = has(u8::is_ascii_digit);
    let (upper, lower) = (has(u8::is_ascii_uppercase), has(u8::is_ascii_lowercase));
    value.len() >= MIN_BYTES && digit && (upper || lower)
        || value.len() >= MIN_PLAIN_BYTES && (upper && lower || digit && value.iter().all(u8::is_ascii_digit))
}

/// The bytes that base64 stands for, in either alphabet, padded or not, cut or not; `None` if it is none.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.trim_ascii_end();
    let symbols = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let mut out = Vec::with_capacity(symbols * 3 / 4);
    let (mut bits, mut count) = (0u32, 0);
    for byte in &text[..symbols] {
        bits = bits << 6 | sextet(*byte)?;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    Some(out)
}

fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_either_alphabet() {
        assert_eq!(decoded(b"dXNlcjpwYXNzd29yZA==").unwrap(), b"user:password");
        assert_eq!(decoded(b"dXNlcjpwYXNzd29yZA").unwrap(), b"user:password");
        assert_eq!(decoded(b"-_-_").unwrap(), decoded(b"+/+/").unwrap());
        assert_eq!(decoded(b"").unwrap(), b"");
        assert!(decoded(b"a.b").is_none());
    }

    #[test]
    fn words_are_no_tokens() {
        for word in ["token", "authentication", "realm=", "2026-01-01", "authentication_scheme_unknown"] {
            assert!(!is_bearer(word.as_bytes()), "{word}");
        }
        for token in ["mF_9.B5f-4.1JqM", "0123456789012345", "abcdEFGHijklMNOP"] {
            assert!(is_bearer(token.as_bytes()), "{token}");
        }
    }
}
