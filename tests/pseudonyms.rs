//! Pseudonyms: the same on every host, tested against a value with the key alone, and by nobody once it is forgotten.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashMap;
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use hmac::{Hmac, KeyInit, Mac};
use logscrub::action::hash::HashKey;
use logscrub::action::keys::Keys;
use logscrub::action::{Action, Hash, Tools, apply};
use logscrub::kind::{Kind, Kinds};
use sha2::{Digest, Sha256};

const RULES: &str = r#"
[pseudonyms]
keyring = "keyring.toml"
every   = "30d"

[[rule]]
name   = "address"
find   = ["ip"]
retain = [{ until = "400d", action = "hash" }, { action = "redact" }]

[[rule]]
name   = "mail"
find   = ["email"]
action = { hash = { keep = "domain" } }
"#;

/// What one host has: rules and a keyring, in a folder of its own.
fn host(keyring: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rules.toml"), RULES).unwrap();
    let path = folder.path().join("keyring.toml");
    fs::write(&path, keyring).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    folder
}

fn logscrub(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_logscrub")).args(arguments).current_dir(folder).output().unwrap()
}

fn good(folder: &Path, arguments: &[&str]) -> String {
    let output = logscrub(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn keyring() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let new = ["key", "new", "--keyring", "keyring.toml", "--every", "30d"];
    let times = ["--from", "2026-01-01", "--until", "2026-12-01"];
    good(folder.path(), &[&new[..], &times].concat());
    fs::read(folder.path().join("keyring.toml")).unwrap()
}

/// Records of two periods, from one client.
const LOG: &str = "\
2026-01-10T08:00:00Z 203.0.113.9 ana@example.com\n\
  at com.example.Main for 203.0.113.9\n\
2026-02-10T08:00:00Z 203.0.113.9 ana@example.com\n\
2026-02-11T08:00:00Z 203.0.113.10 no mail\n";
const NOW: &str = "2026-03-20T00:00:00Z";

fn scrubbed(folder: &Path, name: &str, log: &str) -> String {
    fs::write(folder.join(name), log).unwrap();
    good(folder, &["-q", "-r", "rules.toml", "--now", NOW, name])
}

/// The pseudonyms in a text.
fn tokens(text: &str) -> Vec<&str> {
    let parts = text.split('[').filter_map(|rest| rest.split_once(']'));
    parts.map(|(token, _)| token).filter(|token| token.contains(":k")).collect()
}

#[test]
fn two_hosts_write_the_same_and_a_period_links_no_other() {
    let keyring = keyring();
    let (one, other) = (host(&keyring), host(&keyring));
    let left = scrubbed(one.path(), "a.log", LOG);
    assert_eq!(scrubbed(other.path(), "b.log", LOG), left);
    let found = tokens(&left);
    assert_eq!(found.len(), 6, "{left}");
    // The client: twice in January, once in February, and another one there.
    assert_eq!(found[0], found[2]);
    assert_ne!(found[0], found[3]);
    assert_ne!(found[3], found[5]);
    let fresh = host(&self::keyring());
    let elsewhere = scrubbed(fresh.path(), "a.log", LOG);
    assert!(tokens(&elsewhere).iter().all(|token| !found.contains(token)));
}

#[test]
fn a_forgotten_period_is_beyond_everybody_and_the_rest_stays() {
    let folder = host(&keyring());
    let at = folder.path();
    let before = scrubbed(at, "a.log", LOG);
    let of_january = tokens(&before)[0].to_owned();
    let of_february = tokens(&before)[3].to_owned();
    fs::write(at.join("clients"), "203.0.113.9\n").unwrap();
    let known = || {
        let input = fs::File::open(at.join("clients")).unwrap();
        let arguments = ["pseudonym", "--as", "ipv4", "--keyring", "keyring.toml"];
        let mut program = Command::new(env!("CARGO_BIN_EXE_logscrub"));
        let output = program.args(arguments).current_dir(at).stdin(input).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(known().contains(&of_january) && known().contains(&of_february));
    let forget = ["key", "forget", "--keyring", "keyring.toml", "--before", "2026-02-01", "--now", NOW];
    good(at, &forget);

    // Nobody makes the old pseudonym any more: not the filter, nor who asks for it.
    assert!(!known().contains(&of_january) && known().contains(&of_february));
    fs::write(at.join("a.log"), LOG).unwrap();
    let output = logscrub(at, &["-r", "rules.toml", "--now", NOW, "--report", "report.json", "a.log"]);
    assert_eq!(output.status.code(), Some(0));
    let raw = String::from_utf8(output.stdout).unwrap();
    let expected = "\
2026-01-10T08:00:00Z [ipv4] [email]\n\
  at com.example.Main for [ipv4]\n";
    let rest: String = before.split_inclusive('\n').skip(2).collect();
    assert_eq!(raw, expected.to_owned() + &rest);
    assert!(String::from_utf8_lossy(&output.stderr).contains("3 values were redacted"));
    let report = fs::read_to_string(at.join("report.json")).unwrap();
    assert!(report.contains("\"without_key\": 3"), "{report}");
    // What was written before stays, until its rule removes it.
    assert_eq!(scrubbed(at, "b.log", &before), before);
    let late = ["-q", "-r", "rules.toml", "--now", "2026-11-25T00:00:00Z", "b.log"];
    assert_eq!(good(at, &late), before);
    let rules = fs::read_to_string(at.join("rules.toml")).unwrap().replace("400d", "60d");
    fs::write(at.join("rules.toml"), rules).unwrap();
    let late = scrubbed(at, "b.log", &before);
    assert_eq!(late.matches("[ipv4]").count(), 2, "{late}");
    // The keyring still notes that there was one.
    assert!(good(at, &["key", "list", "--keyring", "keyring.toml", "--now", NOW]).contains("forgotten"));
}

/// Everything that is known of the key without having it.
const UNKEYED: [&[u8]; 3] = [b"", b"logscrub hash 1", b"k"];

#[test]
fn a_network_is_counted_through_with_the_key_and_not_without() {
    let kinds = Kinds::default();
    let token = |key: &Keys, address: Ipv4Addr| {
        let tools = Tools { kinds: &kinds, keys: Some(key), period: Some(0) };
        let (value, mut out) = (address.to_string(), Vec::new());
        let hash = Action::Hash(Hash::default());
        apply(&hash, Kind::IPV4, value.as_bytes(), value.as_bytes(), tools, &mut out);
        String::from_utf8(out).unwrap()
    };
    let key = Keys::one(HashKey::new(&[7; 32]));
    let id = key.ids().next().unwrap().to_owned();
    let victims: Vec<Ipv4Addr> = (0..64).map(|at| Ipv4Addr::new(10, 1, at * 3, 255 - at * 2)).collect();
    let seen: Vec<String> = victims.iter().map(|victim| token(&key, *victim)).collect();

    let network = || (0..=u16::MAX).map(|host| Ipv4Addr::from_bits(0x0a01_0000 | u32::from(host)));
    let table: HashMap<String, Ipv4Addr> = network().map(|address| (token(&key, address), address)).collect();
    let found: Vec<Ipv4Addr> = seen.iter().map(|token| table[token]).collect();
    assert_eq!(found, victims, "who holds the key finds them all");

    // Keys of their own, and every hash without one: of the text, of its bytes, with the id as a salt or as a key.
    let mut tried = 0;
    let others = [Keys::one(HashKey::new(&[0; 32])), Keys::one(HashKey::new(&[8; 32]))];
    for address in network() {
        let text = address.to_string();
        let guesses = others.iter().map(|other| bits(&token(other, address)));
        let guesses: Vec<u128> = guesses.chain(unkeyed(&id, &text, address)).collect();
        tried += guesses.len();
        assert!(seen.iter().all(|token| !guesses.contains(&bits(token))), "{address}");
    }
    assert_eq!(tried, 65_536 * 10);
}

/// The 96 bits of a token.
fn bits(token: &str) -> u128 {
    let symbols = token.trim_end_matches(']').rsplit(':').next().unwrap();
    let value =
        |symbol: u8| b"0123456789abcdefghjkmnpqrstvwxyz".iter().position(|one| *one == symbol).unwrap();
    symbols.bytes().fold(0, |bits, symbol| bits << 5 | value(symbol) as u128) >> 4
}

fn unkeyed(id: &str, text: &str, address: Ipv4Addr) -> impl Iterator<Item = u128> {
    let first = |digest: &[u8]| digest.iter().take(12).fold(0, |bits, byte| bits << 8 | u128::from(*byte));
    let mut messages: Vec<Vec<u8>> = vec![text.as_bytes().to_vec(), address.octets().to_vec()];
    messages.push([b"ipv4\0", text.as_bytes()].concat());
    messages.push([id.as_bytes(), text.as_bytes()].concat());
    let hashes: Vec<u128> = messages.iter().map(|message| first(&Sha256::digest(message))).collect();
    let keyed = [UNKEYED[0], UNKEYED[1], UNKEYED[2], id.as_bytes()].map(|key| {
        let mac = Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(&messages[2]);
        first(&mac.finalize().into_bytes())
    });
    hashes.into_iter().chain(keyed)
}
