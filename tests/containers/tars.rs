//! Tars of the `tar` of this machine, of the crate, and by hand.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::process::Command;

use logscrub::archive::container::About;
use proptest::prelude::*;
use tar::{Builder, EntryType, Header};

use super::replacing::Replacing;
use super::{REPLACEMENTS, STRANGE, has, log, make_tree, run, tree};

/// A header of the crate, for content of that length.
fn header(mut header: Header, name: &[u8], size: u64) -> Header {
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_mode(0o640);
    header.set_mtime(1_700_000_000);
    header.set_uid(7);
    header.set_gid(8);
    header.set_size(size);
    header.set_cksum();
    header
}

fn append(tar: &mut Builder<Vec<u8>>, name: &str, content: &[u8]) {
    tar.append(&header(Header::new_ustar(), name.as_bytes(), content.len() as u64), content).unwrap();
}

fn made(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    members.iter().for_each(|(name, content)| append(&mut tar, name, content));
    tar.into_inner().unwrap()
}

/// Headers without length and checksum, and contents, as the crate reads them.
fn read(tar: &[u8]) -> Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> {
    let mut archive = tar::Archive::new(tar);
    let entry = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let mut header = entry.header().as_bytes().to_vec();
        header[124..136].fill(0);
        header[148..156].fill(0);
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (header, entry.path_bytes().into_owned(), content)
    };
    archive.entries().unwrap().map(entry).collect()
}

/// Nothing but the content of what was taken has changed, and all is there again when that is put back.
fn check(tar: &[u8]) {
    let mut nothing = Replacing::nothing();
    assert!(nothing.tar(tar).unwrap() == tar, "what takes nothing changes something");
    for to in REPLACEMENTS {
        let mut members = Replacing::new(b"secret", to);
        let out = members.tar(tar).unwrap();
        assert_eq!(members.left_alone, nothing.left_alone);
        assert_eq!(members.offered, nothing.offered);
        let mut taken = members.taken.iter().peekable();
        let mut expected = read(tar);
        for (header, name, content) in &mut expected {
            // Several may share a name; they come in order.
            let is_regular = matches!(header[156], 0 | b'0' | b'7');
            let replaced = members.replaced(content);
            let is = |(about, written): &&(About, Vec<u8>)| about.name == *name && *written == replaced;
            if is_regular && taken.next_if(is).is_some() {
                *content = replaced;
            }
        }
        assert!(taken.next().is_none());
        assert!(read(&out) == expected, "{to:?}");
        let mut again = Replacing::new(b"secret", to);
        assert!(again.tar(&out).unwrap() == out, "a second run changes something");
        if !to.is_empty() {
            assert!(Replacing::new(to, b"secret").tar(&out).unwrap() == tar, "{to:?} back again");
        }
    }
}

/// What `tar -tv` says, without the lengths.
fn listing(folder: &Path, tar: &str) -> Vec<String> {
    let printed = run(folder, Command::new("tar").args(["--full-time", "-tvf", tar]));
    let columns = |line: &str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let is_file = line.starts_with('-');
        let kept = columns.iter().enumerate().filter(|(column, _)| !is_file || *column != 2);
        kept.map(|(_, column)| *column).collect::<Vec<_>>().join(" ")
    };
    String::from_utf8_lossy(&printed).lines().map(columns).collect()
}

/// Rewrites a tar of the machine's `tar`, and has it list and unpack the result.
fn check_with_tar(folder: &Path, tar: &[u8]) {
    check(tar);
    let mut members = Replacing::new(b"secret", b"[something longer]");
    fs::write(folder.join("in.tar"), tar).unwrap();
    fs::write(folder.join("out.tar"), members.tar(tar).unwrap()).unwrap();
    assert_eq!(listing(folder, "in.tar"), listing(folder, "out.tar"));
    for side in ["in", "out"] {
        fs::create_dir(folder.join(side)).unwrap();
        run(folder, Command::new("tar").args(["-xpf", &format!("{side}.tar"), "-C", side]));
    }
    let mut expected = tree(&folder.join("in"));
    for (name, mode, _, content) in &mut expected {
        // The other name of a file that was taken has its content too.
        let is_taken =
            |taken: &[u8]| taken == name || taken.ends_with(b"/a.log") && name.ends_with(b"z-hard.log");
        if *mode & 0o170_000 == 0o100_000 && members.taken.iter().any(|(about, _)| is_taken(&about.name)) {
            *content = members.replaced(content);
        }
    }
    assert!(tree(&folder.join("out")) == expected);
}

fn real_tar(format: &str, with_specials: bool, more: &[&str]) {
    if !has("tar") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    make_tree(folder.path(), with_specials);
    if with_specials {
        run(folder.path(), Command::new("mkfifo").arg("logs/pipe"));
    }
    let mut command = Command::new("tar");
    command.args(["--sort=name", &format!("--format={format}"), "-cf", "-"]).args(more).arg("logs");
    let tar = run(folder.path(), &mut command);
    check_with_tar(folder.path(), &tar);
    let mut members = Replacing::new(b"secret", b"");
    members.tar(&tar).unwrap();
    let taken: Vec<_> = members.taken.iter().map(|(about, _)| about.name.as_slice()).collect();
    assert!(taken.contains(&&b"logs/larger.log"[..]) && !taken.contains(&&b"logs/picture.bin"[..]));
    assert!(members.left_alone.contains(&(b"logs/link.log".to_vec(), "a symbolic link")));
    let old = members.taken.iter().find(|(about, _)| about.name == b"logs/old/b.log").unwrap();
    let expected = if format == "pax" { "2001-09-09T01:46:40.0000005Z" } else { "2001-09-09T01:46:40Z" };
    assert_eq!(old.0.modified, expected.parse().ok());
    if with_specials {
        let strange = [&b"logs/"[..], STRANGE].concat();
        assert!(taken.contains(&strange.as_slice()));
        assert!(taken.iter().any(|name| name.len() == 5 + 90 + 1 + 80 + 4));
        assert!(members.left_alone.contains(&(b"logs/pipe".to_vec(), "a FIFO")));
        assert!(members.left_alone.contains(&(b"logs/z-hard.log".to_vec(), "a hard link")));
    }
}

#[test]
fn tars_of_v7() {
    real_tar("v7", false, &[]);
}

#[test]
fn tars_of_ustar() {
    real_tar("ustar", true, &[]);
}

#[test]
fn tars_of_gnu() {
    real_tar("gnu", true, &[]);
}

/// The crate cannot read them.
#[test]
fn the_name_of_a_volume_stays() {
    if !has("tar") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.log"), "a secret").unwrap();
    let tar =
        run(folder.path(), Command::new("tar").args(["--format=gnu", "-V", "a label", "-cf", "-", "a.log"]));
    let mut members = Replacing::new(b"secret", b"[x]");
    let out = members.tar(&tar).unwrap();
    assert_eq!((members.taken.len(), members.left_alone.len()), (1, 0));
    assert!(Replacing::new(b"[x]", b"secret").tar(&out).unwrap() == tar);
}

#[test]
fn tars_of_pax() {
    real_tar("pax", true, &[]);
}

#[test]
fn tars_of_pax_with_a_header_for_all() {
    real_tar(
        "pax",
        true,
        &["--pax-option=comment=a secret of all", "--pax-option=vendor.note:=a secret of each"],
    );
}

#[test]
fn sparse_files_are_left_alone() {
    if !has("tar") {
        return;
    }
    for arguments in [
        &["--format=gnu"][..],
        &["--format=pax", "--sparse-version=0.0"],
        &["--format=pax", "--sparse-version=0.1"],
        &["--format=pax", "--sparse-version=1.0"],
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("logs")).unwrap();
        fs::write(folder.path().join("logs/a.log"), "a secret").unwrap();
        fs::write(folder.path().join("logs/c.log"), "a secret").unwrap();
        let sparse = fs::File::create(folder.path().join("logs/b.log")).unwrap();
        for hole in 1..40 {
            let at = hole << 17;
            std::os::unix::fs::FileExt::write_all_at(&sparse, b"secret", at).unwrap();
        }
        let mut command = Command::new("tar");
        command
            .args(["--sort=name", "--sparse", "--hole-detection=raw", "-cf", "-"])
            .args(arguments)
            .arg("logs");
        let tar = run(folder.path(), &mut command);
        let mut members = Replacing::new(b"secret", b"[x]");
        let out = members.tar(&tar).unwrap();
        assert_eq!(members.left_alone, [(b"logs/b.log".to_vec(), "a sparse file")], "{arguments:?}");
        assert_eq!(members.taken.len(), 2);
        assert!(Replacing::new(b"[x]", b"secret").tar(&out).unwrap() == tar);
        assert!(Replacing::nothing().tar(&tar).unwrap() == tar);
        fs::write(folder.path().join("out.tar"), &out).unwrap();
        fs::create_dir(folder.path().join("out")).unwrap();
        run(folder.path(), Command::new("tar").args(["-xf", "out.tar", "-C", "out"]));
        let content = |path: &str| fs::read(folder.path().join(path)).unwrap();
        assert!(content("out/logs/b.log") == content("logs/b.log"));
        assert_eq!(content("out/logs/c.log"), b"a [x]");
    }
}

#[test]
fn tars_of_the_crate() {
    let mut tar = Builder::new(Vec::new());
    tar.append(&header(Header::new_old(), b"v7.log", 8), &b"a secret"[..]).unwrap();
    tar.append(&header(Header::new_gnu(), b"gnu.log", 6), &b"secret"[..]).unwrap();
    let mut long = header(Header::new_gnu(), b"", 6);
    tar.append_data(&mut long, format!("{}.log", "n".repeat(300)), &b"secret"[..]).unwrap();
    let mut link = header(Header::new_gnu(), b"", 0);
    link.set_entry_type(EntryType::Symlink);
    tar.append_link(&mut link, "link", "t".repeat(200)).unwrap();
    let mut big = header(Header::new_gnu(), b"big.log", 6);
    big.as_old_mut().size = *b"\x80\0\0\0\0\0\0\0\0\0\0\x06";
    big.set_cksum();
    tar.append(&big, &b"secret"[..]).unwrap();
    let mut contiguous = header(Header::new_ustar(), b"contiguous.log", 6);
    contiguous.set_entry_type(EntryType::Continuous);
    contiguous.set_cksum();
    tar.append(&contiguous, &b"secret"[..]).unwrap();
    append(&mut tar, "large.log", &log(1_200_000));
    check(&tar.into_inner().unwrap());
}

#[test]
fn a_length_in_an_extended_header_is_rewritten() {
    for in_header in [0, 20] {
        let mut tar = Builder::new(Vec::new());
        let records: [(&str, &[u8]); 3] =
            [("path", b"long/name.log"), ("size", b"20"), ("comment", b"a secret")];
        tar.append_pax_extensions(records).unwrap();
        tar.get_mut().extend_from_slice(header(Header::new_ustar(), b"name.log", in_header).as_bytes());
        tar.get_mut().extend_from_slice(b"secret secret secret");
        let padding = tar.get_ref().len().next_multiple_of(512);
        tar.get_mut().resize(padding, 0);
        append(&mut tar, "next.log", b"secret");
        let tar = tar.into_inner().unwrap();
        check(&tar);
        let out = Replacing::new(b"secret", &[b'y'; 300]).tar(&tar).unwrap();
        let sizes: Vec<usize> = read(&out).iter().map(|(_, _, content)| content.len()).collect();
        assert_eq!(sizes, [902, 300]);
    }
}

/// What runs over the block that a small archive ends in is only padding.
#[test]
fn what_is_truncated_is_refused() {
    let tar = made(&[("a.log", b"a secret"), ("b.log", &[b'b'; 512]), ("c.bin", b"\0secret")]);
    let end = tar.len() - 1024;
    for length in 0..tar.len() {
        let cut = tar.get(..length).unwrap();
        let fault = Replacing::new(b"secret", b"[x]").tar(cut).unwrap_err();
        assert_eq!(fault.kind(), ErrorKind::UnexpectedEof, "{length}");
    }
    for padding in [0, 1, 511, 512, 7000] {
        let padded = [tar.as_slice(), &vec![0; padding]].concat();
        let out = Replacing::new(b"secret", b"[x]").tar(&padded).unwrap();
        assert_eq!(out.len(), padded.len());
        assert_eq!(out.get(end..), padded.get(end..));
    }
}

#[test]
fn every_wrong_byte_of_a_header_is_refused() {
    let tar = made(&[("a.log", b"a secret")]);
    for at in (0..512).filter(|at| !(154..156).contains(at)) {
        let mut wrong = tar.clone();
        wrong[at] ^= 1;
        let fault = Replacing::new(b"secret", b"[x]").tar(&wrong).unwrap_err();
        assert_eq!(fault.kind(), ErrorKind::InvalidData, "{at}");
        assert!(fault.to_string().contains("at byte 0 of the archive"));
    }
}

#[test]
fn what_follows_the_end_is_another_archive_or_refused() {
    let (one, two) = (made(&[("a.log", b"a secret")]), made(&[("b.log", b"another secret")]));
    let both = [one.as_slice(), &two].concat();
    let mut members = Replacing::new(b"secret", b"[x]");
    let out = members.tar(&both).unwrap();
    assert_eq!(members.taken.len(), 2);
    assert_eq!(out.len(), both.len());
    assert!(!out.windows(6).any(|window| window == b"secret"));
    for rest in [&b"secret"[..], &[b's'; 512], &[b's'; 600]] {
        Replacing::new(b"secret", b"").tar(&[one.as_slice(), rest].concat()).unwrap_err();
    }
}

#[test]
fn what_readers_may_see_differently_is_refused() {
    let with = |kind: EntryType, size| {
        let mut header = header(Header::new_ustar(), b"name", size);
        header.set_entry_type(kind);
        header.set_cksum();
        header.as_bytes().to_vec()
    };
    let (end, block) = (vec![0; 1024], vec![b'b'; 512]);
    let refused = |parts: &[&[u8]]| {
        let tar = [&parts.concat(), end.as_slice()].concat();
        Replacing::new(b"secret", b"").tar(&tar).unwrap_err();
    };
    for kind in [EntryType::Link, EntryType::Symlink, EntryType::Directory, EntryType::Fifo, EntryType::Char]
    {
        refused(&[&with(kind, 512), &block]);
    }
    let (regular, long) = (with(EntryType::Regular, 0), with(EntryType::GNULongName, 512));
    refused(&[&long, &block, &long, &block, &regular]);
    refused(&[&long, &block]);
    let mut records = b"9 size=7\n".to_vec();
    records.resize(512, 0);
    let each = with(EntryType::XHeader, 9);
    refused(&[&each, &records, &each, &records, &with(EntryType::Regular, 7), &block]);
    refused(&[&with(EntryType::XHeader, 12), &records, &regular]);
    refused(&[&with(EntryType::XGlobalHeader, 9), &records, &with(EntryType::Regular, 7), &block]);
    refused(&[&with(EntryType::XHeader, 1 << 40), &records]);
    let mut huge = header(Header::new_gnu(), b"name", 0);
    huge.as_old_mut().size = *b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff";
    huge.set_cksum();
    refused(&[huge.as_bytes(), &block]);
}

/// Old programs took bytes for signed when they summed them up.
#[test]
fn signed_checksums_are_right_too() {
    let mut old = header(Header::new_old(), b"caf\xe9.log", 6);
    let sum = old.cksum().unwrap() - 256;
    old.as_old_mut().cksum = format!("{sum:06o}\0 ").into_bytes().try_into().unwrap();
    let mut content = b"secret".to_vec();
    content.resize(512, 0);
    let tar = [&old.as_bytes()[..], &content, &[0; 1024]].concat();
    assert!(Replacing::nothing().tar(&tar).unwrap() == tar);
    let out = Replacing::new(b"secret", b"[x]").tar(&tar).unwrap();
    assert_eq!(read(&out)[0].2, b"[x]");
}

#[test]
fn content_that_is_not_offered_is_told() {
    for kind in [b'V', b'D', b'M', b'N', b'Q'] {
        let mut odd = header(Header::new_gnu(), b"odd", 6);
        odd.set_entry_type(EntryType::new(kind));
        odd.set_cksum();
        let mut tar = Builder::new(Vec::new());
        tar.append(&odd, &b"secret"[..]).unwrap();
        append(&mut tar, "a.log", b"a secret");
        let tar = tar.into_inner().unwrap();
        check(&tar);
        let mut members = Replacing::new(b"secret", b"[x]");
        members.tar(&tar).unwrap();
        assert_eq!((members.left_alone.len(), members.taken.len()), (1, 1));
        assert_eq!(members.left_alone[0].0, b"odd");
    }
}

/// Old programs left in the padding what their memory held.
#[test]
fn what_lies_behind_new_content_goes() {
    let mut tar = made(&[("a.log", b"a secret"), ("b.bin", b"\0")]);
    tar[512 + 100..512 + 106].copy_from_slice(b"hidden");
    tar[1536 + 100..1536 + 106].copy_from_slice(b"hidden");
    assert!(Replacing::nothing().tar(&tar).unwrap() == tar);
    let out = Replacing::new(b"secret", b"public").tar(&tar).unwrap();
    assert_eq!(out.windows(6).filter(|window| window == b"hidden").count(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn random_tars(members in prop::collection::vec((0u8..7, "[a-z/]{1,120}", "(secret|[a-z \n]|\0){0,300}"), 0..8)) {
        let mut tar = Builder::new(Vec::new());
        for (form, name, content) in &members {
            let name = name.trim_matches('/').replace("//", "/");
            let name = if name.is_empty() { "a" } else { &name };
            let mut header = match form {
                0 => Header::new_old(),
                1 | 2 => Header::new_ustar(),
                _ => Header::new_gnu(),
            };
            header.set_size(content.len() as u64);
            header.set_mtime(u64::from(*form) << 28);
            match form {
                5 => header.set_entry_type(EntryType::Fifo),
                6 => header.set_entry_type(EntryType::new(b'Q')),
                _ => {}
            }
            if *form == 2 {
                let size = content.len().to_string();
                tar.append_pax_extensions([("size", size.as_bytes()), ("path", b"told")]).unwrap();
            }
            let content = if *form == 5 { header.set_size(0); b"" } else { content.as_bytes() };
            let kept = header.clone();
            if tar.append_data(&mut header, name, content).is_err() {
                let mut header = kept;
                header.set_path("short").unwrap();
                header.set_cksum();
                tar.append(&header, content).unwrap();
            }
        }
        check(&tar.into_inner().unwrap());
    }

    #[test]
    fn damaged_tars_never_panic(at in 0usize..4096, to: u8, length in 0usize..4096) {
        let mut tar = made(&[("a.log", b"a secret"), ("b.log", b"another secret")]);
        tar.truncate(length);
        if let Some(byte) = tar.get_mut(at) {
            *byte = to;
        }
        let _ = Replacing::new(b"secret", b"[x]").tar(&tar);
    }
}
