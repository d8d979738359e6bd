//! Sessions that the documentation shows, run from the first command to the last.
//!
//! A block `shell-session` holds commands, each behind `$ `, and what they write to a terminal. All blocks of a document
//! run in one folder, in their order; what another block holds whose first line is `# NAME.toml` lies there as a file of
//! that name, and what `$ cat NAME` shows, if there is no such file yet. `…` at the end of a line stands for the rest of
//! it, alone on a line for any lines. The folder is shown as `/srv`, wherever it lies. Keys are random: ids and tokens may be others, but equal where they are equal and
//! different where they differ.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

/// The documents that show one.
const DOCUMENTS: [&str; 4] = ["README.md", "docs/retention.md", "docs/pseudonyms.md", "docs/archives.md"];

#[test]
fn sessions_show_what_happens() {
    for name in DOCUMENTS {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut same = Same::default();
        let mut count = 0;
        for (language, block) in blocks(&text) {
            match language {
                "shell-session" => count += run(name, block, folder.path(), &mut same),
                _ => write_file(block, folder.path()),
            }
        }
        assert!(count > 0, "{name} shows no session");
    }
}

/// The fenced blocks, each with its language.
fn blocks(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("\n```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'))
}

fn write_file(block: &str, folder: &Path) {
    let name = block.lines().next().and_then(|line| line.strip_prefix("# "));
    if let Some(name) = name.filter(|name| name.ends_with(".toml") && !name.contains(' ')) {
        fs::write(folder.join(name), block).unwrap();
    }
}

/// Runs the commands of one block; how many these are.
fn run(document: &str, block: &str, folder: &Path, same: &mut Same) -> usize {
    let block = format!("\n{block}\n");
    let commands: Vec<&str> = block.split("\n$ ").skip(1).collect();
    for shown in &commands {
        let (command, shown) = shown.split_once('\n').unwrap_or((shown, ""));
        let shown: String = shown.trim_end().lines().map(|line| format!("{line}\n")).collect();
        let file = command.strip_prefix("cat ").map(|file| folder.join(file));
        if let Some(file) = file.filter(|file| !file.exists()) {
            fs::write(file, shown).unwrap();
            continue;
        }
        let written = execute(command, folder);
        let shown: Vec<&str> = shown.lines().collect();
        let lines: Vec<&str> = written.trim_end().lines().collect();
        assert!(
            same.lines(&shown, &lines),
            "{document} does not show what is written:\n$ {command}\n{written}"
        );
    }
    commands.len()
}

/// What the command writes to a terminal.
fn execute(command: &str, folder: &Path) -> String {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_logscrub"));
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let both = format!("{{ {command}\n}} 2>&1");
    let output = Command::new("sh")
        .args(["-c", &both])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .output()
        .unwrap();
    let folder = folder.canonicalize().unwrap();
    String::from_utf8(output.stdout).unwrap().replace(folder.to_str().unwrap(), "/srv")
}

/// Which ids and tokens of a document are which of this run.
#[derive(Default)]
struct Same {
    of_shown: BTreeMap<String, String>,
    of_written: BTreeMap<String, String>,
}

impl Same {
    fn lines(&mut self, shown: &[&str], written: &[&str]) -> bool {
        match (shown, written) {
            ([], []) => true,
            (["…"], _) => true,
            (["…", then, ..], [line, ..]) if !self.clone_of().line(then, line) => {
                self.lines(shown, &written[1..])
            }
            (["…", rest @ ..], [_, ..]) => self.lines(rest, written),
            ([first, rest @ ..], [line, more @ ..]) => self.line(first, line) && self.lines(rest, more),
            _ => false,
        }
    }

    fn clone_of(&self) -> Same {
        Same { of_shown: self.of_shown.clone(), of_written: self.of_written.clone() }
    }

    fn line(&mut self, shown: &str, written: &str) -> bool {
        let token = Regex::new(r"\b(?:k?[0-9a-hjkmnp-tv-z]{6}|[0-9a-hjkmnp-tv-z]{20,})\b").unwrap();
        let (shown, is_whole) = match shown.strip_suffix('…') {
            Some(begin) => (begin, false),
            None => (shown, true),
        };
        let written = if is_whole { written } else { written.get(..shown.len()).unwrap_or(written) };
        let around = |text: &str| token.replace_all(text, "·").into_owned();
        if around(shown) != around(written) {
            return false;
        }
        let pairs = token.find_iter(shown).zip(token.find_iter(written));
        pairs.map(|(one, other)| (one.as_str(), other.as_str())).all(|(one, other)| self.word(one, other))
    }

    fn word(&mut self, shown: &str, written: &str) -> bool {
        let bare =
            |word: &str| word.strip_prefix('k').filter(|rest| rest.len() == 6).unwrap_or(word).to_owned();
        let (shown, written) = (bare(shown), bare(written));
        let other = self.of_shown.entry(shown.clone()).or_insert_with(|| written.clone());
        let one = self.of_written.entry(written.clone()).or_insert_with(|| shown.clone());
        *other == written && *one == shown
    }
}
