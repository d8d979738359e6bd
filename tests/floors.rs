//! The floors of the house: modules import downwards only, and what is kept to one place stays there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;

/// Modules by floor. On floor 1 siblings never import one another, so that each can be read and replaced alone.
const FLOORS: [&[&str]; 6] = [
    &["span", "kind", "finding", "error", "checksum", "decoded", "codec"],
    &["format", "detect", "action", "time"],
    &["policy"],
    &["scrub", "edit", "tally", "withhold", "erase"],
    &["stream", "archive", "report"],
    &["cli"],
];

const APART: usize = 1;

/// What may lie at the top of the repository. Names that begin with a dot are for tools.
const TOP: [&str; 11] = [
    "Cargo.toml",
    "Cargo.lock",
    "CHANGELOG.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "benches",
    "docs",
    "fuzz",
    "rules",
    "src",
];

/// The code of one file without comments, strings and its own tests.
struct Source {
    path: String,
    /// The top module that it belongs to; empty for `lib.rs` and `main.rs`, which stand above all floors.
    module: String,
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    for entry in walkdir::WalkDir::new(&root).sort_by_file_name() {
        let entry = entry.unwrap();
        let path = entry.path().strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        if entry.file_type().is_file() && path.ends_with(".rs") {
            let module = path.split('/').next().unwrap().trim_end_matches(".rs");
            let module = if ["lib", "main"].contains(&module) { "" } else { module };
            let text = fs::read_to_string(entry.path()).unwrap();
            let module = module.to_owned();
            // As many `super` as modules above climb to the crate as well.
            let depth = path.split('/').filter(|part| *part != "mod.rs").count();
            let code = code(&text).replace(&"super::".repeat(depth), "crate::");
            sources.push(Source { path, module, code });
        }
    }
    assert!(sources.len() > 40);
    sources
}

/// Without comments and what stands in string literals: a small lexer, good enough for code that rustfmt made.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(raw) = raw_string(rest) {
            raw
        } else if first == '"' {
            string(rest)
        } else if let Some(character) = character(rest) {
            character
        } else {
            out.push(first);
            first.len_utf8()
        };
        rest = &rest[skipped..];
    }
    out
}

/// `r"…"`, `r#"…"#`, `br"…"`.
fn raw_string(text: &str) -> Option<usize> {
    let after = text.strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let body = after[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    Some(1 + hashes + 1 + body.find(&close)? + close.len())
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// `'x'`, `'\n'`, `'\u{1b}'`; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let body = text.strip_prefix('\'')?;
    let length = match body.strip_prefix('\\') {
        Some(escape) => 1 + escape.char_indices().skip(1).find(|(_, character)| *character == '\'')?.0,
        None => body.chars().next()?.len_utf8(),
    };
    body[length..].starts_with('\'').then_some(length + 2)
}

/// The top modules that `crate::…` paths name, those in `use crate::{a, b}` too.
fn imports(code: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        text.trim_start()
            .chars()
            .take_while(|character| character.is_alphanumeric() || *character == '_')
            .collect()
    };
    let mut found = Vec::new();
    for (at, marker) in code.match_indices("crate::") {
        let path = &code[at + marker.len()..];
        match path.strip_prefix('{') {
            Some(group) => found.extend(parts(group).iter().map(|part| word(part))),
            None => found.push(word(path)),
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

/// The parts of a group up to its closing brace, split at the commas that stand in no inner one.
fn parts(group: &str) -> Vec<String> {
    let (mut depth, mut parts) = (1, vec![String::new()]);
    for character in group.chars() {
        match character {
            '{' => depth += 1,
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' if depth == 1 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(character);
    }
    parts
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// What is wrong with an import, if anything is.
fn wrong(from: &str, to: &str) -> Option<String> {
    let (Some(own), Some(other)) = (floor(from), floor(to)) else {
        return Some(format!("{from} or {to} stands on no floor"));
    };
    if own < other {
        Some(format!("{from} (floor {own}) imports {to} (floor {other}) above it"))
    } else if own == APART && other == APART && from != to {
        Some(format!("{from} imports its sibling {to}"))
    } else {
        None
    }
}

fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn modules_import_downwards_only() {
    let mut faults = Vec::new();
    let mut seen = 0;
    for source in sources().iter().filter(|source| !source.module.is_empty()) {
        for to in imports(&source.code) {
            seen += 1;
            faults.extend(wrong(&source.module, &to).map(|wrong| format!("src/{}: {wrong}", source.path)));
        }
    }
    assert!(seen > 100, "{seen} imports seen");
    assert_none(&faults);
}

#[test]
fn only_the_command_line_prints_and_ends_the_process() {
    let mut faults = Vec::new();
    for source in sources() {
        let inside = source.module == "cli";
        for word in
            ["println!", "eprintln!", "print!", "eprint!", "dbg!", "process::exit", "clap::", "use clap"]
        {
            if source.code.contains(word) && !(inside && word.contains("clap")) {
                faults.push(format!("src/{}: {word}", source.path));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn unsafe_code_stays_where_it_is() {
    let may = |path: &str| path == "stream/sys.rs" || path.starts_with("detect/simd");
    let words = |code: &str| {
        code.split(|character: char| !character.is_alphanumeric() && character != '_')
            .any(|word| word == "unsafe")
    };
    let faults: Vec<String> = sources()
        .into_iter()
        .filter(|source| words(&source.code) && !may(&source.path))
        .map(|source| source.path)
        .collect();
    assert_none(&faults);
}

#[test]
fn nothing_talks_to_a_network() {
    let faults: Vec<String> = sources()
        .into_iter()
        .filter(|source| {
            ["TcpStream", "TcpListener", "UdpSocket", "UnixListener"]
                .iter()
                .any(|word| source.code.contains(word))
        })
        .map(|source| source.path)
        .collect();
    assert_none(&faults);
}

#[test]
fn names_say_what_a_module_is_about() {
    let vague = ["util", "utils", "common", "helpers", "helper", "manager", "processor", "misc"];
    let is_vague =
        |source: &Source| source.path.trim_end_matches(".rs").split('/').any(|part| vague.contains(&part));
    let faults: Vec<String> = sources().into_iter().filter(is_vague).map(|source| source.path).collect();
    assert_none(&faults);
}

#[test]
fn the_top_of_the_repository_holds_what_it_should() {
    let own = ["target", "tests"]; // what cargo makes, and this
    let entries = fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let faults: Vec<String> = names
        .filter(|name| {
            !name.starts_with('.') && !TOP.contains(&name.as_str()) && !own.contains(&name.as_str())
        })
        .collect();
    assert_none(&faults);
}

#[test]
fn the_reader_of_code_reads_code() {
    let text = "use crate::{a::{B, c}, d}; // crate::comment\nlet x = \"crate::text\\\"\"; 'a' 'l: '\\'' r#\"crate::\"raw\"#; pub(crate) fn crate::e::f()";
    assert_eq!(imports(&code(text)), ["a", "d", "e"]);
    assert!(wrong("detect", "policy").unwrap().contains("above"));
    assert!(wrong("detect", "format").unwrap().contains("sibling"));
    assert!(wrong("nothing", "format").is_some());
    assert_eq!(wrong("policy", "detect"), None);
    assert_eq!(wrong("detect", "detect"), None);
    assert_eq!(wrong("edit", "tally"), None);
}
