//! The command line: one file a behaviour in `tests/cmd`, each run in a folder and an environment of its own.
//!
//! ```toml
//! args = ["-o", "out.log"]          # of the program
//! stdin = "text"                    # or stdin_hex; nothing if absent
//! env = { NO_COLOR = "1" }          # all of the environment
//! files = { "a.log" = "text" }      # made before; or files_hex
//! modes = { "keyring.toml" = "600" }
//! files_after = { "out.log" = "…" } # exactly; every other file must be as before, and no more may be there
//! modes_after = { "out.log" = "644" }
//! stdout_has = ["words"]            # instead of all of a long text that others write
//! ```
//!
//! Below the line that says so stand `stdout` (or `stdout_hex`), `stderr` and `code`. `UPDATE=1 cargo test --test cmd`
//! writes them anew: read what it wrote.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use toml::{Table, Value};

/// What is below is written by `UPDATE=1`.
const EXPECTED: &str = "# What comes of it.\n";

const KEYS: [&str; 14] = [
    "args",
    "stdin",
    "stdin_hex",
    "env",
    "files",
    "files_hex",
    "modes",
    "files_after",
    "modes_after",
    "stdout_has",
    "stdout",
    "stdout_hex",
    "stderr",
    "code",
];

#[test]
fn every_behaviour() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() > 50);
    let wrong: Vec<String> = cases.iter().filter_map(|case| run(case).err()).collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_policy_as_it_resolves_is_a_rules_file_of_the_same_meaning() {
    let show = |rules: &str, more: &[&str]| {
        let args = ["rules", "show", rules];
        let output = Command::new(env!("CARGO_BIN_EXE_logscrub")).args(args).args(more).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let own = "[[rule]]\nname = \"code\"\nfield = [\"cvv\"]\nbinding = true\naction = \"drop\"\n";
    fs::write(folder.path().join("house.toml"), own).unwrap();
    let more = "extends = [\"house.toml\", \"access-log\"]\n[[rule]]\nfield = [\"cvv\"]\nwhen = { \"a b\" = \"x*\" }\ninstead_of = [\"house/code\"]\naction = \"mask\"\n[fields]\nallow = [\"ts\"]\n";
    let path = folder.path().join("more.toml");
    fs::write(&path, more).unwrap();
    for rules in ["default", "access-log", path.to_str().unwrap()] {
        let flat = folder.path().join("flat.toml");
        fs::write(&flat, show(rules, &["--toml"])).unwrap();
        let sha = |rules: &str| {
            show(rules, &[]).lines().find(|line| line.starts_with("sha256")).unwrap().to_owned()
        };
        assert_eq!(sha(rules), sha(flat.to_str().unwrap()), "{rules}");
    }
}

fn run(path: &Path) -> Result<(), String> {
    let text = fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_string_lossy();
    let case: Table = text.parse().unwrap_or_else(|fault| panic!("{name}: {fault}"));
    case.keys().for_each(|key| assert!(KEYS.contains(&key.as_str()), "{name}: unknown key {key}"));
    let folder = tempfile::tempdir().unwrap();
    let mut files = made(&case, folder.path());
    let output = execute(&case, folder.path());
    files.extend(
        map(&case, "files_after").map(|(name, text)| (name.clone(), string(text).as_bytes().to_vec())),
    );
    let mut wrong = differing_files(&files, folder.path());
    for (file, mode) in map(&case, "modes_after") {
        let got =
            fs::metadata(folder.path().join(file)).map_or(0, |about| about.permissions().mode() & 0o7777);
        if got != octal(mode) {
            wrong.push(format!("{file} has mode {got:o}"));
        }
    }
    let has_all = case.get("stdout_has").map(|words| {
        let got = String::from_utf8_lossy(&output.stdout);
        words.as_array().unwrap().iter().all(|words| got.contains(string(words)))
    });
    if has_all == Some(false) {
        wrong.push("stdout lacks what it should have".to_owned());
    }
    let got = expectation(&output, has_all.is_some());
    let (head, expected) = text.split_once(EXPECTED).unwrap_or((&text, ""));
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, format!("{head}{EXPECTED}{got}")).unwrap();
    } else if expected != got {
        wrong.push(format!("expected:\n{expected}got:\n{got}"));
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("--- {name}: {}", wrong.join("\n"))) }
}

/// Makes the files of the case; what they hold.
fn made(case: &Table, folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let texts = map(case, "files").map(|(name, text)| (name.clone(), string(text).as_bytes().to_vec()));
    let hex = map(case, "files_hex").map(|(name, hex)| (name.clone(), from_hex(string(hex))));
    let files: BTreeMap<String, Vec<u8>> = texts.chain(hex).collect();
    for (name, content) in &files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    }
    for (name, mode) in map(case, "modes") {
        fs::set_permissions(folder.join(name), Permissions::from_mode(octal(mode))).unwrap();
    }
    files
}

fn execute(case: &Table, folder: &Path) -> Output {
    let stdin = match (case.get("stdin"), case.get("stdin_hex")) {
        (Some(text), _) => string(text).as_bytes().to_vec(),
        (None, hex) => hex.map(|hex| from_hex(string(hex))).unwrap_or_default(),
    };
    let mut child = Command::new(env!("CARGO_BIN_EXE_logscrub"))
        .args(case["args"].as_array().unwrap().iter().map(string))
        .env_clear()
        .envs(map(case, "env").map(|(name, value)| (name, string(value))))
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    // Whoever ends early reads no more: that is no fault of the case.
    let feeder = std::thread::spawn(move || drop(pipe.write_all(&stdin)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    output
}

/// Files that are not as they should be, or should not be there.
fn differing_files(files: &BTreeMap<String, Vec<u8>>, folder: &Path) -> Vec<String> {
    let found = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file());
    let name = |path: &Path| path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
    let found: BTreeMap<String, Vec<u8>> =
        found.map(|entry| (name(entry.path()), fs::read(entry.path()).unwrap())).collect();
    let extra = found.keys().filter(|name| !files.contains_key(*name)).map(|name| format!("{name} is left"));
    let differs =
        files.iter().filter(|(name, content)| found.get(*name) != Some(content)).map(|(name, _)| {
            let got = found.get(name).map(|content| String::from_utf8_lossy(content).into_owned());
            format!("{name} holds {got:?}")
        });
    extra.chain(differs).collect()
}

/// What came out, as TOML.
fn expectation(output: &Output, without_stdout: bool) -> String {
    let stdout = match std::str::from_utf8(&output.stdout) {
        _ if without_stdout => String::new(),
        Ok(text) => format!("stdout = {}\n", quoted(text)),
        Err(_) => format!("stdout_hex = \"{}\"\n", hex(&output.stdout)),
    };
    let stderr = quoted(&String::from_utf8_lossy(&output.stderr));
    format!(
        "{stdout}stderr = {stderr}\ncode = {}\n",
        output.status.code().map_or("\"signal\"".to_owned(), |code| code.to_string())
    )
}

fn quoted(text: &str) -> String {
    let plain = |character: char| character == '\n' || !character.is_control();
    if text.is_empty() {
        "\"\"".to_owned()
    } else if text.chars().all(plain) && !text.contains("'''") && !text.ends_with('\'') {
        format!("'''\n{text}'''")
    } else {
        let escaped: String = text
            .chars()
            .map(|character| match character {
                '\n' => "\n".to_owned(),
                '\\' | '"' => format!("\\{character}"),
                _ if character.is_control() => format!("\\u{:04x}", character as u32),
                _ => character.to_string(),
            })
            .collect();
        format!("\"\"\"\n{escaped}\"\"\"")
    }
}

fn map<'t>(case: &'t Table, key: &str) -> impl Iterator<Item = (&'t String, &'t Value)> {
    case.get(key).map(|value| value.as_table().unwrap()).into_iter().flatten()
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn octal(mode: &Value) -> u32 {
    u32::from_str_radix(string(mode), 8).unwrap()
}

/// Spaces are for the reader.
fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}
