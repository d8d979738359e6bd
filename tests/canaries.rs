//! Canaries: values that must never come out anywhere but where the rules let them. They are planted in logs,
//! names of fields, keyrings and lists; then much is run, well and badly, and everything that it says is read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use logscrub::stream::{
    Input, Interrupts, Output, Place, Scrub, Settings, Target, Watch, drive, tell_place_only,
};
use logscrub::tally::Tally;

/// Made when the test runs, so that this file holds none of them.
struct Canaries {
    email: String,
    ipv4: String,
    ipv6: String,
    card: String,
    user: String,
    staff: String,
    secret: String,
}

impl Canaries {
    fn new() -> Canaries {
        let bird = ["can", "ary"].concat();
        Canaries {
            email: format!("{bird}.bird@{}", "aviary.example.com"),
            ipv4: format!("203.0.113.{}", 77),
            ipv6: format!("2001:db8:{:x}:{:x}::{:x}", 0xca, 0xa7, 0xf),
            card: ["4111", "1111", "1111", "1111"].concat(),
            user: format!("{bird}77user"),
            staff: format!("Tweety {}", bird.to_uppercase()),
            secret: "ca9a57".repeat(11)[..64].to_owned(),
        }
    }

    /// Everything that would tell one of them, in part too.
    fn traces(&self) -> Vec<String> {
        let spaced =
            self.card.as_bytes().chunks(4).map(|four| String::from_utf8_lossy(four)).collect::<Vec<_>>();
        let mut traces: Vec<String> =
            [&self.email, &self.ipv4, &self.ipv6, &self.card, &self.user, &self.staff]
                .iter()
                .map(|canary| (*canary).clone())
                .collect();
        traces.extend([spaced.join(" "), "aviary".to_owned(), "canary.bird".to_owned(), "Tweety".to_owned()]);
        traces.extend([
            self.secret[..12].to_owned(),
            self.email.replace('@', "%40"),
            self.email.replace('@', "\\u0040"),
        ]);
        traces
    }

    fn log(&self) -> Vec<u8> {
        let Canaries { email, ipv4, ipv6, card, user, staff, secret } = self;
        let escaped = email.replace('@', "\\u0040");
        let spaced = card.as_bytes().chunks(4).collect::<Vec<_>>().join(&b' ');
        let mut log = format!(
            "mail {email} from {ipv4} and {ipv6} of {staff} user_id={user} {}\n\
             {{\"user_id\":\"{user}\",\"mail\":\"{escaped}\",\"{email}\":\"{ipv4}\",\"{ipv6}\":{card},\"who\":\"{staff}\"}}\n\
             {{\"user_id\":\"{user}\",\"mail\":\"{email}\",\"broken\n\
             {{\"a\":{{\"{email}\":{{\"{card}\":[\"{ipv6}\",{{\"user_id\":\"{user}\"}}]}}}},\"dup\":1,\"dup\":\"{email}\"}}\n\
             key {secret}\n",
            email.replace('@', "%40"),
        )
        .into_bytes();
        log.extend_from_slice(b"\xff\xfe\0 ");
        log.extend_from_slice(&spaced);
        log.extend_from_slice(b"\xc3\n");
        log.extend(std::iter::repeat_n(b'x', 6000));
        log.extend_from_slice(format!(" {email} {ipv4}\nlast {email}").as_bytes());
        log
    }
}

/// A folder with planted files.
fn planted(folder: &Path, canaries: &Canaries) {
    let write = |name: &str, text: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    };
    let Canaries { staff, secret, .. } = canaries;
    let bytes: Vec<u8> =
        (0..32).map(|at| u8::from_str_radix(&secret[at * 2..at * 2 + 2], 16).unwrap()).collect();
    let id = logscrub::action::hash::key_id(&bytes.try_into().unwrap());
    let ring = format!("version = 1\n[[key]]\nid = \"{id}\"\nsecret = \"{secret}\"\n");
    write("app.log", &canaries.log());
    write("bad\x1b[31m\u{7}.log", &canaries.log());
    write("good.toml", ring.as_bytes());
    write("id.toml", ring.replace(&id, "222222").as_bytes());
    write("short.toml", ring.replace(&secret[60..], "").as_bytes());
    write("torn.toml", ring.replace("secret = \"", "secret = ").as_bytes());
    write("twice.toml", (ring.clone() + &ring["version = 1\n".len()..]).as_bytes());
    write("key.toml", format!("version = 1\n[[key]]\nid = \"{id}\"\n{secret} = 1\n").as_bytes());
    write("open.toml", ring.as_bytes());
    fs::set_permissions(folder.join("open.toml"), Permissions::from_mode(0o644)).unwrap();
    write("staff.txt", format!("{staff}\n").as_bytes());
    write("binary.txt", format!("{staff}\n\0\u{1}\n").as_bytes());
    let rules = |action: &str, list: &str| {
        format!(
            "[lists.staff]\nfile = \"{list}\"\n[[rule]]\nname = \"user\"\nfield = [\"**.user_id\"]\naction = {action}\n\
             [[rule]]\nname = \"all\"\nfind = [\"all\"]\naction = {action}\n"
        )
    };
    for action in ["redact", "hash", "mask", "drop", "drop_record", "keep"] {
        write(&format!("{action}.rules.toml"), rules(&format!("\"{action}\""), "staff.txt").as_bytes());
    }
    write("faulty.rules.toml", rules("\"redcat\"", "staff.txt").as_bytes());
    write("binary.rules.toml", rules("\"redact\"", "binary.txt").as_bytes());
}

/// What one run said on stderr, and on stdout.
fn say(folder: &Path, args: &[&str], stdin: &[u8], stdout: Stdio) -> (String, Vec<u8>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_logscrub"))
        .args(args)
        .env_clear()
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(stdout)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let stdin = stdin.to_vec();
    let feeder = std::thread::spawn(move || drop(pipe.write_all(&stdin)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    (String::from_utf8_lossy(&output.stderr).into_owned(), output.stdout)
}

fn assert_silent(canaries: &Canaries, what: &str, said: &str) {
    for trace in canaries.traces() {
        assert!(!said.contains(&trace), "{what} tells {trace:?}:\n{said}");
    }
    let unescaped =
        said.chars().find(|character| character.is_control() && !matches!(character, '\n' | '\t'));
    assert_eq!(unescaped, None, "{what}:\n{said}");
}

/// Command lines that scrub, with the files planted.
fn filters() -> Vec<Vec<String>> {
    let base: Vec<Vec<&str>> = vec![
        vec![],
        vec!["-r", "access-log"],
        vec!["-r", "redact.rules.toml"],
        vec!["-r", "redact.rules.toml", "--max-record", "4K", "--strict"],
        vec!["-r", "mask.rules.toml"],
        vec!["-r", "drop.rules.toml", "-f", "json"],
        vec!["-r", "drop_record.rules.toml"],
        vec!["-r", "hash.rules.toml", "--keyring", "good.toml"],
        vec!["-f", "text"],
    ];
    base.into_iter().map(|args| args.into_iter().map(str::to_owned).collect()).collect()
}

#[test]
fn no_run_tells_a_canary() {
    let canaries = Canaries::new();
    let folder = tempfile::tempdir().unwrap();
    planted(folder.path(), &canaries);
    let inputs = ["app.log", "bad\x1b[31m\u{7}.log", "no\x1b[31m.log", "-"];
    for filter in filters() {
        for more in [&["--stats"][..], &["--stats", "-j4", "--report", "report.json"], &["-q"]] {
            let args: Vec<&str> =
                filter.iter().map(String::as_str).chain(more.iter().copied()).chain(inputs).collect();
            let (stderr, _) = say(folder.path(), &args, &canaries.log(), Stdio::piped());
            assert!(stderr.contains("no such file"), "{args:?}: {stderr}");
            assert_silent(&canaries, &format!("{args:?}"), &stderr);
            let full = File::options().write(true).open("/dev/full").unwrap();
            assert_silent(
                &canaries,
                "a full disk",
                &say(folder.path(), &args, &canaries.log(), full.into()).0,
            );
        }
        let report = fs::read_to_string(folder.path().join("report.json")).unwrap();
        assert!(report.contains("\"records\""));
        assert_silent(&canaries, "the report", &report);
    }
}

#[test]
fn no_fault_of_rules_or_keys_tells_a_canary() {
    let canaries = Canaries::new();
    let folder = tempfile::tempdir().unwrap();
    planted(folder.path(), &canaries);
    let keyrings =
        ["id.toml", "short.toml", "torn.toml", "twice.toml", "key.toml", "open.toml", "app.log", ".", "no"];
    for keyring in keyrings {
        let (stderr, stdout) = say(
            folder.path(),
            &["-r", "hash.rules.toml", "--keyring", keyring, "app.log"],
            &[],
            Stdio::piped(),
        );
        assert!(stderr.contains("keyring"), "{keyring}: {stderr}");
        assert_eq!(stdout, b"", "{keyring}");
        assert_silent(&canaries, keyring, &stderr);
    }
    for rules in ["faulty.rules.toml", "binary.rules.toml", "hash.rules.toml"] {
        for command in [
            &["-r", rules][..],
            &["rules", "check", rules],
            &["rules", "test", rules],
            &["explain", "-r", rules],
        ] {
            assert_silent(&canaries, rules, &say(folder.path(), command, &canaries.log(), Stdio::piped()).0);
        }
    }
    for keyring in keyrings.into_iter().chain(["good.toml", "staff.txt"]) {
        for command in [
            &["new"][..],
            &["list"],
            &["list", "--fingerprint"],
            &["roll"],
            &["forget", "--before", "2026-01-01"],
        ] {
            let args = [&["key"], command, &["--keyring", keyring]].concat();
            let (stderr, stdout) = say(folder.path(), &args, &[], Stdio::piped());
            assert_silent(&canaries, keyring, &stderr);
            assert_silent(&canaries, keyring, &String::from_utf8_lossy(&stdout));
        }
    }
}

/// What is for people on a terminal shows lines scrubbed, and places only.
#[test]
fn scan_and_explain_show_what_is_left() {
    let canaries = Canaries::new();
    let folder = tempfile::tempdir().unwrap();
    planted(folder.path(), &canaries);
    let without = |text: &[u8]| {
        let text = String::from_utf8_lossy(text).into_owned();
        // What no rule of these covers.
        [&canaries.user, &canaries.staff, &canaries.secret]
            .iter()
            .fold(text, |text, kept| text.replace(*kept, ""))
    };
    for args in [
        &["scan", "app.log", "bad\x1b[31m\u{7}.log"][..],
        &["scan", "--json", "app.log", "bad\x1b[31m\u{7}.log"],
        &["scan", "-r", "default", "--json", "app.log"],
        &["scan", "--max-record", "4K", "app.log"],
    ] {
        let (stderr, stdout) = say(folder.path(), args, &[], Stdio::piped());
        assert_silent(&canaries, &format!("{args:?}"), &stderr);
        assert!(!stdout.is_empty());
        assert_silent(&canaries, &format!("{args:?}"), &without(&stdout));
    }
    let args = ["explain", "-r", "redact.rules.toml"];
    let (stderr, stdout) = say(folder.path(), &args, &canaries.log(), Stdio::piped());
    assert_silent(&canaries, "explain", &stderr);
    assert!(String::from_utf8_lossy(&stdout).contains("[email]"));
    let shown = String::from_utf8_lossy(&stdout).replace(&canaries.secret, "");
    assert_silent(&canaries, "explain", &shown);
}

/// Scrubs by handing on; the word that ends in panic is quoted in its message, as the message of a bug may be.
#[derive(Clone)]
struct Panics(String);

impl Scrub for Panics {
    fn scrub(&mut self, block: &[u8], out: &mut Vec<u8>) {
        let text = String::from_utf8_lossy(block);
        assert!(!text.contains(&self.0), "a bug that tells all of {text:?}");
        out.extend_from_slice(block);
    }

    fn scrub_piece(&mut self, piece: &[u8], _: bool, out: &mut Vec<u8>) {
        self.scrub(piece, out);
    }

    fn take_tally(&mut self) -> Tally {
        Tally::default()
    }
}

/// Not a test of its own: what [`a_panic_tells_its_place_only`] runs as a process, for a panic hook is for all.
#[test]
#[ignore = "run by another test"]
fn panicking_child() {
    if std::env::var_os("CANARIES_CHILD").is_none() {
        return;
    }
    std::panic::set_hook(Box::new(tell_place_only));
    let threads = std::env::var("CANARIES_CHILD").unwrap().parse().unwrap();
    let mut out = Output::open(&Target::Stdout).unwrap();
    let mut watch = Watch::new(Interrupts::install().unwrap(), std::time::Duration::ZERO);
    let settings = Settings { threads, max_record: 4096, ..Settings::default() };
    let email = Canaries::new().email;
    let outcome = drive([Input::open(&Place::Stdin)], Panics(email), &mut out, &mut watch, &settings);
    assert!(outcome.output.is_ok() && outcome.input_faults.is_empty());
    let _ = writeln!(io::stderr(), "withheld {}", outcome.tally.withheld);
}

#[test]
fn a_panic_tells_its_place_only() {
    let canaries = Canaries::new();
    let email = &canaries.email;
    let long = "x".repeat(9000);
    let input =
        format!("fine 1\nmail {email}\nfine 2\n{{\"m\":\"{email}\"}}\n{long}{email}{long}\nfine 3\n{email}");
    for threads in ["1", "2"] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "panicking_child", "--ignored", "--nocapture", "--test-threads=1"])
            .env("CANARIES_CHILD", threads)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{stdout}{stderr}");
        assert!(stderr.contains("internal error at ") && stderr.contains("withheld 4"), "{stderr}");
        assert_silent(&canaries, "stderr", &stderr);
        assert_silent(&canaries, "stdout", &stdout);
        let marker = |bytes: usize| format!("[withheld {bytes} bytes]");
        let json = format!("{{\"logscrub\":\"withheld\",\"bytes\":{}}}", email.len() + 8);
        for part in ["fine 1", "fine 2", "fine 3", &marker(email.len() + 5), &marker(email.len()), &json] {
            assert!(stdout.contains(part), "{part} is missing:\n{stdout}");
        }
    }
}
