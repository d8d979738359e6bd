//! Any bytes can be decoded without harm, however they are cut; what was encoded comes back.
#![no_main]

use std::io::{BufReader, Read, Write};

use libfuzzer_sys::fuzz_target;
use logscrub::codec::{Codec, Damaged, Encoding};

/// No codec makes more of a byte: zstd and xz repeat whole blocks for a few of them.
const MOST_OF_A_BYTE: usize = 1 << 20;

fuzz_target!(|data: &[u8]| {
    let [choice, cut, data @ ..] = data else { return };
    let codec = Codec::ALL[usize::from(*choice) % Codec::ALL.len()];
    let cut = usize::from(*cut) + 1;
    let whole = decoded(codec, data, data.len().max(1));
    assert_eq!(whole, decoded(codec, data, cut), "{codec:?} in pieces of {cut}");
    for signature in codec.signatures() {
        decoded(codec, &[signature.example(), data].concat(), cut);
    }
    let settings = Encoding { level: Some(1), threads: 1 + cut % 3, head: None };
    let mut encoder = codec.encoder(Vec::new(), &settings).expect("an encoder");
    data.chunks(cut).for_each(|part| encoder.write_all(part).expect("room"));
    let encoded = encoder.finish().expect("room");
    assert_eq!(decoded(codec, &encoded, cut), (data.len(), sum(data), false));
});

/// How many bytes come out, what they sum up to, and whether there was a fault.
fn decoded(codec: Codec, data: &[u8], cut: usize) -> (usize, u64, bool) {
    let mut decoder = codec.decoder(BufReader::with_capacity(cut, data)).expect("a decoder");
    let mut buffer = [0; 10_007];
    let (mut bytes, mut total) = (0, 0);
    loop {
        match decoder.read(&mut buffer) {
            Ok(0) => return (bytes, total, false),
            Ok(read) => {
                bytes += read;
                total = added(total, &buffer[..read]);
                assert!(bytes <= (data.len() + 1) * MOST_OF_A_BYTE, "{codec:?} goes on for ever");
                if bytes > 16 << 20 {
                    return (0, 0, false); // takes too long to be worth it, cut or not
                }
            }
            Err(error) => {
                assert!(Damaged::of(&error).is_some(), "{codec:?} {error}");
                return (bytes, total, true);
            }
        }
    }
}

fn sum(data: &[u8]) -> u64 {
    added(0, data)
}

fn added(total: u64, data: &[u8]) -> u64 {
    data.iter().fold(total, |total, byte| total.wrapping_mul(31).wrapping_add(u64::from(*byte)))
}
