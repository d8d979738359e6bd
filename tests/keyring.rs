//! The keyring: who may read it, what is refused, where it comes from, and that a change is all or nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::{self, File, Permissions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use jiff::{SignedDuration, Timestamp};
use logscrub::action::hash::key_id;
use logscrub::time::age::Age;
use logscrub::time::keyring::change::Reach;
use logscrub::time::keyring::{Keyring, Served, TEST_KEY};
use proptest::prelude::*;
use rustix::process::Signal;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_logscrub");
const MONTHS: [&str; 4] = ["2026-01-01", "2026-01-31", "2026-03-02", "2026-04-01"];

fn secret(number: u8) -> [u8; 32] {
    std::array::from_fn(|at| number.wrapping_mul(37).wrapping_add(at as u8 * 5))
}

fn hex(secret: &[u8; 32]) -> String {
    secret.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn entry(secret: &[u8; 32], more: &str) -> String {
    format!("\n[[key]]\nid = \"{}\"\n{more}secret = \"{}\"\n", key_id(secret), hex(secret))
}

fn period(number: u8, from: &str, until: &str) -> String {
    entry(&secret(number), &format!("from = \"{from}T00:00:00Z\"\nuntil = \"{until}T00:00:00Z\"\n"))
}

/// Three periods.
fn ring() -> String {
    let periods: Vec<String> =
        (0..3).map(|at| period(at, MONTHS[usize::from(at)], MONTHS[usize::from(at) + 1])).collect();
    format!("version = 1\nentries = 3\nevery = \"30d\"\n{}", periods.concat())
}

fn at(date: &str) -> Timestamp {
    format!("{date}T00:00:00Z").parse().unwrap()
}

/// A private folder with a private file.
fn folder_with(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyring.toml");
    fs::write(&path, text).unwrap();
    set_mode(&path, 0o600);
    (folder, path)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn opened(text: &str) -> Result<Keyring, String> {
    let (_folder, path) = folder_with(text);
    Keyring::open(&path, key_id).map_err(|fault| fault.to_string())
}

fn refused(path: &Path) -> String {
    Keyring::open(path, key_id).unwrap_err().to_string()
}

fn key(args: &[&str], path: &Path) -> Output {
    let now = ["--now", "2026-03-20T00:00:00Z", "--keyring"];
    Command::new(PROGRAM).arg("key").args(args).args(now).arg(path).env_clear().output().unwrap()
}

/// Through a shell that does something before, or to the descriptors.
fn in_shell(script: &str, path: &Path, envs: &[(&str, &Path)]) -> Output {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(script).arg(PROGRAM).arg(path).env_clear().envs(envs.iter().copied());
    command.output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

// ---- what is served

#[test]
fn each_moment_has_the_key_of_its_period() {
    let gone = "\n[[forgotten]]\nid = \"222222\"\nfrom = 2025-12-02T00:00:00Z\nuntil = \"2026-01-01T01:00:00+01:00\"\n\
                forgotten = \"2026-03-01T00:00:00Z\"\n";
    let text = ring().replace("entries = 3\n", "") + gone + &entry(&secret(9), "scope = \"forever\"\n");
    let ring = opened(&text).unwrap();
    let id = |moment: Timestamp| match ring.at(moment) {
        Served::Key(period) => period.id.clone(),
        Served::Forgotten(gone) => format!("forgotten {}", gone.id),
        Served::None => "none".to_owned(),
    };
    let instant = SignedDuration::from_nanos(1);
    for number in 0..3 {
        let (from, until) = (at(MONTHS[usize::from(number)]), at(MONTHS[usize::from(number) + 1]));
        assert_eq!(id(from), key_id(&secret(number)));
        assert_eq!(id(until - instant), key_id(&secret(number)));
    }
    assert_eq!(id(at("2026-01-01") - instant), "forgotten 222222");
    assert_eq!(id(at("2025-12-02")), "forgotten 222222");
    assert_eq!(id(at("2025-12-02") - instant), "none");
    assert_eq!(id(at("2026-04-01")), "none");
    assert_eq!(ring.last_end(), Some(at("2026-04-01")));
    assert_eq!(ring.first_moment(), Some(at("2025-12-02")));
    assert_eq!(ring.forever().unwrap().id, key_id(&secret(9)));
    assert_eq!(**ring.forever().unwrap().secret, secret(9));
    assert_eq!(ring.ids().count(), 5);
    assert_eq!(ring.every(), Age::parse("30d").ok());
}

#[test]
fn one_key_without_bounds_serves_for_both() {
    let ring = opened(&format!("version = 1\n{}", entry(&secret(1), ""))).unwrap();
    for moment in [Timestamp::MIN, at("2026-01-01"), Timestamp::MAX] {
        assert!(matches!(ring.at(moment), Served::Key(period) if **period.secret == secret(1)));
    }
    assert_eq!(ring.forever().unwrap().id, key_id(&secret(1)));
    assert_eq!(ring.last_end(), None);
}

#[test]
fn debug_shows_ids_alone() {
    let text = ring() + &entry(&secret(9), "scope = \"forever\"\n");
    let shown = format!("{:?}", opened(&text.replace("entries = 3\n", "")).unwrap());
    assert!(shown.contains(&key_id(&secret(0))) && shown.contains(&key_id(&secret(9))));
    for number in [0, 1, 2, 9] {
        let bytes = format!("{:?}", secret(number));
        assert!(!shown.contains(&bytes[1..20]) && !shown.contains(&hex(&secret(number))[..8]), "{shown}");
    }
}

// ---- what is refused

#[test]
fn faults_are_told_without_a_digit_of_a_key() {
    let ring = ring();
    let one = |secret: &[u8; 32]| format!("version = 1\n{}", entry(secret, ""));
    let id = key_id(&secret(0));
    let gone = |id: &str, more: &str| {
        format!("{ring}\n[[forgotten]]\nid = \"{id}\"\n{more}").replace("entries = 3\n", "")
    };
    let many = format!("version = 1\n{}", "[[forgotten]]\n".repeat(10_001));
    let table: &[(String, &str)] = &[
        (
            ring.replace(&period(1, MONTHS[1], MONTHS[2]), "").replace("= 3", "= 2"),
            "no key serves from 2026-01-31",
        ),
        (ring.replace("until = \"2026-01-31", "until = \"2026-02-01"), "serve at the same time"),
        (ring.replace("until = \"2026-01-31T00:00:00Z\"\n", ""), "serve at the same time"),
        (ring.replace("from = \"2026-01-31T00:00:00Z\"\n", ""), "serve at the same time"),
        (ring.replace(&hex(&secret(0))[32..], ""), "key 1: secret is not 64 hexadecimal digits"),
        (ring.replace(&hex(&secret(0))[62..], "zz"), "key 1: secret is not 64 hexadecimal digits"),
        (ring.replace(&hex(&secret(0)), &hex(&secret(1))), "key 1: id is not the fingerprint of its secret"),
        (ring.replace(&id, "222222"), "key 1: id is not the fingerprint"),
        (one(&[7; 32]), "key 1: secret is no random key"),
        (one(&[0; 32]), "key 1: secret is no random key"),
        (one(&TEST_KEY), "key 1: secret is the public key of tests"),
        (ring.replace("until = \"2026-01-31T", "until = \"2026-01-01T"), "key 1: from is not before until"),
        (
            ring.replace("from = \"2026-01-01T00:00:00Z\"", "from = \"yesterday\""),
            "key 1: from is not a time",
        ),
        (ring.replace("from = \"2026-01-01T00:00:00Z\"", "from = 2026-01-01"), "key 1: from is not a time"),
        (ring.replace("version = 1", "version = 2"), "version = 1"),
        (ring.replace("version = 1", ""), "version = 1"),
        (ring.replace("version = 1", "version = \"1\""), "version = 1"),
        (ring.replace("version = 1", "version = 1\nname = \"x\""), "unknown key of 4 bytes"),
        (ring.replace("secret =", "Secret ="), "key 1: unknown key of 6 bytes"),
        (ring.replace("30d", "30m"), "every is not a span of time"),
        (ring.replace("\"30d\"", "30"), "every is not a span of time"),
        (ring.replace("entries = 3", "entries = 4"), "half written"),
        (ring.clone() + &entry(&secret(0), "scope = \"forever\"\n"), "half written"),
        (
            ring.replace("entries = 3\n", "") + &entry(&secret(0), "scope = \"forever\"\n"),
            "stands in it twice",
        ),
        (
            gone(
                &id,
                "from = \"2025-12-01T00:00:00Z\"\nuntil = \"2026-01-01T00:00:00Z\"\nforgotten = \"2026-05-01T00:00:00Z\"\n",
            ),
            "stands in it twice",
        ),
        (
            gone("222222", "from = \"2025-12-01T00:00:00Z\"\nuntil = \"2026-01-01T00:00:00Z\"\n"),
            "forgotten 1: it does not say when",
        ),
        (gone("222222", "secret = \"\"\n"), "forgotten 1: unknown key"),
        (gone("2]2222", ""), "forgotten 1: id is none"),
        (one(&secret(0)).replace("secret =", "scope = \"ever\"\nsecret ="), "scope can only be \"forever\""),
        (
            one(&secret(0))
                .replace("secret =", "scope = \"forever\"\nfrom = \"2026-01-01T00:00:00Z\"\nsecret ="),
            "goes without",
        ),
        (one(&secret(0)).replace("[[key]]", "[key]"), "not written [[key]]"),
        ("version = 1\n".to_owned(), "it holds no key"),
        (String::new(), "version = 1"),
        (many, "more than 10000 keys"),
        ("\u{0}".to_owned(), "line 1 is not TOML"),
    ];
    for (text, words) in table {
        let fault = opened(text).err().unwrap_or_else(|| panic!("{words}: was taken"));
        assert!(fault.contains(words), "{words}: {fault}");
        let digits = (0..3).map(|number| hex(&secret(number)));
        assert!(digits.into_iter().all(|digits| !fault.contains(&digits[..6])), "{fault}");
    }
}

#[test]
fn a_file_that_was_cut_anywhere_is_refused() {
    let (_folder, path) = folder_with("");
    fs::remove_file(&path).unwrap();
    assert!(key(&["new", "--every", "1mo", "--from", "2026-01-01", "--forever"], &path).status.success());
    assert!(key(&["forget", "--before", "2027-01-01"], &path).status.success());
    let whole = fs::read_to_string(&path).unwrap();
    assert_eq!(opened(&whole).unwrap().forgotten().count(), 2);
    for end in 0..whole.len() - 1 {
        assert!(opened(&whole[..end]).is_err(), "{end} of {} bytes were taken", whole.len());
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), place in any::<prop::sample::Index>(), more in "[\\PC\\n]{0,6}") {
        let (_folder, path) = folder_with("");
        fs::write(&path, &bytes).unwrap();
        prop_assert!(Keyring::open(&path, key_id).is_err());
        let mut text = ring();
        text.insert_str(place.index(text.len()), &more);
        fs::write(&path, &text).unwrap();
        if let Err(fault) = Keyring::open(&path, key_id) {
            prop_assert!(!fault.to_string().contains(&hex(&secret(0))[..6]));
        }
    }

    #[test]
    fn periods_follow_one_another_without_a_gap(
        number in 1_u32..40, unit in 0_usize..4, seconds in 0_i64..4_000_000_000, count in 1_usize..20, ahead in 0_i64..100_000_000
    ) {
        let units = ["d", "w", "mo", "y"];
        let every = Age::parse(&format!("{number}{}", units[unit])).unwrap();
        let from = Timestamp::from_second(seconds).unwrap();
        let mut ring = Keyring::of_periods(every, from, Reach::Count(count), key_id).unwrap();
        let until = ring.last_end().unwrap() + SignedDuration::from_secs(ahead / i64::from(40 - 10 * unit as i32));
        let added = ring.roll(until, key_id);
        prop_assume!(added.is_ok()); // or there would be too many
        prop_assert_eq!(ring.roll(until, key_id).unwrap(), 0);
        prop_assert!(ring.last_end().unwrap() >= until);
        prop_assert_eq!(ring.first_moment(), Some(from));
        let periods: Vec<_> = ring.periods().collect();
        prop_assert_eq!(periods.len(), count + added.unwrap());
        for pair in periods.windows(2) {
            prop_assert_eq!(pair[0].until, pair[1].from);
            prop_assert_eq!(every.after(pair[0].from.unwrap()), pair[0].until);
        }
    }
}

// ---- who else could read or exchange it

#[test]
fn only_these_modes_are_private() {
    let (_folder, path) = folder_with(&ring());
    for mode in 0..0o1000 {
        set_mode(&path, mode);
        let is_private = mode & 0o027 == 0;
        let may_read = rustix::process::geteuid().is_root() || mode & 0o400 != 0;
        let output = Keyring::open(&path, key_id);
        assert_eq!(output.is_ok(), is_private && may_read, "{mode:04o}");
        if !is_private && may_read {
            assert!(output.unwrap_err().to_string().contains(&format!("(mode {mode:04o}): chmod 0600")));
        }
    }
}

#[test]
fn no_folder_on_the_way_may_be_open_to_others() {
    let (folder, _) = folder_with("");
    let inner = folder.path().join("a/b");
    fs::create_dir_all(&inner).unwrap();
    let path = inner.join("keyring.toml");
    fs::write(&path, ring()).unwrap();
    set_mode(&path, 0o600);
    for open in [folder.path().join("a"), inner.clone()] {
        for (mode, is_taken) in [(0o777, false), (0o775, false), (0o1777, true), (0o755, true), (0o700, true)]
        {
            set_mode(&open, mode);
            assert_eq!(Keyring::open(&path, key_id).is_ok(), is_taken, "{mode:o} {}", open.display());
            if !is_taken {
                assert!(refused(&path).contains(&format!("can write to {}", open.display())));
            }
        }
    }
    set_mode(&inner, 0o777);
    let new = inner.join("new.toml");
    assert!(told(&key(&["new"], &new)).contains("others can exchange it"), "and none is made there");
    assert!(!new.exists());
}

#[test]
fn what_belongs_to_others_is_refused() {
    if !rustix::process::geteuid().is_root() {
        return; // nobody else can give files away
    }
    let (folder, path) = folder_with(&ring());
    chown(&path, Some(65_534), None).unwrap();
    assert!(refused(&path).contains("it belongs to user 65534, neither to root nor to you"));
    chown(&path, Some(0), None).unwrap();
    chown(folder.path(), Some(65_534), None).unwrap();
    assert!(refused(&path).contains("others can exchange it"));
    chown(folder.path(), Some(0), None).unwrap();
    let link = folder.path().join("link");
    symlink("keyring.toml", &link).unwrap();
    assert!(Keyring::open(&link, key_id).is_ok());
    std::os::unix::fs::lchown(&link, Some(65_534), None).unwrap();
    assert!(refused(&link).contains("link") && refused(&link).contains("not yours"));
}

#[test]
fn what_is_no_file_is_refused() {
    let (folder, path) = folder_with(&ring());
    assert!(refused(folder.path()).contains("not a regular file"));
    let fifo = folder.path().join("fifo");
    assert!(Command::new("mkfifo").arg("-m600").arg(&fifo).status().unwrap().success());
    assert!(refused(&fifo).contains("not a regular file"));
    assert!(refused(Path::new("/dev/null")).contains("not a regular file"));
    assert!(refused(&path.join("x")).contains("not a directory"));
    fs::write(&path, vec![b'#'; 3 << 20]).unwrap();
    assert!(refused(&path).contains("longer than"));
}

/// As Kubernetes mounts a Secret: the file is a link through a link to a folder that is exchanged as a whole.
#[test]
fn links_are_followed_under_the_same_test() {
    let (folder, path) = folder_with(&ring());
    let mount = folder.path().join("mount");
    let version = mount.join("..2026_01_01");
    fs::create_dir_all(&version).unwrap();
    fs::rename(&path, version.join("keyring.toml")).unwrap();
    symlink("..2026_01_01", mount.join("..data")).unwrap();
    symlink("..data/keyring.toml", mount.join("keyring.toml")).unwrap();
    set_mode(&mount, 0o1777);
    let link = mount.join("keyring.toml");
    assert!(Keyring::open(&link, key_id).is_ok());
    // From elsewhere as well, absolute.
    let far = folder.path().join("far");
    fs::create_dir(&far).unwrap();
    symlink(&link, far.join("k")).unwrap();
    assert!(Keyring::open(&far.join("../far/k"), key_id).is_ok());
    set_mode(&far, 0o777);
    assert!(refused(&far.join("k")).contains("can write to"), "the folder of a link counts");
    set_mode(&mount, 0o777);
    assert!(refused(&link).contains("can write to"), "so does one in the middle");
    set_mode(&mount, 0o755);
    set_mode(&version.join("keyring.toml"), 0o644);
    assert!(refused(&link).contains("mode 0644"));
    set_mode(&version.join("keyring.toml"), 0o600);
    for command in [&["roll"][..], &["forget", "--before", "2026-02-10"]] {
        let output = key(command, &link);
        assert_eq!(output.status.code(), Some(2));
        assert!(told(&output).contains("it is a symbolic link: name the file itself (..data/keyring.toml)"));
    }
    assert_eq!(key(&["new"], &link).status.code(), Some(2));
    symlink("nowhere", mount.join("dangling")).unwrap();
    assert!(told(&key(&["new"], &mount.join("dangling"))).contains("file exists"));
    symlink("loop", mount.join("loop")).unwrap();
    Keyring::open(&mount.join("loop"), key_id).unwrap_err();
    assert_eq!(fs::read_to_string(version.join("keyring.toml")).unwrap(), ring());
}

// ---- where it comes from

#[test]
fn a_descriptor_serves_as_a_file_does() {
    let (folder, path) = folder_with(&ring());
    let list = "\"$0\" key list --fingerprint --keyring";
    let expected = in_shell(&format!("{list} \"$1\""), &path, &[]).stdout;
    assert_eq!(expected.len(), 65);
    for script in [format!("{list} fd:3 3<\"$1\""), format!("cat \"$1\" | {list} fd:7 7<&0")] {
        let output = in_shell(&script, &path, &[]);
        assert_eq!(output.stdout, expected, "{script}: {}", told(&output));
    }
    set_mode(&path, 0o644);
    let open = in_shell(&format!("{list} fd:3 3<\"$1\""), &path, &[]);
    assert!(told(&open).contains("keyring fd:3: others have rights to it (mode 0644)"));
    // Nobody can open a file that has lost its name, whatever its mode says.
    let nameless = in_shell(&format!("exec 3<\"$1\"; rm \"$1\"; {list} fd:3"), &path, &[]);
    assert_eq!(nameless.stdout, expected, "{}", told(&nameless));
    for (script, words) in [
        ("fd:3", "the program was started without this descriptor"),
        ("fd:1", "a descriptor is a number from 3"),
        ("fd:three", "a descriptor is a number from 3"),
        ("fd:-1", "a descriptor is a number from 3"),
        ("fd:3 3</dev/null", "not a regular file"),
        ("fd:3 3</", "not a regular file"),
    ] {
        let output = in_shell(&format!("{list} {script}"), folder.path(), &[]);
        assert_eq!(output.status.code(), Some(2), "{script}");
        assert!(told(&output).contains(words), "{script}: {}", told(&output));
    }
}

#[test]
fn a_descriptor_serves_all_sources_and_is_read_once() {
    let (folder, path) = folder_with(&format!("version = 1\n{}", entry(&secret(1), "")));
    let hash = "[[rule]]\nfind = [\"email\"]\naction = \"hash\"\n";
    fs::write(folder.path().join("other.toml"), hash).unwrap();
    let rules = format!(
        "[pseudonyms]\nkeyring = \"fd:3\"\n{hash}[[source]]\npath = \"**/a.log\"\nrules = \"other.toml\"\n"
    );
    fs::write(folder.path().join("r.toml"), rules).unwrap();
    let input = "ana@example.com\n";
    fs::write(folder.path().join("a.log"), input).unwrap();
    fs::write(folder.path().join("b.log"), input).unwrap();
    let script = "cd \"${1%/*}\"; cat keyring.toml | \"$0\" -r r.toml --keyring fd:3 a.log b.log 3<&0";
    let output = in_shell(script, &path, &[("PATH", Path::new("/bin:/usr/bin"))]);
    let lines: Vec<&str> = std::str::from_utf8(&output.stdout).unwrap().lines().collect();
    assert_eq!(lines.len(), 2, "{}", told(&output));
    assert_eq!(lines[0], lines[1]);
    assert!(lines[0].contains(&format!("[email:k{}:", key_id(&secret(1)))));
}

#[test]
fn a_credential_of_systemd_is_a_file_in_its_folder() {
    let (folder, path) = folder_with(&ring());
    let run = |name: &str, envs: &[(&str, &Path)]| {
        in_shell(&format!("\"$0\" key list --fingerprint --keyring credential:{name}"), &path, envs)
    };
    let here = [("CREDENTIALS_DIRECTORY", folder.path())];
    assert_eq!(run("keyring.toml", &here).stdout.len(), 65);
    assert!(told(&run("keyring.toml", &[])).contains("the unit needs LoadCredential=keyring.toml:FILE"));
    for name in ["../keyring.toml", "/etc/passwd", "''", "."] {
        assert!(told(&run(name, &here)).contains("a credential is a name without a folder"), "{name}");
    }
    assert!(told(&run("other", &here)).contains("no such file"));
    set_mode(&path, 0o444);
    assert!(told(&run("keyring.toml", &here)).contains("others have rights to it"));
}

#[test]
fn only_files_are_changed() {
    for name in ["fd:3", "credential:keyring"] {
        for command in [&["new"][..], &["roll"], &["forget", "--forever"]] {
            let output = key(command, Path::new(name));
            assert_eq!(output.status.code(), Some(2));
            assert!(told(&output).contains("only a file can be changed"), "{}", told(&output));
        }
    }
}

// ---- changes

#[test]
fn a_key_for_ever_is_added_where_none_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyring.toml");
    assert!(key(&["new", "--every", "30d"], &path).status.success());
    let mut ids = Vec::new();
    for _ in 0..2 {
        let added = key(&["roll", "--forever"], &path);
        assert!(told(&added).contains("added the key"), "{}", told(&added));
        let before = fs::read(&path).unwrap();
        assert!(told(&key(&["roll", "--forever"], &path)).contains("nothing is due"));
        assert_eq!(fs::read(&path).unwrap(), before);
        ids.push(Keyring::open(&path, key_id).unwrap().forever().unwrap().id.clone());
        assert!(key(&["forget", "--forever"], &path).status.success());
    }
    assert_ne!(ids[0], ids[1]);
    let ring = Keyring::open(&path, key_id).unwrap();
    assert_eq!(ring.forgotten().filter(|gone| gone.was_forever).count(), 2);
    assert!(ring.serving_forever(&path).unwrap_err().contains("key roll --forever"));
}

#[test]
fn keys_are_made_ahead_and_rolled() {
    let (folder, path) = folder_with("");
    fs::remove_file(&path).unwrap();
    let made = key(&["new", "--every", "30d"], &path);
    assert!(
        made.status.success() && told(&made).contains("with 13 keys from 2026-03-20T00:00:00Z"),
        "{}",
        told(&made)
    );
    let before = fs::read_to_string(&path).unwrap();
    let ring = Keyring::open(&path, key_id).unwrap();
    assert_eq!(ring.last_end(), Some(at("2027-04-14")));
    assert_eq!(key(&["roll"], &path).status.code(), Some(0));
    assert_eq!(fs::read_to_string(&path).unwrap(), before, "nothing is due");
    let rolled = key(&["roll", "--ahead", "2y"], &path);
    assert!(told(&rolled).contains("added 12 keys"), "{}", told(&rolled));
    let after = fs::read_to_string(&path).unwrap();
    assert!(after.replace("entries = 25", "entries = 13").starts_with(&before), "old keys stay as they are");
    assert_eq!(key(&["list", "--fingerprint"], &path).stdout.len(), 65);
    assert_eq!(names(folder.path()), ["keyring.toml"]);
    for (args, keys, end) in [
        (&["--every", "1mo", "--from", "2026-01-31", "--count", "2"][..], 2, "2026-03-28"),
        (&["--every", "1y", "--from", "2024-02-29", "--until", "2026-03-01"], 3, "2027-02-28"),
        (&["--every", "1w", "--until", "2026-04-03"], 2, "2026-04-03"),
    ] {
        fs::remove_file(&path).unwrap();
        let made = key(&[&["new"], args].concat(), &path);
        assert!(made.status.success(), "{}", told(&made));
        let ring = Keyring::open(&path, key_id).unwrap();
        assert_eq!((ring.periods().count(), ring.last_end()), (keys, Some(at(end))), "{args:?}");
    }
}

#[test]
fn a_gap_that_no_host_has_a_key_for_is_filled() {
    let text =
        ring().replace(&period(1, MONTHS[1], MONTHS[2]), "").replace("= 3", "= 2").replace("30d", "20d");
    let (_folder, path) = folder_with(&text);
    assert_eq!(key(&["forget", "--before", "2026-02-10"], &path).status.code(), Some(2));
    let rolled = key(&["roll", "--ahead", "1d"], &path);
    assert!(told(&rolled).contains("added 2 keys"), "{}", told(&rolled));
    let ring = Keyring::open(&path, key_id).unwrap();
    let ends: Vec<_> = ring.periods().map(|period| period.until.unwrap()).collect();
    assert_eq!(ends, ["2026-01-31", "2026-02-20", "2026-03-02", "2026-04-01"].map(at));
}

#[test]
fn what_is_forgotten_is_overwritten_and_gone() {
    let (folder, path) = folder_with(&ring());
    set_mode(&path, 0o640);
    let mut old = File::open(&path).unwrap();
    let output = key(&["forget", "--before", "2026-03-02"], &path);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains(&hex(&secret(0))) && !text.contains(&hex(&secret(1))));
    assert!(text.contains(&hex(&secret(2))));
    assert!(text.contains(&key_id(&secret(0))) && text.contains(&key_id(&secret(1))), "ids stay");
    assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o640);
    let mut bytes = Vec::new();
    old.seek(SeekFrom::Start(0)).unwrap();
    old.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, vec![0; ring().len()], "the old blocks");
    let again = key(&["forget", "--before", "2026-03-02"], &path);
    assert_eq!((again.status.code(), again.stdout.len()), (Some(0), 0));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    assert_eq!(names(folder.path()), ["keyring.toml"]);
    let ring = Keyring::open(&path, key_id).unwrap();
    assert!(matches!(ring.at(at("2026-01-02")), Served::Forgotten(gone) if gone.id == key_id(&secret(0))));
    assert!(matches!(ring.at(at("2026-03-20")), Served::Key(_)));
}

#[test]
fn the_owner_stays() {
    if !rustix::process::geteuid().is_root() {
        return; // nobody else can give files away
    }
    let (_folder, path) = folder_with(&ring());
    chown(&path, None, Some(65_534)).unwrap();
    set_mode(&path, 0o440);
    assert!(key(&["roll"], &path).status.success());
    let about = path.metadata().unwrap();
    assert_eq!((about.uid(), about.gid(), about.mode() & 0o7777), (0, 65_534, 0o440));
}

/// The write of the new file is ended by a bound on the size of files: by its signal, and by its error.
#[test]
fn a_run_that_is_killed_leaves_the_old_file_whole() {
    let (folder, path) = folder_with(&ring());
    let forget = "\"$0\" key forget --before 2026-03-02 --now 2026-03-20T00:00:00Z --keyring \"$1\"";
    let killed = in_shell(&format!("ulimit -c 0; ulimit -f 0; exec {forget}"), &path, &[]);
    assert_eq!(killed.status.signal(), Some(Signal::XFSZ.as_raw()), "{}", told(&killed));
    assert_eq!(fs::read_to_string(&path).unwrap(), ring());
    assert_eq!(names(folder.path()), [".keyring.toml.new", "keyring.toml"]);
    assert_eq!(folder.path().join(".keyring.toml.new").metadata().unwrap().mode() & 0o7777, 0o600);
    let failed = in_shell(&format!("trap '' XFSZ; ulimit -f 0; exec {forget}"), &path, &[]);
    assert_eq!(failed.status.code(), Some(2));
    assert!(told(&failed).contains("file too large"), "{}", told(&failed));
    assert_eq!(fs::read_to_string(&path).unwrap(), ring());
    assert_eq!(names(folder.path()), ["keyring.toml"], "what was left is gone");
    // What a killed run left holds keys: the next overwrites it too.
    let left = folder.path().join(".keyring.toml.new");
    fs::write(&left, ring()).unwrap();
    let mut old = File::open(&left).unwrap();
    assert!(key(&["forget", "--before", "2026-03-02"], &path).status.success());
    let mut bytes = Vec::new();
    old.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, vec![0; ring().len()]);
    assert_eq!(names(folder.path()), ["keyring.toml"]);
}

#[test]
fn two_runs_are_kept_apart() {
    let (_folder, path) = folder_with(&ring());
    let lock = File::open(&path).unwrap();
    lock.lock().unwrap();
    let output = key(&["roll"], &path);
    assert_eq!(output.status.code(), Some(2));
    assert!(told(&output).contains("another `logscrub key` is at work on it"));
    assert_eq!(fs::read_to_string(&path).unwrap(), ring());
    drop(lock);
    assert!(key(&["roll"], &path).status.success());
}

#[test]
fn a_second_name_would_keep_the_keys() {
    let (folder, path) = folder_with(&ring());
    fs::hard_link(&path, folder.path().join("copy")).unwrap();
    assert!(told(&key(&["forget", "--before", "2026-03-02"], &path)).contains("a hard link"));
    assert_eq!(fs::read_to_string(&path).unwrap(), ring());
    assert!(Keyring::open(&path, key_id).is_ok(), "reading it is no matter");
}

#[test]
fn hosts_are_compared_by_fingerprints() {
    let fingerprint = |text: &str| opened(text).unwrap().fingerprint();
    let whole = fingerprint(&ring());
    assert_eq!(fingerprint(&(ring() + "# a comment\n")), whole);
    for other in [
        ring().replace("30d", "31d"),
        ring().replace("until = \"2026-04-01", "until = \"2026-04-02"),
        ring().replace(&hex(&secret(0)), &hex(&secret(5))).replace(&key_id(&secret(0)), &key_id(&secret(5))),
        ring().replace("entries = 3\n", "") + &entry(&secret(5), "scope = \"forever\"\n"),
    ] {
        assert_ne!(fingerprint(&other), whole);
    }
    let (_folder, path) = folder_with(&ring());
    key(&["forget", "--before", "2026-02-10"], &path);
    assert_ne!(
        Keyring::open(&path, key_id).unwrap().fingerprint(),
        whole,
        "a host that has not forgotten is seen"
    );
}

/// A key on the command line is neither taken nor repeated.
#[test]
fn no_key_is_taken_from_the_command_line() {
    let digits = hex(&secret(1));
    let mut child = Command::new(PROGRAM)
        .args(["--key", &digits])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdin.take().unwrap().write_all(b"x\n"));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(!told(&output).contains(&digits[..8]), "{}", told(&output));
}
