//! Files and directories that others own, that are read-only, or that lie on another file system.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use logscrub::error::reason;

use crate::site::{PROGRAM, Ran, Site, picture, program, ran, text};

const SOMEBODY: u32 = 65_534;

/// A site that belongs to somebody who is not root, and the program where that one can read it.
fn of_somebody() -> Site {
    let site = Site::new();
    fs::set_permissions(site.beside(""), Permissions::from_mode(0o755)).unwrap();
    fs::copy(PROGRAM, site.beside("logscrub")).unwrap();
    site
}

fn run_as_somebody(site: &Site) -> Ran {
    let mut command = Command::new(site.beside("logscrub"));
    command.args(site.args(&[])).env_clear();
    if rustix::process::geteuid().is_root() {
        for path in walkdir::WalkDir::new(&site.tree) {
            let path = path.unwrap().into_path();
            // What belongs to root already is meant to.
            if !path.ends_with("of-root.log") {
                chown(path, Some(SOMEBODY), Some(SOMEBODY)).unwrap();
            }
        }
        command.uid(SOMEBODY).gid(SOMEBODY);
    }
    ran(command)
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_cannot_be_listed_or_read_is_told_and_the_rest_is_done() {
    let site = of_somebody();
    let (old, new) = text(5);
    let open = site.file("open.log", &old);
    let locked = site.file("locked.log", &old);
    let hidden = site.file("hidden/a.log", &old);
    mode(&locked, 0o000);
    mode(hidden.parent().unwrap(), 0o000);
    let ran = run_as_somebody(&site);
    mode(hidden.parent().unwrap(), 0o755);
    mode(&locked, 0o644);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    for name in ["locked.log", "hidden"] {
        assert!(
            ran.stderr.lines().any(|line| line.ends_with("permission denied") || line.contains(name)),
            "{ran:?}"
        );
    }
    assert_eq!(fs::read(open).unwrap(), new);
    assert_eq!([locked, hidden].map(|path| fs::read(path).unwrap()), [old.clone(), old]);
}

#[test]
fn a_directory_that_may_not_be_written_to_keeps_its_files() {
    let site = of_somebody();
    let (old, new) = text(5);
    let shut = site.file("shut/a.log", &old);
    let open = site.file("open/a.log", &old);
    mode(shut.parent().unwrap(), 0o555);
    let ran = run_as_somebody(&site);
    let names: Vec<_> = fs::read_dir(shut.parent().unwrap()).unwrap().collect();
    mode(shut.parent().unwrap(), 0o755);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.stderr.contains("shut/a.log: permission denied; left as it is"), "{ran:?}");
    assert_eq!(names.len(), 1);
    assert_eq!((fs::read(shut).unwrap(), fs::read(open).unwrap()), (old, new));
}

#[test]
fn an_owner_that_cannot_be_kept_keeps_the_file() {
    if !rustix::process::geteuid().is_root() {
        println!("passed over: only root can make a file of somebody else");
        return;
    }
    let site = of_somebody();
    let (old, _) = text(5);
    let path = site.file("of-root.log", &old);
    std::os::unix::fs::chown(&path, Some(0), Some(0)).unwrap();
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_600_000_000);
    fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    let before = picture(&path);
    let ran = run_as_somebody(&site);
    // Nobody but its owner may ask for a lease; the file is old enough to go without.
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.stderr.contains("its owner could not be kept; left as it is"), "{ran:?}");
    assert_eq!(picture(&path), before);
    assert!(site.leftovers().is_empty());
}

/// Runs the program in a name space of its own, with mounts made before it. None where that is not allowed.
fn with_mounts(site: &Site, before: &str, after: &str) -> Option<Ran> {
    let mut probe = Command::new("unshare");
    if !probe
        .args(["-m", "sh", "-c", "mount -t tmpfs none /mnt"])
        .output()
        .is_ok_and(|output| output.status.success())
    {
        println!("passed over: no mounts of one's own to be had");
        return None;
    }
    let script = format!("cd \"$TREE\"/.. && {before} && {{ \"$0\" \"$@\"; code=$?; {after}; exit $code; }}");
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &script, PROGRAM]).args(site.args(&[])).env("TREE", &site.tree);
    Some(ran(command))
}

#[test]
fn a_read_only_file_system_keeps_its_files() {
    let site = Site::new();
    site.file("a.log", text(5).0);
    let before = picture(&site.tree);
    let Some(ran) = with_mounts(&site, "mount --bind tree tree && mount -o remount,ro,bind tree", ":") else {
        return;
    };
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.stderr.contains("a.log: read-only file system; left as it is"), "{ran:?}");
    assert_eq!(picture(&site.tree), before);
}

#[test]
fn another_file_system_below_is_listed_and_left() {
    let site = Site::new();
    let (old, new) = text(5);
    let path = site.file("a.log", &old);
    fs::write(site.beside("raw"), &old).unwrap();
    fs::create_dir(site.tree.join("below")).unwrap();
    let Some(ran) = with_mounts(
        &site,
        "mount -t tmpfs none tree/below && cp raw tree/below/b.log",
        "cp tree/below/b.log seen",
    ) else {
        return;
    };
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("tree/below: not scrubbed: on another file system"), "{ran:?}");
    assert_eq!(fs::read(path).unwrap(), new);
    assert_eq!(fs::read(site.beside("seen")).unwrap(), old);
}

#[test]
fn a_full_disk_keeps_its_files() {
    let site = Site::new();
    let (old, _) = text(40_000);
    fs::write(site.beside("raw"), &old).unwrap();
    for space in ["2500k", "4m"] {
        // Room for the old one; too little, or just enough by the count before, for the new one.
        let before = format!("mount -t tmpfs -o size={space} none tree && cp raw tree/a.log");
        let Some(ran) = with_mounts(&site, &before, "cp tree/a.log seen; ls -A tree > names") else { return };
        let seen: PathBuf = site.beside("seen");
        let names = fs::read_to_string(site.beside("names")).unwrap();
        assert_eq!(names, "a.log\n");
        assert_eq!(ran.code, Some(4), "{space}: {ran:?}");
        assert_eq!(fs::read(seen).unwrap(), old);
    }
    let small = Site::new();
    let path = small.file("a.log", text(2000).0);
    let args = small.args(&[]);
    let mut command = Command::new("/bin/sh");
    // The limit of a file's size stands for the size of the disk; ignored, its signal is an error of write(2).
    command.args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$@\"", PROGRAM]).args(&args).env_clear();
    let ran = ran(command);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert_eq!(fs::read(&path).unwrap(), text(2000).0);
    assert!(small.leftovers().is_empty());
    assert_eq!(crate::site::ran(program(&args)).code, Some(0));
}

#[test]
fn want_of_descriptors_is_told_as_such() {
    let site = Site::new();
    let (old, new) = text(5);
    let files: Vec<PathBuf> = (0..10).map(|n| site.file(format!("{n}.log"), &old)).collect();
    let ran_within = |descriptors: usize| {
        let mut command = Command::new("/bin/sh");
        let script = format!("ulimit -n {descriptors}; exec \"$0\" \"$@\"");
        command.args(["-c", &script, PROGRAM]).args(site.args(&["-j1"])).env_clear();
        ran(command)
    };
    // In the words of the C library.
    let words = reason(&std::io::Error::from(rustix::io::Errno::MFILE));
    for descriptors in 8..20 {
        let ran = ran_within(descriptors);
        let done = files.iter().filter(|path| fs::read(path).unwrap() == new).count();
        match ran.code {
            Some(0) => assert_eq!(done, files.len(), "{descriptors}: {ran:?}"),
            Some(2..=4) => assert!(ran.stderr.contains(&words), "{descriptors}: {ran:?}"),
            _ => panic!("{descriptors}: {ran:?}"),
        }
        assert!(site.leftovers().is_empty());
        files.iter().for_each(|path| fs::write(path, &old).unwrap());
    }
    assert_eq!(ran_within(30).code, Some(0));
}
