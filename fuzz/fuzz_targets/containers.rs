//! Any bytes as a tar or a zip: what is accepted comes out as it was if nothing is taken, and if something is replaced it
//! is accepted again, with the same members.
#![no_main]

use std::io;

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/containers/replacing.rs"]
mod replacing;
use replacing::Replacing;

fuzz_target!(|data: &[u8]| {
    match data.split_first() {
        Some((b'z', zip)) => check(zip, Replacing::zip),
        Some((b'r', tar)) => check(&with_right_checksums(tar), Replacing::tar),
        Some((_, tar)) => check(tar, Replacing::tar),
        None => {}
    }
});

fn check(archive: &[u8], rewrite: fn(&mut Replacing, &[u8]) -> io::Result<Vec<u8>>) {
    let mut nothing = Replacing::nothing();
    let kept = rewrite(&mut nothing, archive);
    if let Ok(kept) = &kept {
        assert!(kept == archive);
    }
    for to in [&b""[..], b"[x]", b"[something longer]"] {
        let mut first = Replacing::new(b"secret", to);
        let Ok(out) = rewrite(&mut first, archive) else { continue };
        assert!(kept.is_ok());
        assert_eq!(first.offered, nothing.offered);
        assert_eq!(first.left_alone, nothing.left_alone);
        let mut second = Replacing::new(b"", to); // which stands nowhere
        let again = rewrite(&mut second, &out).expect("what was rewritten is accepted");
        assert!(again == out);
        assert_eq!(second.left_alone, first.left_alone);
        assert_eq!(second.taken.len(), first.taken.len());
        for ((old, written), (new, read)) in first.taken.iter().zip(&second.taken) {
            assert_eq!((&old.name, old.modified), (&new.name, new.modified));
            assert!(written == read);
        }
    }
}

/// Sums of headers are hard to guess.
fn with_right_checksums(tar: &[u8]) -> Vec<u8> {
    let mut tar = tar.to_vec();
    for block in tar.chunks_exact_mut(512).filter(|block| block[257..].starts_with(b"ustar")) {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    tar
}
