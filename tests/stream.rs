//! What the stream promises, with a scrubber that stands in for the real one.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use logscrub::codec::{Codec, Encoding};
use logscrub::stream::input::Source;
use logscrub::stream::{
    Fault, Input, Interrupts, Outcome, Output, Place, Scrub, ScrubWriter, Settings, Target, Watch, drive,
    drive_runs, sys,
};
use logscrub::tally::Tally;

/// Numbers the pieces of a long record, shouts the rest, and panics at the word.
#[derive(Clone, Default)]
struct Shout {
    pieces: usize,
    tally: Tally,
}

impl Scrub for Shout {
    fn scrub(&mut self, block: &[u8], out: &mut Vec<u8>) {
        for record in block.split_inclusive(|byte| *byte == b'\n') {
            out.extend(record.to_ascii_uppercase());
            self.tally.records += 1;
            assert!(!record.windows(5).any(|five| five == b"panic"), "{}", String::from_utf8_lossy(record));
        }
    }

    fn scrub_piece(&mut self, piece: &[u8], last: bool, out: &mut Vec<u8>) {
        out.extend(format!("<{}>", self.pieces).bytes());
        out.extend(piece.to_ascii_uppercase());
        self.pieces = if last { 0 } else { self.pieces + 1 };
        self.tally.records += u64::from(last);
        assert!(!piece.windows(5).any(|five| five == b"panic"));
    }

    fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }
}

/// Returns at most so many bytes a read (0: a varying number), after an EINTR and an EAGAIN each.
struct Trickle {
    bytes: Vec<u8>,
    at: usize,
    most: usize,
    reads: usize,
}

impl Read for Trickle {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        match self.reads % 3 {
            1 => return Err(io::ErrorKind::Interrupted.into()),
            2 => return Err(io::ErrorKind::WouldBlock.into()),
            _ => {}
        }
        let most = if self.most == 0 { 1 + self.reads * 7919 % 97 } else { self.most };
        let count = most.min(into.len()).min(self.bytes.len() - self.at);
        into[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

impl Source for Trickle {}

fn trickle(bytes: &[u8], most: usize) -> Input<'static> {
    Input::new("fake", Trickle { bytes: bytes.to_vec(), at: 0, most, reads: 0 })
}

fn settings(threads: usize, max_record: usize, block_bytes: usize) -> Settings {
    Settings { threads, max_record, block_bytes }
}

fn run(inputs: Vec<Result<Input<'_>, Fault>>, settings: Settings) -> (Vec<u8>, Outcome) {
    let mut out = Vec::new();
    let outcome = drive(inputs, Shout::default(), &mut out, &mut Watch::default(), &settings);
    (out, outcome)
}

fn run_bytes(inputs: &[&[u8]]) -> (Vec<u8>, Outcome) {
    run(inputs.iter().map(|bytes| Ok(trickle(bytes, usize::MAX))).collect(), Settings::default())
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    format!("\u{feff}{text}")
        .encode_utf16()
        .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
        .collect()
}

/// Lines of many lengths, some long, one that panics, the last without line feed.
fn sample() -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in 0..400usize {
        bytes.extend(format!("{number} {}\n", "line ".repeat(number * 31 % 90)).bytes());
        if number == 200 {
            bytes.extend(b"this must panic\n{\"panic\":1}\r\n");
        }
    }
    bytes.extend(b"the end");
    bytes
}

#[test]
fn the_output_depends_neither_on_reads_nor_on_blocks_nor_on_threads() {
    let input = sample();
    let max_record = 300;
    let (expected, outcome) = run(vec![Ok(trickle(&input, usize::MAX))], settings(1, max_record, 1 << 17));
    let tally = outcome.tally;
    assert_eq!(tally.records, 403);
    assert_eq!(tally.withheld, 2);
    assert!(String::from_utf8_lossy(&expected).contains("<0>"));
    for threads in [1, 2, 8] {
        for most in [1, 0, 64, usize::MAX] {
            for block in [1, 50, 1 << 17] {
                let (out, outcome) =
                    run(vec![Ok(trickle(&input, most))], settings(threads, max_record, block));
                assert!(out == expected, "{threads} threads, reads of {most}, blocks of {block}");
                assert_eq!(outcome.tally, tally);
                assert!(outcome.output.is_ok() && outcome.ended_by.is_none());
            }
        }
    }
}

#[test]
fn long_records_are_cut_at_multiples_of_the_longest_length() {
    for threads in [1, 2] {
        let (out, _) = run(vec![Ok(trickle(b"abcdefghij\nxy\nabcd\nabcde", 3))], settings(threads, 4, 64));
        assert_eq!(String::from_utf8_lossy(&out), "<0>ABCD<1>EFGH<2>IJ\nXY\nABCD\n<0>ABCD<1>E");
    }
}

#[test]
fn a_panic_takes_one_record_and_no_other() {
    for threads in [1, 2] {
        let input = b"one\ntwo panic\r\n \t{\"panic\":1}\nthree\npanic".as_slice();
        let (out, outcome) = run(vec![Ok(trickle(input, usize::MAX))], settings(threads, 1 << 20, 1 << 17));
        assert_eq!(
            String::from_utf8_lossy(&out),
            "ONE\n[withheld 9 bytes]\r\n{\"logscrub\":\"withheld\",\"bytes\":13}\nTHREE\n[withheld 5 bytes]"
        );
        assert_eq!((outcome.tally.records, outcome.tally.withheld), (5, 3));
    }
}

#[test]
fn a_panic_inside_a_long_record_withholds_the_rest_of_it() {
    for threads in [1, 2] {
        let input = b"aaaaaaaabbpanicbccccccccdd\nnext\n{\"panic\":{}}ddd\nabcdefghi\n".as_slice();
        let (out, outcome) = run(vec![Ok(trickle(input, 5))], settings(threads, 8, 64));
        assert_eq!(
            String::from_utf8_lossy(&out),
            "<0>AAAAAAAA[withheld 18 bytes]\nNEXT\n<0>{\"PANIC\"[withheld 7 bytes]\n<0>ABCDEFGH<1>I\n"
                .replace("<0>{\"PANIC\"[withheld 7 bytes]", "{\"logscrub\":\"withheld\",\"bytes\":15}")
        );
        assert_eq!((outcome.tally.records, outcome.tally.withheld), (4, 2));
    }
}

/// Breaks down where no worker catches it.
#[derive(Clone)]
struct BreaksDown;

impl Scrub for BreaksDown {
    fn scrub(&mut self, _: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"scrubbed\n");
    }

    fn scrub_piece(&mut self, _: &[u8], _: bool, _: &mut Vec<u8>) {}

    fn take_tally(&mut self) -> Tally {
        Tally::default()
    }

    fn add_tally_to(&mut self, _: &mut Tally) {
        panic!("in the middle of a run");
    }
}

#[test]
fn a_thread_that_breaks_down_is_a_failed_output() {
    for threads in [1, 2, 8] {
        let inputs = vec![Ok(trickle(&b"a line\n".repeat(10_000), usize::MAX))];
        let mut out = Vec::new();
        let settings = settings(threads, 1 << 20, 1 << 10);
        let outcome = drive(inputs, BreaksDown, &mut out, &mut Watch::default(), &settings);
        assert!(outcome.output.is_err(), "{threads} threads");
        assert_eq!(out, b"");
    }
}

#[test]
fn no_record_spans_two_inputs_and_nothing_else_is_added() {
    assert_eq!(run_bytes(&[]).0, b"");
    assert_eq!(run_bytes(&[b""]).0, b"");
    assert_eq!(run_bytes(&[b"a"]).0, b"A");
    assert_eq!(run_bytes(&[b"a", b"b"]).0, b"A\nB");
    assert_eq!(run_bytes(&[b"a\n", b"b\n"]).0, b"A\nB\n");
    assert_eq!(run_bytes(&[b"", b"a", b"", b"b", b""]).0, b"A\nB");
    assert_eq!(run_bytes(&[b"\0\xff\r\n\n", b"\r"]).0, b"\0\xff\r\n\n\r");
}

#[test]
fn utf16_comes_out_as_utf16() {
    for big in [false, true] {
        let input = utf16("ab ü 上 😀\r\nlonger than eight\nend", big);
        let expected = utf16("AB ü 上 😀\r\nLONGER THAN EIGHT\nEND", big);
        for most in [1, 2, 3, usize::MAX] {
            let (out, outcome) = run(vec![Ok(trickle(&input, most))], Settings::default());
            assert_eq!(out, expected);
            assert_eq!(outcome.input_faults, []);
            // A cut through a character, within a long record.
            let (out, _) = run(vec![Ok(trickle(&utf16("aaaaaaaü😀\n", big), most))], settings(2, 8, 64));
            assert_eq!(
                String::from_utf16_lossy(&units(&out, big)).replace("<1>", ""),
                "\u{feff}<0>AAAAAAA\u{fffd}\u{fffd}😀\n"
            );
        }
    }
}

fn units(bytes: &[u8], big: bool) -> Vec<u16> {
    let unit = |pair: &[u8]| if big { [pair[0], pair[1]] } else { [pair[1], pair[0]] };
    bytes.chunks(2).map(|pair| u16::from_be_bytes(unit(pair))).collect()
}

#[test]
fn between_encodings_each_input_keeps_its_own() {
    let little = utf16("b", false);
    let (out, _) = run_bytes(&[b"a", &little, b"c"]);
    assert_eq!(out, [b"A\n".as_slice(), &utf16("B\n", false), b"C"].concat());
}

#[test]
fn what_precedes_invalid_utf16_is_processed_and_the_fault_is_told() {
    for most in [1, usize::MAX] {
        for tail in [&b"x\0\0\xdcy\0\n\0"[..], b"x\0\0\xd8", b"x\0y"] {
            let input = [utf16("one\n", false).as_slice(), tail].concat();
            let (out, outcome) =
                run(vec![Ok(trickle(&input, most)), Ok(trickle(b"next", most))], Settings::default());
            let expected = utf16("ONE\n[withheld 1 bytes]\n", false);
            assert_eq!(out, [expected.as_slice(), b"NEXT"].concat());
            assert_eq!(outcome.input_faults.len(), 1);
            assert_eq!(outcome.input_faults[0].to_string(), "fake: not valid UTF-16, at byte 12");
        }
    }
}

#[test]
fn a_log_that_begins_like_utf16_is_a_log() {
    for most in [1, 3, usize::MAX] {
        let input = b"\xff\xfehello there\nmore\n";
        assert_eq!(
            run(vec![Ok(trickle(input, most))], Settings::default()).0,
            b"\xff\xfeHELLO THERE\nMORE\n"
        );
    }
}

#[test]
fn nothing_of_what_is_refused_goes_out() {
    let mut tar = b"app.log".to_vec();
    tar.resize(257, 0);
    tar.extend_from_slice(b"ustar\x0000");
    let gzip_in_zstd = packed(Codec::Zstd, &packed(Codec::Gzip, b"plain@example.com\n"));
    let cases: [(&[u8], &str); 9] = [
        (b"\xff\xfe\0\0", "UTF-32, which is not read"),
        (b"\0\0\xfe\xff", "UTF-32, which is not read"),
        (b"PK\x03\x04", "a zip archive, which `logscrub archive` takes"),
        (b"PK\x05\x06", "a zip archive, which `logscrub archive` takes"),
        (b"PK\x07\x08", "a zip archive, which `logscrub archive` takes"),
        (&tar, "a tar archive, which `logscrub archive` takes"),
        (&packed(Codec::Xz, &tar), "a tar archive, which `logscrub archive` takes"),
        (&gzip_in_zstd, "compressed twice (gzip in zstd)"),
        (b"\x1f\x8b\x08\xff", "not valid gzip"),
    ];
    for (head, what) in cases {
        for most in [1, usize::MAX] {
            let refused = [head, b"\nplain@example.com\n".as_slice()].concat();
            let inputs =
                vec![Ok(trickle(b"a", most)), Ok(trickle(&refused, most)), Ok(trickle(b"b\n", most))];
            let (out, outcome) = run(inputs, Settings::default());
            assert_eq!(out, b"A\nB\n", "{what}");
            assert_eq!(outcome.input_faults.len(), 1);
            assert_eq!(outcome.input_faults[0].what, what);
        }
    }
}

fn packed(codec: Codec, data: &[u8]) -> Vec<u8> {
    let mut encoder = codec.encoder(Vec::new(), &Encoding::default()).unwrap();
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn what_is_compressed_is_read_like_what_it_holds() {
    let plain = [sample(), utf16(&String::from_utf8(sample()).unwrap(), true), b"one line".to_vec()];
    for data in plain {
        let expected = run_bytes(&[&data]).0;
        for codec in Codec::ALL {
            let compressed = packed(codec, &data);
            for (threads, most, block) in [(1, usize::MAX, 1 << 17), (2, 0, 50), (8, 1, 1 << 17)] {
                let inputs = vec![Ok(trickle(&compressed, most)), Ok(trickle(&compressed, most))];
                let (out, outcome) = run(inputs, settings(threads, 1 << 20, block));
                let twice = run_bytes(&[&data, &data]).0;
                assert!(out == twice, "{codec:?}, {threads} threads, reads of {most}");
                assert!(outcome.input_faults.is_empty());
            }
            let (out, _) = run_bytes(&[&compressed]);
            assert!(out == expected, "{codec:?}");
        }
    }
    for codec in Codec::ALL {
        let (out, outcome) = run_bytes(&[b"a\n", &packed(codec, b""), b"b\n"]);
        assert_eq!((out, outcome.input_faults), (b"A\nB\n".to_vec(), Vec::new()));
    }
}

#[test]
fn what_could_be_decompressed_goes_out_and_the_rest_is_told() {
    let compressed = packed(Codec::Gzip, b"one\ntwo\nthree");
    let cut = [&compressed[..compressed.len() - 5], &[]].concat();
    let garbage = [&packed(Codec::Zstd, b"one\ntwo\n")[..], b"more"].concat();
    let mut changed = packed(Codec::Xz, b"one\ntwo\n");
    changed.pop();
    for (input, expected, what) in [
        (&cut, "ONE\nTWO\n[withheld 5 bytes]\nB\n", "truncated gzip, at byte 13"),
        (&garbage, "ONE\nTWO\nB\n", "data behind the end of zstd, at byte 8"),
        (&changed, "ONE\nTWO\nB\n", "truncated xz, at byte 8"),
    ] {
        for most in [1, 7, usize::MAX] {
            let (out, outcome) =
                run(vec![Ok(trickle(input, most)), Ok(trickle(b"b\n", most))], Settings::default());
            assert_eq!(String::from_utf8_lossy(&out), expected);
            assert_eq!(outcome.input_faults[0].to_string(), format!("fake: {what}"));
        }
    }
}

#[test]
fn each_line_of_what_is_compressed_goes_out_when_it_is_there() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    let mut parts = Vec::new();
    for line in ["first\n", "second\n", "third\n"] {
        encoder.write_all(line.as_bytes()).unwrap();
        encoder.flush().unwrap();
        parts.push(std::mem::take(encoder.get_mut()));
    }
    let end = encoder.finish().unwrap();
    let (near, mut far) = UnixStream::pair().unwrap();
    let (mut seen, out) = UnixStream::pair().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let inputs = [Ok(Input::new("wire", Wire(near)))];
            drive(inputs, Shout::default(), out, &mut Watch::default(), &Settings::default())
        });
        for (part, line) in parts.iter().zip(["FIRST\n", "SECOND\n", "THIRD\n"]) {
            far.write_all(part).unwrap();
            let mut got = vec![0; line.len()];
            seen.read_exact(&mut got).unwrap(); // for ever, if it waited for more
            assert_eq!(got, line.as_bytes());
        }
        far.write_all(&end).unwrap();
        drop(far);
    });
}

#[test]
fn a_source_may_borrow_and_an_input_has_the_date_that_it_is_given() {
    struct Slice<'d>(&'d [u8]);
    impl Read for Slice<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0.read(into)
        }
    }
    impl Source for Slice<'_> {}
    let data = b"borrowed\n".to_vec();
    let date = "2024-03-01T00:00:00Z".parse().ok();
    let input = Input::new("slice", Slice(&data)).dated(date);
    assert_eq!(input.date(), date);
    assert_eq!(run(vec![Ok(input)], settings(2, 1 << 20, 4)).0, b"BORROWED\n");
}

/// Fails with EIO after its bytes.
struct Broken(Vec<u8>);

impl Read for Broken {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match std::mem::take(&mut self.0) {
            bytes if bytes.is_empty() => Err(rustix::io::Errno::IO.into()),
            bytes => {
                into[..bytes.len()].copy_from_slice(&bytes);
                Ok(bytes.len())
            }
        }
    }
}

impl Source for Broken {}

#[test]
fn half_a_record_before_a_read_error_is_withheld() {
    for head in ["one\nha", "\u{0}one\nha"] {
        let inputs =
            vec![Ok(Input::new("broken\n", Broken(head.as_bytes().to_vec()))), Ok(trickle(b"b\n", 1))];
        let (out, outcome) = run(inputs, Settings::default());
        let expected = format!("{}[withheld 2 bytes]\nB\n", head.to_uppercase().trim_end_matches("HA"));
        assert_eq!(String::from_utf8_lossy(&out), expected);
        let message = outcome.input_faults[0].to_string();
        assert!(message.starts_with("broken\\n: ") && message.ends_with(&format!("at byte {}", head.len())));
    }
}

#[test]
fn missing_files_and_directories_are_faults_and_the_others_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("there");
    fs::write(&there, "text\n").unwrap();
    let places = [folder.path().join("missing"), folder.path().to_owned(), there].map(Place::Path);
    let (out, outcome) = run(places.iter().map(Input::open).collect(), Settings::default());
    assert_eq!(out, b"TEXT\n");
    assert_eq!(outcome.input_faults.len(), 2);
    assert_eq!(outcome.input_faults[1].what, "is a directory");
}

#[test]
fn a_fifo_is_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, 0o600.into()).unwrap();
    let input = Input::open(&Place::Path(path.clone())); // does not block without a writer
    let writer = std::thread::spawn(move || {
        let mut fifo = File::options().write(true).open(path).unwrap();
        (0..1000).for_each(|number| writeln!(fifo, "line {number}").unwrap());
    });
    let (out, outcome) = run(vec![input], settings(2, 1 << 20, 1 << 17));
    writer.join().unwrap();
    assert_eq!(outcome.input_faults, []);
    assert_eq!(out.split(|byte| *byte == b'\n').count(), 1001);
}

#[test]
fn a_full_output_is_an_error_on_any_number_of_threads() {
    for threads in [1, 4] {
        let output = Output::open(&Target::Path("/dev/full".into())).unwrap();
        let inputs = vec![Ok(trickle(&sample(), 100))];
        let outcome =
            drive(inputs, Shout::default(), output, &mut Watch::default(), &settings(threads, 1 << 20, 64));
        assert_eq!(outcome.output.unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}

/// A source with a descriptor, whose far end the test holds.
struct Wire(UnixStream);

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl Source for Wire {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.0.as_fd())
    }
}

#[test]
fn a_reader_that_went_away_ends_the_run_though_the_input_is_silent() {
    for threads in [1, 4] {
        let (near, mut far) = UnixStream::pair().unwrap();
        let (gone, output) = io::pipe().unwrap();
        drop(gone);
        far.write_all(b"a line\n").unwrap();
        let output = Output::from(File::from(OwnedFd::from(output)));
        let inputs = vec![Ok(Input::new("wire", Wire(near)))];
        let outcome = drive(
            inputs,
            Shout::default(),
            output,
            &mut Watch::default(),
            &settings(threads, 1 << 20, 1 << 17),
        );
        assert_eq!(outcome.output.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        drop(far);
    }
}

/// However inputs are parted into runs, the same is written as by one.
#[test]
fn several_runs_write_what_one_would() {
    let texts = [
        b"a\nb".to_vec(),
        utf16("c", false),
        utf16("d\n", true),
        b"".to_vec(),
        b"e".to_vec(),
        b"f\n".to_vec(),
    ];
    let input = |text: &Vec<u8>| Ok(trickle(text, 2));
    let (expected, _) = run(texts.iter().map(input).collect(), Settings::default());
    for parts in 1..=texts.len() {
        let runs =
            texts.chunks(parts).map(|texts| (Shout::default(), texts.iter().map(input).collect::<Vec<_>>()));
        let mut out = Vec::new();
        let outcomes = drive_runs(runs, &mut out, &mut Watch::default(), &settings(2, 1 << 20, 64));
        assert_eq!(out, expected, "{parts} inputs a run");
        assert_eq!(outcomes.len(), texts.len().div_ceil(parts));
        assert_eq!(outcomes.iter().map(|outcome| outcome.tally.records).sum::<u64>(), 6);
    }
}

/// Takes so many bytes and no more.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn there_is_no_run_behind_one_whose_output_failed() {
    let runs = (0..4).map(|_| (Shout::default(), vec![Ok(trickle(b"line\n", 9))]));
    let outcomes = drive_runs(runs, Full(12), &mut Watch::default(), &Settings::default());
    let good: Vec<bool> = outcomes.iter().map(|outcome| outcome.output.is_ok()).collect();
    assert_eq!(good, [true, true, false]);
}

#[test]
fn non_blocking_descriptors_lose_nothing() {
    for threads in [1, 4] {
        let input: Vec<u8> = b"0123456789abcde\n".repeat(1 << 16);
        let expected = input.to_ascii_uppercase();
        let (near, mut far) = UnixStream::pair().unwrap();
        let (output, mut reader) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        output.set_nonblocking(true).unwrap();
        let writing = std::thread::spawn(move || far.write_all(&input).unwrap());
        let reading = std::thread::spawn(move || {
            let mut all = Vec::new();
            reader.read_to_end(&mut all).unwrap();
            all
        });
        let output = Output::from(File::from(OwnedFd::from(output)));
        let outcome = drive(
            vec![Ok(Input::new("wire", Wire(near)))],
            Shout::default(),
            output,
            &mut Watch::default(),
            &settings(threads, 1 << 20, 1 << 17),
        );
        assert!(outcome.output.is_ok());
        writing.join().unwrap();
        assert!(reading.join().unwrap() == expected);
    }
}

#[test]
fn a_complete_line_goes_out_while_the_next_is_still_coming() {
    for threads in [1, 4] {
        let (near, mut far) = UnixStream::pair().unwrap();
        let (output, mut reader) = UnixStream::pair().unwrap();
        let driving = std::thread::spawn(move || {
            let output = Output::from(File::from(OwnedFd::from(output)));
            let inputs = vec![Ok(Input::new("wire", Wire(near)))];
            drive(
                inputs,
                Shout::default(),
                output,
                &mut Watch::default(),
                &settings(threads, 1 << 20, 1 << 17),
            )
        });
        let mut line = [0; 6];
        for _ in 0..3 {
            far.write_all(b"hello\nhalf").unwrap();
            reader.read_exact(&mut line).unwrap();
            assert_eq!(&line, b"HELLO\n");
            far.write_all(b"\n").unwrap();
            reader.read_exact(&mut line[..5]).unwrap();
        }
        drop(far);
        assert!(driving.join().unwrap().output.is_ok());
    }
}

#[test]
fn an_output_that_is_also_an_input_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let [path, link, other] = ["log", "link", "other"].map(|name| folder.path().join(name));
    fs::write(&path, "").unwrap();
    fs::hard_link(&path, &link).unwrap();
    fs::write(&other, "").unwrap();
    let inputs = [Place::Path(other), Place::Path(path)];
    assert_eq!(Target::Path(link).input_that_is_output(&inputs), Some(&inputs[1]));
    assert_eq!(Target::Path(folder.path().join("new")).input_that_is_output(&inputs), None);
    let null = Path::new("/dev/null").to_owned();
    assert_eq!(Target::Path(null.clone()).input_that_is_output(&[Place::Path(null)]), None);
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn a_file_is_replaced_as_a_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let link = folder.path().join("link");
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("out", &link).unwrap();

    let mut output = Output::open(&Target::Path(path.clone())).unwrap();
    output.write_all(b"new").unwrap();
    let unfinished = names(folder.path()).into_iter().find(|name| name.starts_with(".logscrub-")).unwrap();
    assert_eq!(mode(&folder.path().join(unfinished)), 0o600);
    drop(output);
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(names(folder.path()), ["link", "out"]);

    let mut output = Output::open(&Target::Path(link.clone())).unwrap();
    output.write_all(b"new").unwrap();
    output.commit().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(mode(&path), 0o640);
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert_eq!(names(folder.path()), ["link", "out"]);

    let fresh = folder.path().join("fresh");
    Output::open(&Target::Path(fresh.clone())).unwrap().commit().unwrap();
    let plain = folder.path().join("plain");
    File::create(&plain).unwrap();
    assert_eq!(mode(&fresh), mode(&plain));
    assert!(Output::open(&Target::Path(folder.path().to_owned())).is_err());
}

/// Takes three bytes a time, and fails where told.
#[derive(Default)]
struct Fussy {
    taken: Vec<u8>,
    fail: bool,
}

impl Write for &mut Fussy {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.fail {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let count = bytes.len().min(3);
        self.taken.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_scrub_writer_holds_half_a_line_until_it_is_whole() {
    let mut writer = ScrubWriter::new(Shout::default(), Vec::new());
    writer.write_all(b"one\ntw").unwrap();
    writer.write_all(b"o\npanic\nthr").unwrap();
    writer.flush().unwrap();
    assert_eq!(writer.take_tally().records, 3);
    writer.write_all(b"ee").unwrap();
    assert_eq!(writer.finish().unwrap(), b"ONE\nTWO\n[withheld 5 bytes]\nTHREE");

    let mut dropped = Fussy::default();
    drop(ScrubWriter::new(Shout::default(), &mut dropped).write(b"one\ntwo"));
    assert_eq!(dropped.taken, b"ONE\nTWO");

    let long = vec![b'x'; 3 << 20];
    let mut writer = ScrubWriter::new(Shout::default(), Vec::new());
    writer.write_all(&long).unwrap();
    let out = writer.finish().unwrap();
    assert_eq!(out.len(), long.len() + 9);
    assert!(out.starts_with(b"<0>X"));
}

#[test]
fn a_scrub_writer_keeps_what_the_inner_writer_refused() {
    struct Switch<'a>(&'a std::cell::Cell<bool>, Vec<u8>);
    impl Write for Switch<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0.get() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.1.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let full = std::cell::Cell::new(true);
    let mut writer = ScrubWriter::new(Shout::default(), Switch(&full, Vec::new()));
    assert_eq!(writer.write(b"one\n").unwrap(), 4);
    assert!(writer.write(b"two\n").is_err());
    assert!(writer.flush().is_err());
    full.set(false);
    writer.write_all(b"two\n").unwrap();
    assert_eq!(writer.finish().unwrap().1, b"ONE\nTWO\n");
}

/// This test program again, running one of the ignored tests below, through a shell that redirects.
fn child(test: &str, redirections: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("exec \"$0\" --exact {test} --ignored --nocapture {redirections}"))
        .arg(std::env::current_exe().unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

#[test]
#[cfg(target_os = "linux")]
fn closed_descriptors_are_told_from_dev_null() {
    let cases =
        [("", ""), ("<&-", "0"), (">&-", "1"), ("2>&-", "2"), ("<&- >&-", "01"), ("1<>/dev/null", "")];
    for (redirections, closed) in cases {
        let mut command = child("child_sees_closed", redirections);
        assert!(command.env("CLOSED", closed).status().unwrap().success(), "{redirections}");
    }
}

#[test]
#[ignore = "run by another test, as a process of its own"]
fn child_sees_closed() {
    let closed = std::env::var("CLOSED").unwrap();
    for descriptor in 0..3 {
        assert_eq!(sys::closed_at_start(descriptor), closed.contains(&descriptor.to_string()));
    }
    assert_eq!(Output::open(&Target::Stdout).is_err(), closed.contains('1'));
    assert_eq!(Input::open(&Place::Stdin).is_err(), closed.contains('0'));
}

#[test]
fn a_stdout_that_is_also_an_input_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let [log, other] = ["log", "other"].map(|name| folder.path().join(name));
    fs::write(&log, "text\n").unwrap();
    fs::write(&other, "text\n").unwrap();
    for (redirections, same) in [
        ("<\"$LOG\" >>\"$LOG\"", true),
        ("<\"$LOG\" 1<>\"$LOG\"", true),
        ("<\"$LOG\" >>\"$OTHER\"", false),
        ("</dev/null >/dev/null", false),
    ] {
        let mut command = child("child_sees_its_input_as_output", redirections);
        command.env("LOG", &log).env("OTHER", &other).env("SAME", same.to_string());
        assert!(command.status().unwrap().success(), "{redirections}");
    }
}

#[test]
#[ignore = "run by another test, as a process of its own"]
fn child_sees_its_input_as_output() {
    let same = std::env::var("SAME").unwrap() == "true";
    for target in [Target::Stdout, Target::Path("/dev/stdout".into())] {
        assert_eq!(target.input_that_is_output(&[Place::Stdin]).is_some(), same);
    }
}

#[test]
fn a_process_ends_by_sigpipe() {
    let status = child("child_ends_by_sigpipe", "").status().unwrap();
    assert_eq!(status.signal(), Some(rustix::process::Signal::PIPE.as_raw()));
}

#[test]
#[ignore = "run by another test, as a process of its own"]
fn child_ends_by_sigpipe() {
    sys::hide_memory().unwrap();
    sys::die_by_sigpipe();
}

/// A filter from stdin to stderr (the test harness writes to stdout).
struct Filter {
    process: std::process::Child,
}

impl Filter {
    fn start(threads: usize, grace: Duration) -> Filter {
        let mut command = child("child_filters", "");
        command.env("THREADS", threads.to_string()).env("GRACE", grace.as_secs().to_string());
        Filter { process: command.stderr(Stdio::piped()).spawn().unwrap() }
    }

    /// Sends a line and waits for it to come back; `false` if the filter has ended.
    fn line(&mut self) -> bool {
        let sent = self.process.stdin.as_mut().unwrap().write_all(b"line\n");
        let mut line = Vec::new();
        self.process.stderr.as_mut().unwrap().take(5).read_to_end(&mut line).unwrap();
        assert!(line.is_empty() || line == b"LINE\n");
        sent.is_ok() && !line.is_empty()
    }

    fn terminate(&self) {
        let pid = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    fn send(&mut self, bytes: &[u8]) {
        self.process.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// How it ended and what else it wrote. Its stdin stays open until it has ended, if told so.
    fn end(mut self, close: bool) -> (Option<i32>, String) {
        let stdin = self.process.stdin.take();
        let kept = stdin.filter(|_| !close);
        let mut rest = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut rest).unwrap();
        let status = self.process.wait().unwrap();
        drop(kept);
        (status.signal(), rest)
    }
}

#[test]
#[ignore = "run by another test, as a process of its own"]
fn child_filters() {
    let number = |name: &str| std::env::var(name).unwrap().parse::<u64>().unwrap();
    let mut watch = Watch::new(Interrupts::install().unwrap(), Duration::from_secs(number("GRACE")));
    let output = Output::open(&Target::Path("/dev/stderr".into())).unwrap();
    let threads = usize::try_from(number("THREADS")).unwrap();
    let outcome = drive(
        [Input::open(&Place::Stdin)],
        Shout::default(),
        output,
        &mut watch,
        &settings(threads, 1 << 20, 1 << 17),
    );
    if let Some(signal) = outcome.ended_by {
        sys::die_by(signal);
    }
    assert!(outcome.output.is_ok() && outcome.input_faults.is_empty());
}

#[test]
fn a_signal_drains_a_pipe_to_its_end() {
    for threads in [1, 2] {
        let mut filter = Filter::start(threads, Duration::from_secs(3600));
        assert!(filter.line());
        filter.terminate();
        assert!(filter.line());
        filter.send(b"last");
        assert_eq!(filter.end(true), (None, "LAST".to_owned()));
    }
}

#[test]
fn a_second_signal_and_the_end_of_the_grace_end_by_the_signal() {
    let term = Some(rustix::process::Signal::TERM.as_raw());
    for threads in [1, 2] {
        let mut filter = Filter::start(threads, Duration::from_secs(3600));
        assert!(filter.line());
        // Two signals that are pending at once are one, so that the second may have to be repeated.
        while filter.line() {
            filter.terminate();
        }
        assert_eq!(filter.end(false), (term, String::new()));

        let mut filter = Filter::start(threads, Duration::ZERO);
        assert!(filter.line());
        filter.send(b"half a line");
        filter.terminate();
        assert_eq!(filter.end(false), (term, String::new()));
    }
}
