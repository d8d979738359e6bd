//! Zips of the `zip` and the Python of this machine, of the crate, and by hand.

use std::fs;
use std::io::{self, Cursor, ErrorKind, Read, Write};
use std::path::Path;
use std::process::Command;

use logscrub::archive::container::{About, Members, Verdict, rewrite_zip};
use proptest::prelude::*;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::replacing::Replacing;
use super::{REPLACEMENTS, has, log, make_tree, run, tree};

/// All that the crate can tell of a member.
#[derive(Debug, PartialEq)]
struct Member {
    name: Vec<u8>,
    comment: Vec<u8>,
    extra: Vec<u8>,
    method: String,
    modified: Option<DateTime>,
    attributes: u32,
    made_by: (u8, u8),
    is_encrypted: bool,
    content: Vec<u8>,
}

/// What the crate reads. Encrypted members and those of other methods are told as they lie there.
fn read(zip: &[u8]) -> (Vec<u8>, Vec<Member>) {
    let mut archive = ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut members = Vec::new();
    for index in 0..archive.len() {
        let raw = archive.by_index_raw(index).unwrap();
        let is_read = !raw.encrypted()
            && [CompressionMethod::Stored, CompressionMethod::Deflated].contains(&raw.compression());
        drop(raw);
        let mut file =
            if is_read { archive.by_index(index).unwrap() } else { archive.by_index_raw(index).unwrap() };
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        members.push(Member {
            name: file.name_raw().to_vec(),
            comment: file.comment_raw().to_vec(),
            extra: without_zip64(&file.extra_data().unwrap_or_default()),
            method: format!("{:?}", file.compression()),
            modified: file.last_modified(),
            attributes: file.external_attributes(),
            made_by: file.version_made_by(),
            is_encrypted: file.encrypted(),
            content,
        });
    }
    (archive.comment().to_vec(), members)
}

/// Nothing but the content of what was taken has changed, in every member as the crate reads it.
fn check(zip: &[u8]) {
    let mut nothing = Replacing::nothing();
    assert!(nothing.zip(zip).unwrap() == zip, "what takes nothing changes something");
    let mut same = Replacing::new(b"secret", b"secret");
    assert!(same.zip(zip).unwrap() == zip, "what is kept changes");
    for to in REPLACEMENTS {
        let mut members = Replacing::new(b"secret", to);
        let out = members.zip(zip).unwrap();
        assert_eq!(members.left_alone, nothing.left_alone);
        assert_eq!(members.offered, nothing.offered);
        let (comment, mut expected) = read(zip);
        for member in &mut expected {
            if members.taken.iter().any(|(about, _)| about.name == member.name) {
                member.content = members.replaced(&member.content);
            }
        }
        let (told, found) = read(&out);
        assert!(told == comment && found.len() == expected.len());
        for (mut found, mut expected) in found.into_iter().zip(expected) {
            assert!(found.content == expected.content, "{to:?}");
            (found.content, expected.content) = (vec![], vec![]);
            assert_eq!(found, expected);
        }
        let mut again = Replacing::new(b"secret", to);
        assert!(again.zip(&out).unwrap() == out, "a second run changes something");
    }
}

/// Python finds nothing wrong.
fn check_with_python(zip: &[u8]) {
    if has("python3") {
        let folder = tempfile::tempdir().unwrap();
        let out = Replacing::new(b"secret", b"[something longer]").zip(zip).unwrap();
        fs::write(folder.path().join("out.zip"), out).unwrap();
        let code = "import sys, zipfile\nz = zipfile.ZipFile('out.zip')\n\
            for i in z.infolist():\n if not i.flag_bits & 1 and i.compress_type in (0, 8): z.read(i)";
        run(folder.path(), Command::new("python3").args(["-c", code]));
    }
}

/// Extra fields without the one that holds lengths and places.
fn without_zip64(extra: &[u8]) -> Vec<u8> {
    let (mut rest, mut kept) = (extra, Vec::new());
    while let [id, kind, low, high, ..] = *rest {
        let (field, tail) = rest.split_at(4 + usize::from(u16::from_le_bytes([low, high])));
        kept.extend_from_slice(if (id, kind) == (1, 0) { b"" } else { field });
        rest = tail;
    }
    kept.extend_from_slice(rest);
    kept
}

fn options(method: CompressionMethod) -> SimpleFileOptions {
    let time = DateTime::from_date_and_time(2020, 2, 3, 4, 5, 6).unwrap();
    SimpleFileOptions::default().compression_method(method).last_modified_time(time).unix_permissions(0o640)
}

/// A stored and a deflated log, and what is none.
fn made() -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.set_comment("a secret of the archive").unwrap();
    let mut add = |name: &str, method, content: &[u8]| {
        zip.start_file(name, options(method)).unwrap();
        zip.write_all(content).unwrap();
    };
    add("stored.log", CompressionMethod::Stored, b"a secret");
    add("deflated.log", CompressionMethod::Deflated, b"secret secret secret secret");
    add("picture.bin", CompressionMethod::Deflated, b"\0secret");
    add("empty.log", CompressionMethod::Stored, b"");
    zip.finish().unwrap().into_inner()
}

/// Puts another text of the same length where one stands, everywhere.
fn patched(zip: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut zip = zip.to_vec();
    let places: Vec<usize> = (0..zip.len()).filter(|at| zip[*at..].starts_with(from)).collect();
    assert!(!places.is_empty());
    places.iter().for_each(|at| zip[*at..*at + to.len()].copy_from_slice(to));
    zip
}

#[test]
fn zips_of_the_crate() {
    check(&made());
    check(&ZipWriter::new(Cursor::new(Vec::new())).finish().unwrap().into_inner());
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_directory("logs/", options(CompressionMethod::Stored)).unwrap();
    zip.start_file("logs/large.log", options(CompressionMethod::Deflated).large_file(true)).unwrap();
    zip.write_all(&log(1_200_000)).unwrap();
    zip.start_file("logs/stored.log", options(CompressionMethod::Stored).large_file(true)).unwrap();
    zip.write_all(&log(1_200_000)).unwrap();
    zip.add_symlink("logs/link.log", "large.log", options(CompressionMethod::Stored)).unwrap();
    zip.start_file("logs/aligned.log", options(CompressionMethod::Stored).with_alignment(64)).unwrap();
    zip.write_all(b"a secret").unwrap();
    let zip = zip.finish().unwrap().into_inner();
    check(&zip);
    check_with_python(&zip);
    let mut members = Replacing::new(b"secret", b"");
    members.zip(&zip).unwrap();
    assert_eq!(members.taken.len(), 3);
    assert_eq!(members.left_alone, [(b"logs/link.log".to_vec(), "a symbolic link")]);
    assert_eq!(members.offered[0].modified, "2020-02-03T04:05:06Z".parse().ok());
    // Written as a stream: the lengths stand behind the content.
    let mut zip = ZipWriter::new_stream(Vec::new());
    for (name, method) in [("a.log", CompressionMethod::Deflated), ("b.log", CompressionMethod::Stored)] {
        zip.start_file(name, options(method)).unwrap();
        zip.write_all(b"secret secret secret").unwrap();
    }
    check(&zip.finish().unwrap().into_inner());
}

/// Says what it likes of what it writes, and perhaps reads nothing.
struct Saying(Verdict, &'static [u8], bool);

impl Members for Saying {
    fn takes(&mut self, _: &About, _: &[u8]) -> bool {
        true
    }

    fn member(
        &mut self,
        _: &About,
        content: &mut (dyn Read + Send),
        out: &mut (dyn Write + Send),
    ) -> io::Result<Verdict> {
        if self.2 {
            io::copy(content, &mut io::sink())?;
        }
        out.write_all(self.1).map(|()| self.0)
    }

    fn left_alone(&mut self, _: &About, _: &'static str) {}
}

#[test]
fn what_is_said_of_new_content_is_not_taken_on_trust() {
    let mut zip = ZipWriter::new_stream(Vec::new());
    zip.start_file("a.log", options(CompressionMethod::Deflated)).unwrap();
    zip.write_all(b"secret secret").unwrap();
    let zip = zip.finish().unwrap().into_inner();
    let rewritten = |mut members: Saying| {
        let mut out = Vec::new();
        rewrite_zip(&mut Cursor::new(&zip), &mut out, &tempfile::tempfile, &mut members, Some(6))
            .map(|()| out)
    };
    for verdict in [Verdict::Kept, Verdict::Scrubbed] {
        let out = rewritten(Saying(verdict, b"public public", true)).unwrap();
        assert_eq!(read(&out).1[0].content, b"public public");
        let same = rewritten(Saying(verdict, b"secret secret", true)).unwrap();
        assert_eq!(read(&same).1[0].content, b"secret secret");
        assert!(Replacing::nothing().zip(&same).unwrap() == same);
        assert_eq!(same == zip, verdict == Verdict::Kept);
        assert!(rewritten(Saying(verdict, b"", false)).unwrap_err().to_string().contains("to its end"));
    }
}

#[test]
fn names_need_not_be_text() {
    let zip = patched(&made(), b"stored.log", b"st\xff\xfe\x01d.log");
    check(&zip);
    check_with_python(&zip);
    let mut members = Replacing::new(b"secret", b"");
    members.zip(&zip).unwrap();
    assert_eq!(members.offered[0].name, b"st\xff\xfe\x01d.log");
    assert_eq!(members.offered[0].size, 8);
}

/// Stored members have but one form: putting the text back brings every byte back.
#[test]
fn nothing_else_changes_where_nothing_is_packed() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.set_comment("a comment").unwrap();
    for name in ["a.log", "b.log", "c/d.log"] {
        zip.start_file(name, options(CompressionMethod::Stored).large_file(name == "b.log")).unwrap();
        zip.write_all(&log(300)).unwrap();
    }
    let zip = zip.finish().unwrap().into_inner();
    let out = Replacing::new(b"secret", b"[something longer]").zip(&zip).unwrap();
    assert!(Replacing::new(b"[something longer]", b"secret").zip(&out).unwrap() == zip);
}

#[test]
fn other_methods_and_encryption_are_left_alone() {
    let zip = made();
    let methods = |to: u16| {
        let mut zip = zip.clone();
        let deflated = |at: &usize| zip[*at..].starts_with(b"deflated.log");
        let names: Vec<usize> = (0..zip.len()).filter(deflated).collect();
        assert_eq!(names.len(), 2);
        zip[names[0] - 30 + 8..][..2].copy_from_slice(&to.to_le_bytes());
        zip[names[1] - 46 + 10..][..2].copy_from_slice(&to.to_le_bytes());
        zip
    };
    for method in [1, 9, 12, 14, 93, 99] {
        let zip = methods(method);
        let mut members = Replacing::new(b"secret", b"[x]");
        let out = members.zip(&zip).unwrap();
        let why = "compressed by a method that is not supported";
        assert_eq!(members.left_alone, [(b"deflated.log".to_vec(), why)]);
        assert_eq!(members.taken.len(), 2);
        let packed = zip.windows(12).position(|window| window == b"deflated.log").unwrap();
        assert!(out.windows(30).any(|window| window == &zip[packed..packed + 30]));
    }
}

#[test]
fn what_is_truncated_is_refused() {
    let zip = made();
    for length in 0..zip.len() {
        Replacing::new(b"secret", b"[x]").zip(zip.get(..length).unwrap()).unwrap_err();
    }
    Replacing::new(b"secret", b"[x]").zip(&[zip.as_slice(), b"\0"].concat()).unwrap_err();
}

#[test]
fn what_does_not_account_for_every_byte_is_refused() {
    let zip = made();
    let fault = |zip: &[u8]| Replacing::new(b"secret", b"[x]").zip(zip).unwrap_err();
    let in_front = [&b"#!/bin/sh\n"[..], &zip].concat();
    assert_eq!(fault(&in_front).kind(), ErrorKind::Unsupported);
    // The program `zip -A` would make the places in it right again.
    let directory = zip.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    let mut moved = zip.clone();
    moved.splice(directory..directory, *b"secret");
    let end = moved.len() - 22 - "a secret of the archive".len();
    moved[end + 16..end + 20].copy_from_slice(&(directory as u32 + 6).to_le_bytes());
    assert!(fault(&moved).to_string().contains("belong to no member"));
    // Content that is not what its sum says.
    assert!(fault(&patched(&zip, b"a secret\x50\x4b", b"a Secret\x50\x4b")).to_string().contains("damaged"));
    // Bytes behind a name that is that of a directory.
    let directory = patched(&zip, b"picture.bin", b"picture.bi/");
    let mut members = Replacing::nothing();
    members.zip(&directory).unwrap();
    assert!(members.offered.iter().any(|about| about.name == b"picture.bi/"));
    // A header that says another thing than the directory.
    let mut differs = zip.clone();
    differs[30] = b'S';
    assert!(fault(&differs).to_string().contains("differs from the directory"));
    // Two ends.
    fault(&patched(&zip, b"a secret of", b"PK\x05\x06 secret "[..11].as_ref()));
    let mut volumes = zip.clone();
    volumes[end - 6 + 4] = 1;
    fault(&volumes);
}

#[test]
fn zips_of_this_machine() {
    if !(has("zip") && has("unzip")) {
        return;
    }
    for arguments in [&["-9"][..], &["-0"], &["-X"], &["-fz"], &["-P", "password"], &["-Z", "bzip2"]] {
        let folder = tempfile::tempdir().unwrap();
        make_tree(folder.path(), false);
        fs::write(folder.path().join("logs/ümläut.log"), "a secret").unwrap();
        run(folder.path(), Command::new("zip").args(["-q", "-r", "-y", "in.zip", "logs"]).args(arguments));
        let zip = fs::read(folder.path().join("in.zip")).unwrap();
        check(&zip);
        check_with_python(&zip);
        let mut members = Replacing::new(b"secret", b"[x]");
        let out = members.zip(&zip).unwrap();
        let told = |why| members.left_alone.iter().any(|(_, told)| *told == why);
        match arguments[0] {
            // What is empty needs no encryption.
            "-P" => assert!(told("encrypted") && members.taken.iter().all(|(about, _)| about.size == 0)),
            "-Z" => assert!(told("compressed by a method that is not supported")),
            _ => assert!(told("a symbolic link") && members.taken.len() == 8),
        }
        if let Some((about, _)) = members.taken.iter().find(|(about, _)| about.name == b"logs/old/b.log") {
            let expected = "2001-09-09T01:46:40Z".parse().ok();
            assert_eq!(about.modified, expected);
        }
        fs::write(folder.path().join("out.zip"), &out).unwrap();
        check_unpacked(folder.path(), &members);
    }
}

/// Lists and unpacks both with `unzip`.
fn check_unpacked(folder: &Path, members: &Replacing) {
    for side in ["in", "out"] {
        let mut command = Command::new("unzip");
        command.args(["-q", "-P", "password", &format!("{side}.zip"), "-d", side]);
        run(folder, &mut command);
    }
    let mut expected = tree(&folder.join("in"));
    for (name, _, _, content) in &mut expected {
        if members.taken.iter().any(|(about, _)| about.name == *name) {
            *content = members.replaced(content);
        }
    }
    assert!(tree(&folder.join("out")) == expected);
    // Name, time, mode, system, kind of method: all but the lengths.
    let listing = |side: &str| -> Vec<String> {
        let printed = run(folder, Command::new("zipinfo").args(["-s", "-T", &format!("{side}.zip")]));
        let lines = String::from_utf8_lossy(&printed).into_owned();
        let line = |line: &str| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let kept = columns.iter().enumerate().filter(|(column, _)| *column != 3);
            kept.map(|(_, column)| *column).collect::<Vec<_>>().join(" ")
        };
        lines.lines().filter(|line| line.contains("logs/")).map(line).collect()
    };
    let without_descriptors = |line: &String| line.replace(" bX ", " bx ").replace(" tl ", " t- ");
    let (before, after) = (listing("in"), listing("out"));
    assert!(!before.is_empty());
    let plain = |lines: &[String]| lines.iter().map(without_descriptors).collect::<Vec<_>>();
    assert_eq!(plain(&before), plain(&after));
}

#[test]
fn zips_written_to_a_pipe() {
    if has("zip") {
        let folder = tempfile::tempdir().unwrap();
        make_tree(folder.path(), false);
        let zip = run(folder.path(), Command::new("sh").args(["-c", "zip -q -r - logs | cat"]));
        check(&zip);
        check_with_python(&zip);
        let zip =
            run(folder.path(), Command::new("sh").args(["-c", "cat logs/large.log | zip -q - - | cat"]));
        check(&zip);
        check_with_python(&zip);
    }
    if has("python3") {
        let code = "import sys, zipfile\n\
            class Pipe:\n def write(self, b): return sys.stdout.buffer.write(b)\n def flush(self): pass\n\
            with zipfile.ZipFile(Pipe(), 'w', zipfile.ZIP_DEFLATED) as z:\n\
            \x20z.comment = b'of all'\n\
            \x20i = zipfile.ZipInfo('a.log', (2020, 2, 3, 4, 5, 6)); i.comment = b'a secret'; z.writestr(i, b'a secret')\n\
            \x20with z.open('b.log', 'w', force_zip64=True) as f: f.write(b'secret ' * 1000)\n\
            \x20z.writestr('c.log', b'secret ' * 1000)\n";
        let zip = run(Path::new("/"), Command::new("python3").args(["-c", code]));
        check(&zip);
        check_with_python(&zip);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn random_zips(members in prop::collection::vec((0u8..6, "(secret|[a-z \n]|\0){0,300}"), 0..8)) {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (index, (form, content)) in members.iter().enumerate() {
            let method = [CompressionMethod::Stored, CompressionMethod::Deflated][usize::from(form % 2)];
            let options = options(method).large_file(*form > 3);
            match form {
                2 => zip.add_directory(format!("{index}/"), options).unwrap(),
                3 => zip.add_symlink(format!("{index}"), content, options).unwrap(),
                _ => {
                    zip.start_file(format!("{index}.log"), options).unwrap();
                    zip.write_all(content.as_bytes()).unwrap();
                }
            }
        }
        check(&zip.finish().unwrap().into_inner());
    }

    #[test]
    fn damaged_zips_never_panic(at in 0usize..800, to: u8, also in 0usize..800, too: u8) {
        let mut zip = made();
        for (at, to) in [(at, to), (also, too)] {
            if let Some(byte) = zip.get_mut(at) {
                *byte = to;
            }
        }
        let _ = Replacing::new(b"secret", b"[x]").zip(&zip);
    }
}
