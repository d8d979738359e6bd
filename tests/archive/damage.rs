//! Damaged, odd and hostile compressed files: what cannot be read to its end is never replaced.

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;

use crate::site::{Form, PROGRAM, Ran, Site, gzip, member_of_zip, ran, tar_of, text, zip_of, zip_of_many};
use logscrub::codec::{Codec, Encoding};

fn encoded(codec: Codec, text: &[u8]) -> Vec<u8> {
    let mut encoder = codec.encoder(Vec::new(), &Encoding::default()).unwrap();
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn decoded(codec: Codec, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    codec.decoder(bytes).unwrap().read_to_end(&mut text).ok()?;
    Some(text)
}

/// One file of each form, by name.
fn forms(text: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let codecs = Codec::ALL.into_iter().map(|codec| (codec.name(), encoded(codec, text)));
    codecs.chain([("tar.gz", gzip(&tar_of(text))), ("zip", zip_of(text)), ("tar", tar_of(text))]).collect()
}

#[test]
fn what_is_cut_off_is_left_as_it_is() {
    let site = Site::new();
    let (old, _) = text(300);
    let mut files: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    for (name, whole) in forms(&old) {
        // A tar may end without the zeros at its end.
        let content = if name == "tar" { old.len() + 512 } else { whole.len() };
        let cuts = (1..24)
            .map(|n| content * n / 24)
            .chain(if name == "bzip2" { 4..10 } else { 0..0 })
            .chain(content.saturating_sub(20)..content);
        for cut in cuts.filter(|cut| *cut > 3) {
            files.push((site.file(format!("{cut}.{name}"), &whole[..cut]), whole[..cut].to_vec()));
        }
    }
    let ran = site.run(&[]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    for (path, was) in files {
        assert!(fs::read(&path).unwrap() == was, "{path:?} was replaced");
        let told = ran.stderr.lines().find(|line| line.contains(path.to_str().unwrap()));
        assert!(told.is_some_and(|line| line.contains("left as it is")), "{path:?}: {told:?}");
    }
}

#[test]
fn a_bit_that_flips_loses_nothing() {
    let site = Site::new();
    let (old, new) = text(40);
    let mut files: Vec<(PathBuf, &str, Vec<u8>)> = Vec::new();
    // Nothing tells that the content of a tar was changed.
    for (name, whole) in forms(&old).into_iter().filter(|(name, _)| *name != "tar") {
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            files.push((site.file(format!("{name}/{at}.log"), &flipped), name, flipped));
        }
    }
    let ran = site.run(&["-q"]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    let mut replaced = 0;
    for (path, name, was) in &files {
        let now = fs::read(path).unwrap();
        if now == *was {
            continue;
        }
        replaced += 1;
        // Only what no reader looks at was flipped: names, times, sizes that are a hint.
        let codec = Codec::ALL.into_iter().find(|codec| codec.name() == *name);
        let is_whole = match codec {
            Some(codec) => decoded(codec, &now).is_some_and(|text| text == new),
            None if *name == "tar.gz" => {
                Form::Gzip.decoded(&now).is_some_and(|tar| member_of_tar(&tar) == new)
            }
            None => member_of_zip(&now).is_some_and(|text| text == new),
        };
        assert!(is_whole, "{path:?}");
    }
    println!("{} files, {replaced} replaced", files.len());
    assert!(replaced * 5 < files.len());
}

fn member_of_tar(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut tar = tar::Archive::new(bytes);
    tar.entries().unwrap().next().unwrap().unwrap().read_to_end(&mut text).unwrap();
    text
}

#[test]
fn several_members_become_one_with_all_that_was_in_them() {
    let site = Site::new();
    let (old, new) = text(40);
    let cut = old.len() / 2 + 7; // within a line
    for codec in Codec::ALL {
        let parts = [&old[..cut], b"", &old[cut..]].map(|part| encoded(codec, part)).concat();
        let path = site.file(codec.name(), parts);
        let ran = site.run(&[]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let now = fs::read(&path).unwrap();
        assert!(decoded(codec, &now).unwrap() == new, "{codec:?}");
        if codec == Codec::Gzip {
            let mut first = Vec::new();
            flate2::bufread::GzDecoder::new(&now[..]).read_to_end(&mut first).unwrap();
            assert!(first == new, "one member");
        }
    }
}

#[test]
fn zeros_behind_are_accepted_and_anything_else_is_not() {
    let (old, new) = text(40);
    let site = Site::new();
    let padded = site.file("padded.gz", [gzip(&old), vec![0; 1024]].concat());
    let ran = site.run(&[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(Form::Gzip.decoded(&fs::read(padded).unwrap()).unwrap(), new);
    for (name, whole) in forms(&old).into_iter().filter(|(name, _)| *name != "tar") {
        let site = Site::new();
        let trailed = [&whole[..], b"more of ana@example.com\n"].concat();
        let path = site.file(name, &trailed);
        let ran = site.run(&[]);
        assert_eq!(ran.code, Some(3), "{name}: {ran:?}");
        assert!(fs::read(path).unwrap() == trailed, "{name}");
    }
}

#[test]
fn empty_files_are_no_fault() {
    let site = Site::new();
    for codec in Codec::ALL {
        site.file(format!("empty.{}", codec.name()), encoded(codec, b""));
    }
    site.file("empty.log", b"");
    let before = crate::site::picture(&site.tree);
    let ran = site.run(&[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(crate::site::picture(&site.tree), before);
}

#[test]
fn what_lies_within_another_is_listed_and_left() {
    let (old, _) = text(40);
    for (name, bytes) in [
        ("twice.gz", gzip(&gzip(&old))),
        ("zip.gz", gzip(&zip_of(&old))),
        ("gz.zip", zip_of(&gzip(&old))),
        ("gz.tar", tar_of(&gzip(&old))),
        ("tar.zip", zip_of(&tar_of(&old))),
    ] {
        let site = Site::new();
        let path = site.file(name, &bytes);
        let ran = site.run(&[]);
        assert_eq!(ran.code, Some(1), "{name}: {ran:?}");
        assert!(ran.stderr.contains("not scrubbed: "), "{name}: {ran:?}");
        assert!(fs::read(path).unwrap() == bytes, "{name}");
    }
}

/// Runs with little memory.
fn run_within(kib: usize, site: &Site, more: &[&str]) -> Ran {
    let mut command = std::process::Command::new("/bin/sh");
    command
        .args(["-c", &format!("ulimit -v {kib}; exec \"$0\" \"$@\""), PROGRAM])
        .args(site.args(more))
        .env_clear();
    ran(command)
}

/// Lines that shrink to a thousandth.
fn bomb(bytes: usize) -> Vec<u8> {
    let line: Vec<u8> = std::iter::repeat_n(b' ', 100_000).chain([b'\n']).collect();
    line.into_iter().cycle().take(bytes).collect()
}

#[test]
fn a_bomb_is_refused_in_little_memory() {
    const KIB: usize = 400 << 10;
    let content = bomb(66 << 20);
    let small = &content[..4 << 20];
    let size = ["--max-size", "1MiB"];
    let mut bombs: Vec<_> = forms(small)
        .into_iter()
        .filter(|(name, _)| *name != "tar")
        .map(|(name, bytes)| (name, bytes, size))
        .collect();
    // Nothing is said of a ratio before 64 MiB.
    let frame = encoded(Codec::Zstd, &content[..2 << 20]);
    bombs.push(("ratio.zst", frame.repeat(33), ["--max-ratio", "10"]));
    bombs.push(("sum.zip", zip_of_many(&content[..48 << 10], 1500), ["--max-ratio", "10"]));
    let refused = |name: &str, bytes: &[u8], limit: [&str; 2]| {
        let site = Site::new();
        let path = site.file(name, bytes);
        let ran = run_within(KIB, &site, &["-j1", limit[0], limit[1]]);
        assert_eq!(ran.code, Some(3), "{name}: {ran:?}");
        assert!(
            ran.stderr.contains("it decodes to more than --max-ratio or --max-size allows"),
            "{name}: {ran:?}"
        );
        assert!(fs::read(&path).unwrap() == bytes, "{name}");
        assert!(site.leftovers().is_empty());
    };
    std::thread::scope(|scope| {
        for (name, bytes, limit) in &bombs {
            let refused = &refused;
            scope.spawn(move || refused(name, bytes, *limit));
        }
    });
}

#[test]
fn what_was_written_may_shrink_more_than_what_was_read() {
    let site = Site::new();
    let (old, new) = text(3000);
    // Hardly compressed; the new file is, and the lines that are left are all but the same.
    let path = site.file("a.zst", zstd::encode_all(&old[..], 1).unwrap());
    let ran = site.run(&["--level", "19", "--max-size", &old.len().to_string()]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(Form::Zstd.decoded(&fs::read(&path).unwrap()).unwrap() == new);
    // And be longer.
    let rules = "[[rule]]\nfind = [\"email\"]\naction = { redact = { with = \"<an address stood here, and nobody needs it>\" } }\n";
    fs::write(site.beside("rules.toml"), rules).unwrap();
    fs::write(&path, gzip(&old)).unwrap();
    let ran = site.run(&["--max-size", &old.len().to_string()]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(Form::Gzip.decoded(&fs::read(&path).unwrap()).unwrap().len() > old.len());
}
