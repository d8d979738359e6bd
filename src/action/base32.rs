//! Base 32 without the look-alikes i, l, o, u (Crockford's alphabet, in lower case): what tokens and key ids are
//! written in.

const SYMBOLS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Whether a byte is a symbol of the alphabet.
pub(super) fn is_symbol(byte: u8) -> bool {
    value_of(byte).is_some()
}

/// Symbols of so many bytes.
pub(super) const fn symbols(bytes: usize) -> usize {
    (bytes * 8).div_ceil(5)
}

/// Appends the bytes, most significant bit first, filled up with zeros to a whole symbol.
pub(super) fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    // Five bytes are eight symbols: written one by one they take four times as long.
    for five in bytes.chunks(5) {
        let bits =
            five.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte)) << (8 * (5 - five.len()));
        let eight: [u8; 8] = std::array::from_fn(|at| SYMBOLS[(bits >> (35 - 5 * at) & 31) as usize]);
        out.extend_from_slice(&eight[..symbols(five.len())]);
    }
}

/// Appends the bytes that the text was made of; `false` if it is not exactly what [`encode`] makes of any.
pub(super) fn decode(text: &[u8], out: &mut Vec<u8>) -> bool {
    let (mut bits, mut held) = (0_u32, 0);
    for symbol in text {
        let Some(value) = value_of(*symbol) else { return false };
        bits = bits << 5 | value;
        held += 5;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    held < 5 && bits & ((1 << held) - 1) == 0
}

fn value_of(symbol: u8) -> Option<u32> {
    /// Of no symbol.
    const NONE: u8 = 32;
    const VALUES: [u8; 256] = {
        let mut values = [NONE; 256];
        let mut at = 0;
        while at < SYMBOLS.len() {
            values[SYMBOLS[at] as usize] = at as u8;
            at += 1;
        }
        values
    };
    let value = VALUES[usize::from(symbol)];
    (value != NONE).then_some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_and_nothing_else_is(bytes: Vec<u8>, text in "[0-9a-z]{0,12}") {
            let (mut encoded, mut decoded) = (Vec::new(), Vec::new());
            encode(&bytes, &mut encoded);
            prop_assert_eq!(encoded.len(), symbols(bytes.len()));
            prop_assert!(decode(&encoded, &mut decoded));
            prop_assert_eq!(&decoded, &bytes);
            let (mut read, mut again) = (Vec::new(), Vec::new());
            if decode(text.as_bytes(), &mut read) {
                encode(&read, &mut again);
                prop_assert_eq!(again, text.as_bytes());
            }
        }
    }
}
