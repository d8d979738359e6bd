//! Compressed data: what goes in comes out, whoever compressed it, however it is cut; and nothing that is damaged looks whole.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read, Write};
use std::process::{Command, Stdio};

use flate2::bufread::GzDecoder;
use logscrub::codec::{Codec, Damage, Damaged, Encoding, GzipHead};
use proptest::prelude::*;

const CHUNK_BYTES: usize = 128 << 10;

/// Log-like lines: text that repeats itself, and something in each line that does not.
fn lines(bytes: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes + 100);
    let mut state = 42_u64;
    while out.len() < bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        writeln!(out, "2024-03-01T12:34:56Z host app[{}]: request {:x} done", state >> 50, state).unwrap();
    }
    out.truncate(bytes);
    out
}

/// Bytes that do not get smaller.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

fn encoded_with(codec: Codec, data: &[u8], settings: &Encoding, cut: usize) -> Vec<u8> {
    let mut encoder = codec.encoder(Vec::new(), settings).unwrap();
    data.chunks(cut.max(1)).for_each(|part| encoder.write_all(part).unwrap());
    encoder.finish().unwrap()
}

fn encoded(codec: Codec, data: &[u8]) -> Vec<u8> {
    encoded_with(codec, data, &Encoding::default(), data.len())
}

/// What was decoded, and the damage that it ended with.
fn decoded_from(codec: Codec, source: impl BufRead + Send) -> (Vec<u8>, Option<Damage>) {
    let mut decoder = codec.decoder(source).unwrap();
    let (mut out, mut buffer) = (Vec::new(), vec![0; 10_007]);
    loop {
        match decoder.read(&mut buffer) {
            Ok(0) => return (out, None),
            Ok(bytes) => out.extend_from_slice(&buffer[..bytes]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => {
                let damaged = Damaged::of(&error).expect("an error of the data");
                assert_eq!(damaged.codec, codec);
                assert!(decoder.read(&mut buffer).is_err(), "an error that does not stay");
                return (out, Some(damaged.damage));
            }
        }
    }
}

fn decoded(codec: Codec, data: &[u8]) -> (Vec<u8>, Option<Damage>) {
    decoded_from(codec, Cursor::new(data))
}

fn assert_decodes(codec: Codec, compressed: &[u8], data: &[u8]) {
    let (out, damage) = decoded(codec, compressed);
    assert_eq!(damage, None, "{codec:?}");
    assert!(out == data, "{codec:?}: {} bytes in place of {}", out.len(), data.len());
}

/// Gives one byte, then would block, then gives the next.
struct Hesitant<'d> {
    rest: &'d [u8],
    gives: bool,
}

impl Read for Hesitant<'_> {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        unreachable!("a decoder reads what is buffered")
    }
}

impl BufRead for Hesitant<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.gives = !self.gives;
        if self.gives { Ok(&self.rest[..self.rest.len().min(1)]) } else { Err(ErrorKind::WouldBlock.into()) }
    }

    fn consume(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes..];
    }
}

/// Runs a program over this input; `None`, and a word about it, if it is not installed.
fn run(program: &str, arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            println!("{program} is not installed: not compared with it");
            return None;
        }
        Err(error) => panic!("{program}: {error}"),
    };
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

#[test]
fn every_size_comes_back() {
    let sizes = [0, 1, 2, 100, 4096, 65_535, 65_536, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1];
    for codec in Codec::ALL {
        for size in sizes.into_iter().chain([2 * CHUNK_BYTES, 5 * CHUNK_BYTES + 17]) {
            let data = lines(size);
            let compressed = encoded(codec, &data);
            assert_eq!(Codec::of(&compressed), Some(codec));
            assert_decodes(codec, &compressed, &data);
        }
        let data = noise(3 * CHUNK_BYTES);
        assert_decodes(codec, &encoded(codec, &data), &data);
    }
}

#[test]
fn every_level_comes_back_and_others_are_refused() {
    let data = lines(3000);
    for codec in Codec::ALL {
        // The higher levels of xz and zstd take hundreds of MiB.
        for level in codec.levels().filter(|level| *level <= 6) {
            let settings = Encoding { level: Some(level), ..Encoding::default() };
            assert_decodes(codec, &encoded_with(codec, &data, &settings, 500), &data);
        }
        for level in [codec.levels().end() + 1, u32::MAX] {
            let settings = Encoding { level: Some(level), ..Encoding::default() };
            let error = codec.encoder(Vec::new(), &settings).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
            assert!(error.to_string().contains(codec.name()));
        }
    }
}

#[test]
fn all_members_are_read() {
    let parts = [lines(1000), Vec::new(), lines(200_000), b"last".to_vec()];
    for codec in Codec::ALL {
        let compressed = parts.iter().map(|part| encoded(codec, part)).collect::<Vec<_>>().concat();
        assert_decodes(codec, &compressed, &parts.concat());
        let (out, damage) =
            decoded_from(codec, Hesitant { rest: &compressed[..compressed.len()], gives: false });
        assert_eq!((out == parts.concat(), damage), (true, None), "{codec:?}");
    }
}

#[test]
fn skippable_frames_are_skipped() {
    let skippable =
        |data: &[u8]| [b"\x53\x2a\x4d\x18", &(data.len() as u32).to_le_bytes()[..], data].concat();
    for codec in [Codec::Zstd, Codec::Lz4] {
        let (data, frame) = (lines(500), encoded(codec, &lines(500)));
        for hidden in [&b""[..], b"hidden", &[0; 70_000]] {
            let compressed = [&frame[..], &skippable(hidden), &frame, &skippable(hidden)].concat();
            assert_decodes(codec, &compressed, &[&data[..], &data].concat());
            let cut = &compressed[..compressed.len() - 1];
            assert_eq!(decoded(codec, cut).1, Some(Damage::Truncated), "{codec:?}");
        }
    }
    let first = [skippable(b"1234"), encoded(Codec::Zstd, b"what pzstd writes")].concat();
    assert_eq!(Codec::of(&first), Some(Codec::Zstd));
    assert_decodes(Codec::Zstd, &first, b"what pzstd writes");
}

#[test]
fn what_is_cut_off_is_never_whole() {
    let data = lines(700);
    for codec in Codec::ALL {
        for compressed in [encoded(codec, &data), encoded(codec, b"")] {
            for cut in 0..compressed.len() {
                let (out, damage) = decoded(codec, &compressed[..cut]);
                assert!(damage.is_some(), "{codec:?} cut at {cut} of {}", compressed.len());
                assert!(cut < 4 || damage == Some(Damage::Truncated), "{codec:?} {cut} {damage:?}");
                assert!(cut < 4 || Codec::of(&compressed[..cut]) == Some(codec), "{codec:?} {cut}");
                assert!(data.starts_with(&out));
            }
        }
    }
}

#[test]
fn all_that_stands_before_the_damage_is_handed_on() {
    let data = lines(1_000_000);
    for (codec, block) in [(Codec::Gzip, 1000), (Codec::Zstd, 128 << 10), (Codec::Lz4, 256 << 10)] {
        let compressed = encoded(codec, &data);
        let cut = compressed.len() * 3 / 4;
        let (out, damage) = decoded(codec, &compressed[..cut]);
        assert_eq!(damage, Some(Damage::Truncated));
        assert!(data.starts_with(&out) && out.len() + block > data.len() / 2, "{codec:?} {}", out.len());
        let mut changed = compressed.clone();
        let end = changed.len() - 1; // of the checksum or the length
        changed[end] ^= 1;
        let (out, damage) = decoded(codec, &changed);
        assert_eq!((out == data, damage), (true, Some(Damage::Corrupt)), "{codec:?}");
    }
}

#[test]
fn a_flipped_bit_is_seen_or_does_no_harm() {
    let data = lines(400);
    for codec in Codec::ALL {
        let compressed = encoded(codec, &data);
        for at in 0..compressed.len() {
            for bit in [0, 3, 7] {
                let mut flipped = compressed.clone();
                flipped[at] ^= 1 << bit;
                let (out, damage) = decoded(codec, &flipped);
                assert!(damage.is_some() || out == data, "{codec:?} bit {bit} of byte {at}");
            }
        }
    }
}

#[test]
fn a_source_that_blocks_at_every_byte_changes_nothing() {
    let data = [lines(20_000), noise(5000)].concat();
    for codec in Codec::ALL {
        let compressed = [encoded(codec, &data), encoded(codec, b"more")].concat();
        let (out, damage) = decoded_from(codec, Hesitant { rest: &compressed, gives: true });
        assert_eq!((out == [&data[..], b"more"].concat(), damage), (true, None), "{codec:?}");
        let cut = &compressed[..compressed.len() - 3];
        let (_, damage) = decoded_from(codec, Hesitant { rest: cut, gives: true });
        assert_eq!(damage, Some(Damage::Truncated), "{codec:?}");
    }
}

#[test]
fn zeros_behind_gzip_and_xz_are_padding_and_all_else_is_told() {
    let data = lines(3000);
    for codec in Codec::ALL {
        let compressed = encoded(codec, &data);
        let behind = |more: &[u8]| decoded(codec, &[&compressed[..], more].concat());
        let padded = matches!(codec, Codec::Gzip | Codec::Xz);
        let expected = if padded { None } else { Some(Damage::Trailing) };
        assert!(behind(&[0; 1024]) == (data.clone(), expected), "{codec:?}");
        for garbage in [&b"text"[..], b"\n", &compressed[..1], &compressed[..2]] {
            assert!(behind(garbage) == (data.clone(), Some(Damage::Trailing)), "{codec:?}");
        }
        let member = [&[0; 512][..], &compressed].concat();
        let expected = if padded { [&data[..], &data].concat() } else { data.clone() };
        assert!(behind(&member).0 == expected, "{codec:?}");
    }
}

#[test]
fn what_is_something_else_is_not_valid() {
    for codec in Codec::ALL {
        for other in [&b"plain text\n"[..], &[0; 100], &encoded(Codec::Gzip, b"x"), &encoded(Codec::Xz, b"x")]
        {
            if Codec::of(other) != Some(codec) {
                assert_eq!(decoded(codec, other), (Vec::new(), Some(Damage::Corrupt)), "{codec:?}");
            }
        }
        assert_eq!(decoded(codec, b""), (Vec::new(), Some(Damage::Truncated)));
    }
    assert_eq!(Codec::of(b"plain"), None);
    assert_eq!(Codec::of(b""), None);
    assert_eq!(Codec::of(b"\x1f\x8b"), None);
}

#[test]
fn faults_say_what_is_wrong_and_hold_no_data() {
    let said = |codec: Codec, data: &[u8]| {
        codec.decoder(data).unwrap().read_to_end(&mut Vec::new()).unwrap_err().to_string()
    };
    let compressed = encoded(Codec::Gzip, b"secret secret");
    assert_eq!(said(Codec::Gzip, &compressed[..20]), "truncated gzip");
    assert_eq!(said(Codec::Gzip, &[&compressed[..], b"secret"].concat()), "data behind the end of gzip");
    assert_eq!(said(Codec::Lz4, b"secret"), "not valid lz4");
    let mut huge = encoded(Codec::Zstd, &lines(1000)).split_off(4);
    huge[0] &= 0b0000_0111; // no content size, not a single segment: a window follows
    huge[1] = 18 << 3; // 2^28 bytes
    let huge = [b"\x28\xb5\x2f\xfd", &huge[..]].concat();
    assert_eq!(said(Codec::Zstd, &huge), "zstd that takes more than 128 MiB to decode");
}

#[test]
fn gzip_does_not_depend_on_threads_or_on_how_it_is_written() {
    for data in [lines(0), lines(10), lines(7 * CHUNK_BYTES + 5), noise(4 * CHUNK_BYTES)] {
        let mut seen = HashSet::new();
        for threads in [0, 1, 2, 5] {
            for cut in [1 << 30, 10_000, CHUNK_BYTES, 77] {
                let settings = Encoding { threads, ..Encoding::default() };
                seen.insert(encoded_with(Codec::Gzip, &data, &settings, cut));
            }
        }
        assert_eq!(seen.len(), 1);
        let compressed = seen.into_iter().next().unwrap();
        let mut one = GzDecoder::new(&compressed[..]);
        let mut out = Vec::new();
        one.read_to_end(&mut out).unwrap();
        assert!(out == data && one.into_inner().is_empty(), "more than one member");
    }
}

#[test]
fn the_others_depend_on_neither() {
    let data = lines(3 << 20);
    for codec in [Codec::Zstd, Codec::Lz4, Codec::Xz, Codec::Bzip2] {
        let data = if codec == Codec::Zstd { &data[..] } else { &data[..600_000] };
        let of =
            |threads, cut| encoded_with(codec, data, &Encoding { threads, level: Some(1), head: None }, cut);
        let one = of(1, data.len());
        assert!(one == of(2, 10_000), "{codec:?}");
        assert_decodes(codec, &one, data);
    }
}

#[test]
fn chunks_cost_little() {
    let data = lines(2 << 20);
    let mut whole = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    whole.write_all(&data).unwrap();
    let (whole, chunks) = (whole.finish().unwrap().len(), encoded(Codec::Gzip, &data).len());
    assert!(chunks < whole + whole / 100, "{chunks} in chunks, {whole} in one");
}

/// Takes so many bytes and fails from then on.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_output_that_fails_is_told_and_never_finished() {
    let data = noise(20 * CHUNK_BYTES);
    for codec in Codec::ALL {
        for threads in [1, 3] {
            let settings = Encoding { threads, ..Encoding::default() };
            for room in [100, 5 * CHUNK_BYTES] {
                let mut encoder = codec.encoder(Full(room), &settings).unwrap();
                let failed = data.chunks(CHUNK_BYTES).any(|part| encoder.write_all(part).is_err());
                assert!(failed || codec != Codec::Gzip);
                let error = encoder.finish().map(|_| ()).unwrap_err();
                assert!(failed || error.kind() == ErrorKind::StorageFull, "{codec:?} {error}");
            }
        }
    }
    assert!(Codec::Gzip.encoder(Full(0), &Encoding::default()).is_err());
}

#[test]
fn what_is_dropped_has_no_end() {
    for codec in Codec::ALL {
        let mut out = Vec::new();
        let settings = Encoding { threads: 2, ..Encoding::default() };
        let mut encoder = codec.encoder(&mut out, &settings).unwrap();
        encoder.write_all(&lines(10 * CHUNK_BYTES)).unwrap();
        drop(encoder);
        assert_eq!(decoded(codec, &out).1, Some(Damage::Truncated), "{codec:?}");
    }
}

#[test]
fn a_head_of_gzip_is_read_and_written_again() {
    let head = GzipHead {
        name: Some(b"app.log".to_vec()),
        comment: Some(b"of the shop".to_vec()),
        mtime: 1_709_296_496,
        os: 11,
    };
    for head in [head.clone(), GzipHead { comment: None, ..head.clone() }, GzipHead::default()] {
        let settings = Encoding { head: Some(head.clone()), ..Encoding::default() };
        let compressed = encoded_with(Codec::Gzip, b"data", &settings, 1);
        assert_eq!(GzipHead::of(&compressed), Some(head.clone()));
        assert_decodes(Codec::Gzip, &compressed, b"data");
        let whole = (0..compressed.len()).find(|cut| GzipHead::of(&compressed[..*cut]).is_some()).unwrap();
        let texts = [&head.name, &head.comment].into_iter().flatten().map(|text| text.len() + 1);
        assert_eq!(whole, 10 + texts.sum::<usize>());
    }
    let extra = b"\x1f\x8b\x08\x0e\x01\0\0\0\0\x03\x04\0abcdname\0\x12\x34";
    let expected = GzipHead { name: Some(b"name".to_vec()), mtime: 1, ..GzipHead::default() };
    assert_eq!(GzipHead::of(extra), Some(expected));
    assert_eq!(GzipHead::of(&extra[..extra.len() - 1]), None);
    assert_eq!(GzipHead::of(b"plain text, no gzip"), None);
}

#[test]
fn the_real_programs_read_what_we_write_and_we_what_they_write() {
    let programs = [
        (Codec::Gzip, "gzip"),
        (Codec::Gzip, "pigz"),
        (Codec::Zstd, "zstd"),
        (Codec::Bzip2, "bzip2"),
        (Codec::Xz, "xz"),
        (Codec::Lz4, "lz4"),
    ];
    for (codec, program) in programs {
        for data in [lines(0), lines(100), lines(700_000), noise(150_000)] {
            let settings = Encoding { threads: 2, ..Encoding::default() };
            if let Some(out) = run(program, &["-dc"], &encoded_with(codec, &data, &settings, 9999)) {
                assert!(out == data, "{program}");
            }
            for level in ["-1", "-9"] {
                if let Some(compressed) = run(program, &[level, "-c"], &data) {
                    assert_decodes(codec, &compressed, &data);
                }
            }
        }
    }
    let data = lines(300_000);
    for arguments in [&["-B4", "-BD", "--content-size"][..], &["-B7", "--no-frame-crc"], &["-BX", "-12"]] {
        if let Some(compressed) = run("lz4", &[arguments, &["-c"]].concat(), &data) {
            assert_decodes(Codec::Lz4, &compressed, &data);
            let blocks = decoded_from(Codec::Lz4, Hesitant { rest: &compressed, gives: false });
            assert!(blocks == (data.clone(), None));
        }
    }
    if let Some(compressed) = run("zstd", &["--long=27", "--ultra", "-3", "-c"], &data) {
        assert_decodes(Codec::Zstd, &compressed, &data);
    }
    if let Some(compressed) = run("zstd", &["--long=28", "-1", "-c"], &data) {
        assert_eq!(decoded(Codec::Zstd, &compressed), (Vec::new(), Some(Damage::TooLarge)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_data_comes_back_however_it_is_cut(
        pieces in prop::collection::vec((any::<u8>(), 0_usize..200_000), 0..5),
        near in -3_i64..4,
        cut in 1_usize..300_000,
        buffer in 1_usize..100_000,
        threads in 1_usize..4,
    ) {
        let mut data: Vec<u8> =
            pieces.iter().flat_map(|(byte, count)| std::iter::repeat_n(*byte, *count)).collect();
        data.extend(lines((CHUNK_BYTES as i64 + near) as usize));
        for codec in [Codec::Gzip, Codec::Zstd, Codec::Lz4] {
            let settings = Encoding { threads, level: Some(1), head: None };
            let compressed = encoded_with(codec, &data, &settings, cut);
            let source = BufReader::with_capacity(buffer, Cursor::new(compressed));
            let (out, damage) = decoded_from(codec, source);
            prop_assert_eq!(damage, None);
            prop_assert!(out == data);
        }
    }

    #[test]
    fn damage_is_the_same_however_it_is_cut(
        size in 0_usize..100_000,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        buffer in 1_usize..10_000,
    ) {
        for codec in Codec::ALL {
            let mut compressed = encoded(codec, &lines(size));
            for (at, byte) in &changes {
                let at = at.index(compressed.len());
                compressed[at] = *byte;
            }
            let whole = decoded(codec, &compressed);
            let pieces = BufReader::with_capacity(buffer, Cursor::new(&compressed));
            prop_assert!(whole == decoded_from(codec, pieces), "{:?}", codec);
            prop_assert!(whole == decoded_from(codec, Hesitant { rest: &compressed, gives: true }), "{:?}", codec);
        }
    }

    #[test]
    fn any_bytes_behind_a_signature_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for codec in Codec::ALL {
            for signature in codec.signatures() {
                let (out, _) = decoded(codec, &[signature.example(), &bytes].concat());
                prop_assert!(out.len() < 100 << 20);
            }
        }
    }
}
