//! What the peers share: rules from the command line, blocks of whole lines, the Luhn check.

use std::io::{self, Read, Write};

/// 128 KiB was the fastest of 64 KiB to 1 MiB for the union: input and output stay in the cache of a core.
const BLOCK_BYTES: usize = 128 * 1024;

/// The arguments of the program, each `KIND=PATTERN`, as pairs.
pub fn rules() -> Vec<(String, String)> {
    std::env::args()
        .skip(1)
        .map(|rule| {
            let (kind, pattern) = rule.split_once('=').expect("arguments are KIND=PATTERN");
            (kind.to_owned(), pattern.to_owned())
        })
        .collect()
}

/// Hands standard input on in blocks of whole lines as they arrive, and writes after each block what `scrub` appended.
pub fn filter_blocks(mut scrub: impl FnMut(&[u8], &mut Vec<u8>)) -> io::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut block = vec![0; BLOCK_BYTES];
    let mut scrubbed = Vec::with_capacity(2 * BLOCK_BYTES);
    let mut filled = 0;
    loop {
        if filled == block.len() {
            block.resize(2 * filled, 0);
        }
        let count = input.read(&mut block[filled..])?;
        filled += count;
        let end = match memchr::memrchr(b'\n', &block[..filled]) {
            _ if count == 0 => filled,
            Some(newline) => newline + 1,
            None => continue,
        };
        scrubbed.clear();
        scrub(&block[..end], &mut scrubbed);
        output.write_all(&scrubbed)?;
        output.flush()?;
        if count == 0 {
            return Ok(());
        }
        block.copy_within(end..filled, 0);
        filled -= end;
    }
}

/// As `filter_blocks`, line by line; `scrub` sees no newline.
pub fn filter_lines(mut scrub: impl FnMut(&[u8], &mut Vec<u8>)) -> io::Result<()> {
    filter_blocks(|block, scrubbed| {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', block) {
            scrub(&block[start..end], scrubbed);
            scrubbed.push(b'\n');
            start = end + 1;
        }
        if start < block.len() {
            scrub(&block[start..], scrubbed);
        }
    })
}

/// Whether the digits of `text` end in the right check digit (ISO/IEC 7812-1).
pub fn luhn(text: &[u8]) -> bool {
    let digits = text.iter().rev().filter(|byte| byte.is_ascii_digit()).map(|byte| u32::from(byte - b'0'));
    let sum: u32 = digits
        .enumerate()
        .map(|(place, digit)| if !place.is_multiple_of(2) { digit * 2 / 10 + digit * 2 % 10 } else { digit })
        .sum();
    sum.is_multiple_of(10)
}
