//! The check digit of card numbers (ISO/IEC 7812-1, annex B).

/// Whether the digits, as ASCII and with the check digit last, pass. No digits at all do not.
pub fn holds(digits: impl DoubleEndedIterator<Item = u8>) -> bool {
    let (mut sum, mut count) = (0_u32, 0_u32);
    for digit in digits.rev() {
        let value = u32::from(digit.wrapping_sub(b'0'));
        let doubled = if value > 4 { 2 * value - 9 } else { 2 * value };
        sum += if count % 2 == 1 { doubled } else { value };
        count += 1;
    }
    count > 0 && sum % 10 == 0
}

/// The same of 24 digits or fewer, eight in a word, the first in the lowest byte; zero bytes stand for those
/// that are missing in front. All digits are summed up at once.
#[inline]
pub fn holds_at_once(digits: [u64; 3]) -> bool {
    const LOW_HALVES: u64 = 0x0f0f_0f0f_0f0f_0f0f;
    const EVERY_OTHER: u64 = 0x00ff_00ff_00ff_00ff;
    const ONES: u64 = 0x0101_0101_0101_0101;
    let values = digits.map(|word| {
        let digits = word & LOW_HALVES;
        let doubled = 2 * (digits & EVERY_OTHER);
        // The high bit of each byte that is ten or more, for which nine goes off.
        let over = (doubled + 0x76 * ONES) >> 7 & ONES;
        (digits & !EVERY_OTHER) + doubled - 9 * over
    });
    let sum = (values[0] + values[1] + values[2]).wrapping_mul(ONES) >> 56;
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::{holds, holds_at_once};

    #[test]
    fn the_sum_of_all_digits_at_once_is_the_same() {
        // Each digit at each place, and numbers that a linear congruence throws.
        let mut number = 1_u64;
        for round in 0..20_000_u64 {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let length = 12 + (round % 8) as usize;
            let text = format!("{:019}", number >> 2);
            let digits = &text.as_bytes()[text.len() - length..];
            let mut padded = [0; 24];
            padded[24 - length..].copy_from_slice(digits);
            let (words, _) = padded.as_chunks::<8>();
            let words = [0, 1, 2].map(|at| u64::from_le_bytes(words[at]));
            assert_eq!(holds_at_once(words), holds(digits.iter().copied()), "{text}");
        }
    }

    #[test]
    fn one_changed_digit_is_noticed() {
        assert!(holds(b"4111111111111111".iter().copied()));
        assert!(holds(b"378282246310005".iter().copied()));
        assert!(!holds(b"4111111111111112".iter().copied()));
        assert!(!holds(b"4111111111111121".iter().copied()));
        assert!(!holds(std::iter::empty()));
    }
}
