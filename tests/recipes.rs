//! The recipes of `docs/archives.md`: systemd, cron and logrotate take them, and their commands run.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PROGRAM: &str = "/usr/bin/logscrub";
const RULES: &str = "/etc/logscrub/rules.toml";

fn text(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// What the page shows as that file.
fn shown(file: &str) -> String {
    let page = text("docs/archives.md");
    let head = format!("```\n# {file}\n");
    page.split_once(&head).unwrap().1.split_once("```").unwrap().0.to_owned()
}

/// A program that may not be here, which is then told.
fn tool(name: &str) -> Option<PathBuf> {
    let folders = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"];
    let found = folders.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists());
    if found.is_none() {
        eprintln!("skipped: there is no {name}");
    }
    found
}

fn told(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat()
}

/// A machine with logs of which one has the name of a live one and two were rotated.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Machine {
        let machine = Machine(tempfile::tempdir().unwrap());
        for folder in ["etc", "log/shop", "state/logscrub"] {
            fs::create_dir_all(machine.path(folder)).unwrap();
        }
        fs::set_permissions(machine.path("state"), fs::Permissions::from_mode(0o700)).unwrap();
        fs::set_permissions(machine.path("state/logscrub"), fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(machine.path("etc/rules.toml"), "[[rule]]\nfind = ['email']\naction = 'redact'\n").unwrap();
        for name in ["shop.log", "shop.log-20260227", "shop.log-20260228"] {
            fs::write(machine.path("log/shop").join(name), "of ana@example.com\n").unwrap();
        }
        machine
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn log(&self, name: &str) -> String {
        fs::read_to_string(self.path("log/shop").join(name)).unwrap()
    }

    /// The words of a command of a recipe, with the paths of this machine.
    fn words(&self, words: impl Iterator<Item = String>) -> Vec<String> {
        let here = |path: &str| self.path(path).to_str().unwrap().to_owned();
        words
            .map(|word| match word.as_str() {
                PROGRAM => env!("CARGO_BIN_EXE_logscrub").to_owned(),
                RULES => here("etc/rules.toml"),
                word => word.replace("/var/log", &here("log")).replace("%S", &here("state")),
            })
            .collect()
    }

    /// Runs it: rotated logs are scrubbed, the live one is not, and nothing is said.
    fn holds(&self, words: &[String]) {
        let output = Command::new(&words[0])
            .args(&words[1..])
            .env_clear()
            .env("STATE_DIRECTORY", self.path("state/logscrub"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{words:?}\n{}", told(&output));
        assert_eq!(told(&output), "", "{words:?}");
        assert_eq!(self.log("shop.log-20260227"), "of [email]\n");
        assert_eq!(self.log("shop.log-20260228"), "of [email]\n");
        assert_eq!(self.log("shop.log"), "of ana@example.com\n");
        assert!(self.path("state/logscrub/archive.journal").exists());
    }
}

#[test]
fn the_service_does_what_it_is_for() {
    let service = text("docs/systemd/logscrub-archive.service");
    let command = service.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let machine = Machine::new();
    machine.holds(&machine.words(command.split(' ').map(str::to_owned)));
    assert!(machine.path("state/logscrub/archive.json").exists());
}

#[test]
fn systemd_takes_the_units() {
    let Some(analyze) = tool("systemd-analyze") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut units = Vec::new();
    for name in ["logscrub-archive.service", "logscrub-archive.timer"] {
        // That the program is there is looked at as well, and that there is a page of the manual.
        let unit = text(&format!("docs/systemd/{name}")).replace(PROGRAM, env!("CARGO_BIN_EXE_logscrub"));
        let path = folder.path().join(name);
        fs::write(&path, unit).unwrap();
        units.push(path);
    }
    let output = Command::new(analyze).args(["verify", "--man=no"]).args(&units).output().unwrap();
    let told = told(&output);
    let ours: Vec<&str> = told.lines().filter(|line| line.contains("logscrub-archive")).collect();
    assert!(output.status.success() && ours.is_empty(), "{told}");
}

/// The line runs by `sh`, as cron runs it.
#[test]
fn the_crontab_does_what_it_is_for() {
    let tab = shown("/etc/cron.d/logscrub");
    let line = tab.lines().next().unwrap();
    let fields: Vec<&str> = line.splitn(7, ' ').collect();
    let [minute, hour, "*", "*", "*", "root", command] = fields[..] else { panic!("{line}") };
    assert!(minute.parse::<u8>().unwrap() < 60 && hour.parse::<u8>().unwrap() < 24);
    assert!(!command.contains('%'), "a line feed in a crontab");
    let machine = Machine::new();
    let words = machine.words(command.split(' ').map(str::to_owned));
    machine.holds(&["/bin/sh".to_owned(), "-c".to_owned(), words.join(" ")]);
}

/// What was live is rotated by force, and scrubbed by the run after it.
#[test]
fn logrotate_takes_its_part() {
    let Some(logrotate) = tool("logrotate") else { return };
    let machine = Machine::new();
    let here = machine.path("log").to_str().unwrap().to_owned();
    let part = machine.path("etc/logrotate.conf");
    fs::write(&part, shown("/etc/logrotate.d/shop").replace("/var/log", &here)).unwrap();
    fs::set_permissions(&part, fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(machine.path("log/shop"), fs::Permissions::from_mode(0o755)).unwrap();
    for argument in ["-d", "-f"] {
        let state = machine.path("state/logrotate");
        let output = Command::new(&logrotate).arg(argument).arg("-s").arg(state).arg(&part).output().unwrap();
        let told = told(&output);
        assert!(output.status.success() && !told.contains("error:"), "{told}");
    }
    fs::write(machine.path("log/shop/shop.log"), "of ana@example.com\n").unwrap();
    let tab = shown("/etc/cron.d/logscrub");
    let command = tab.trim_end().split_once(" root ").unwrap().1.to_owned();
    let words = machine.words(command.split(' ').map(str::to_owned));
    machine.holds(&["/bin/sh".to_owned(), "-c".to_owned(), words.join(" ")]);
    let scrubbed: Vec<String> = fs::read_dir(machine.path("log/shop"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "gz"))
        .map(|path| told(&Command::new("gzip").arg("-dc").arg(path).output().unwrap()))
        .collect();
    assert_eq!(scrubbed, ["of [email]\n"]);
}
