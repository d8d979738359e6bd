//! `{ truncate = { pseudonymise = "prefix" } }`: addresses in place of addresses. Those that share their first bits
//! share as many after, whatever these are.
//!
//! The construction ipcrypt-pfx of draft-denis-ipcrypt ("Methods for IP Address Encryption and Obfuscation"): each bit
//! is inverted, or not, by the sum of two permutations of the bits before it. IPv4 addresses stay IPv4 addresses.

use std::net::{IpAddr, Ipv6Addr};

use aes::Aes128;
use aes::cipher::{Block, BlockEncrypt, KeyInit};

/// The pseudonym of an address; the key is that of two instances of AES-128.
pub(super) fn pseudonym(key: &[u8; 32], address: IpAddr) -> IpAddr {
    let (bits, width) = match address.to_canonical() {
        IpAddr::V4(address) => (address.to_ipv6_mapped().to_bits(), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    IpAddr::V6(Ipv6Addr::from_bits(bits ^ inverted(key, bits, width))).to_canonical()
}

/// Which of the last `width` bits are inverted.
fn inverted(key: &[u8; 32], bits: u128, width: u32) -> u128 {
    let mut blocks = [[Block::<Aes128>::default(); 128]; 2];
    // The bits before each one, behind a bit that tells how many they are.
    for (place, left) in (0..width).rev().enumerate() {
        let before = bits.checked_shr(left + 1).unwrap_or(0);
        let padded = before | 1_u128.checked_shl(127 - left).unwrap_or(0);
        blocks.iter_mut().for_each(|blocks| blocks[place] = padded.to_be_bytes().into());
    }
    let (one, other) = key.split_at(16);
    let [ones, others] = &mut blocks;
    for (key, blocks) in [(one, &mut *ones), (other, &mut *others)] {
        Aes128::new(Block::<Aes128>::from_slice(key)).encrypt_blocks(&mut blocks[..width as usize]);
    }
    let sums = ones.iter().zip(others.iter()).take(width as usize);
    sums.fold(0, |bits, (one, other)| bits << 1 | u128::from((one[15] ^ other[15]) & 1))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ONE: &str = "0123456789abcdeffedcba98765432101032547698badcfeefcdab8967452301";
    const OTHER: &str = "2b7e151628aed2a6abf7158809cf4f3ca9f5ba40db214c3798f2e1c23456789a";

    fn key(hex: &str) -> [u8; 32] {
        std::array::from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
    }

    /// The vectors of draft-denis-ipcrypt for ipcrypt-pfx.
    #[test]
    fn the_published_vectors_hold() {
        let vectors = [
            (ONE, "0.0.0.0", "151.82.155.134"),
            (ONE, "255.255.255.255", "94.185.169.89"),
            (ONE, "192.0.2.1", "100.115.72.131"),
            (ONE, "2001:db8::1", "c180:5dd4:2587:3524:30ab:fa65:6ab6:f88"),
            (OTHER, "10.0.0.47", "19.214.210.244"),
            (OTHER, "10.0.0.129", "19.214.210.80"),
            (OTHER, "10.0.0.234", "19.214.210.30"),
            (OTHER, "172.16.5.193", "210.78.229.136"),
            (OTHER, "172.16.97.42", "210.78.179.241"),
            (OTHER, "172.16.248.177", "210.78.121.215"),
            (OTHER, "2001:db8::a5c9:4e2f:bb91:5a7d", "7cec:702c:1243:f70:1956:125:b9bd:1aba"),
            (OTHER, "2001:db8::7234:d8f1:3c6e:9a52", "7cec:702c:1243:f70:a3ef:c8e:95c1:cd0d"),
            (OTHER, "2001:db8::f1e0:937b:26d4:8c1a", "7cec:702c:1243:f70:443c:c8e:6a62:b64d"),
            (OTHER, "2001:db8:3a5c:0:e7d1:4b9f:2c8a:f673", "7cec:702c:3503:bef:e616:96bd:be33:a9b9"),
            (OTHER, "2001:db8:9f27:0:b4e2:7a3d:5f91:c8e6", "7cec:702c:a504:b74e:194a:3d90:b047:2d1a"),
            (OTHER, "2001:db8:d8b4:0:193c:a5e7:8b2f:46d1", "7cec:702c:f840:aa67:1b8:e84f:ac9d:77fb"),
        ];
        for (hex, address, expected) in vectors {
            assert_eq!(pseudonym(&key(hex), address.parse().unwrap()).to_string(), expected, "{address}");
        }
    }

    proptest! {
        #[test]
        fn as_many_bits_are_shared_after_as_before(one: u32, shared in 0_u32..=32) {
            let other = one ^ 1_u32.checked_shl(31_u32.wrapping_sub(shared)).unwrap_or(0);
            let after = [one, other].map(|bits| match pseudonym(&key(ONE), IpAddr::V4(bits.into())) {
                IpAddr::V4(address) => address.to_bits(),
                IpAddr::V6(_) => 0,
            });
            prop_assert_eq!((after[0] ^ after[1]).leading_zeros(), shared);
        }
    }
}
