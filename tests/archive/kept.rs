//! What a file keeps besides what is in it: owner, mode, times, attributes, access lists.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use rustix::fs::{XattrFlags, getxattr, setxattr};

use crate::site::{Site, text};

const ACL: &str = "system.posix_acl_access";
const DEFAULT_ACL: &str = "system.posix_acl_default";

/// An access list as the system stores it: its owner and group may read and write, one more user may read.
fn access_list() -> Vec<u8> {
    const NOBODY_IN_PARTICULAR: u32 = u32::MAX;
    let (owner, user, group, mask, other) = (1_u16, 2_u16, 4_u16, 16_u16, 32_u16);
    let entries = [(owner, 6_u16, NOBODY_IN_PARTICULAR), (user, 4, 65_533), (group, 4, NOBODY_IN_PARTICULAR)];
    let entries =
        entries.into_iter().chain([(mask, 4, NOBODY_IN_PARTICULAR), (other, 0, NOBODY_IN_PARTICULAR)]);
    let bytes = entries.flat_map(|(tag, rights, id)| {
        [tag.to_le_bytes(), rights.to_le_bytes()].concat().into_iter().chain(id.to_le_bytes())
    });
    2_u32.to_le_bytes().into_iter().chain(bytes).collect()
}

fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = vec![0; 1 << 10];
    let length = getxattr(path, name, &mut value[..]).ok()?;
    value.truncate(length);
    Some(value)
}

/// Sets it, and says so where the file system has none.
fn could_set(path: &Path, name: &str, value: &[u8]) -> bool {
    let done = setxattr(path, name, value, XattrFlags::empty());
    done.inspect_err(|cause| println!("passed over: {name}: {cause}")).is_ok()
}

#[test]
fn mode_owner_and_times_are_kept() {
    let site = Site::new();
    let (old, new) = text(50);
    let modes = [0o600, 0o640, 0o644, 0o444, 0o4755, 0o2640, 0o666];
    let files: Vec<_> = modes.iter().map(|mode| site.file(format!("{mode:o}.log"), &old)).collect();
    let time = UNIX_EPOCH + Duration::new(1_600_000_000, 123_456_789);
    let is_root = rustix::process::geteuid().is_root();
    for (path, mode) in files.iter().zip(modes) {
        let file = File::options().write(true).open(path).unwrap();
        if is_root {
            chown(path, Some(65_533), Some(65_534)).unwrap();
        }
        file.set_permissions(Permissions::from_mode(mode)).unwrap();
        file.set_modified(time).unwrap();
    }
    let before: Vec<_> = files.iter().map(|path| fs::metadata(path).unwrap()).collect();
    let ran = site.run(&[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for ((path, before), mode) in files.iter().zip(before).zip(modes) {
        let now = fs::metadata(path).unwrap();
        assert_eq!(fs::read(path).unwrap(), new);
        assert_eq!(now.mode() & 0o7777, mode & 0o777, "{path:?}");
        assert_eq!((now.uid(), now.gid()), (before.uid(), before.gid()), "{path:?}");
        assert_eq!(now.modified().unwrap(), time, "{path:?}");
        assert_ne!(now.ino(), before.ino());
    }
}

#[test]
fn attributes_and_access_lists_are_kept() {
    let site = Site::new();
    let path = site.file("a.log", text(5).0);
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    if !could_set(&path, "user.origin", b"web\0 1") || !could_set(&path, ACL, &access_list()) {
        return;
    }
    assert_eq!(site.run(&[]).code, Some(0));
    assert_eq!(fs::read(&path).unwrap(), text(5).1);
    assert_eq!(attribute(&path, "user.origin").unwrap(), b"web\0 1");
    assert_eq!(attribute(&path, ACL).unwrap(), access_list());
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
}

#[test]
fn the_directory_lets_nobody_in_whom_the_file_did_not() {
    let site = Site::new();
    let path = site.file("a.log", text(5).0);
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    // New files in it would get an access list; the old one has none.
    if !could_set(&site.tree, DEFAULT_ACL, &access_list()) {
        return;
    }
    assert_eq!(site.run(&[]).code, Some(0));
    assert_eq!(fs::read(&path).unwrap(), text(5).1);
    assert_eq!(attribute(&path, ACL), None);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
}
