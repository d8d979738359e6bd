//! The order of calls in a good run: what is on the disk before what.

use crate::site::{Form, Site, text};
use crate::traced::{Call, calls, can_read_names, traced};

const CALLS: &str = "trace=openat,fsync,fdatasync,renameat,renameat2,rename,fchmod,fchown,utimensat";

fn good_run(form: Form) -> Vec<Call> {
    let site = Site::new();
    let (old, new) = text(100);
    let path = site.file("a.log", form.encoded(&old));
    let (ended, trace) =
        traced(&["-e", CALLS], &site.args_with_journal(&["--jobs", "1"]), &site.beside("trace"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(form.decoded(&std::fs::read(path).unwrap()).unwrap(), new);
    calls(&trace)
}

#[test]
fn the_file_is_on_the_disk_before_it_has_the_name_and_the_directory_after() {
    if !can_read_names() {
        return;
    }
    for form in Form::ALL {
        let calls = good_run(form);
        let place = |what: &str, is_it: &dyn Fn(&Call) -> bool| {
            let places: Vec<usize> = (0..calls.len()).filter(|n| is_it(&calls[*n])).collect();
            assert_eq!(places.len(), 1, "{form:?}: {what}: {calls:#?}");
            places[0]
        };
        let is_of_new = |call: &Call| call.line.contains("/tree/.logscrub-");
        let made = place("made", &|call| call.name == "openat" && call.line.contains("\".logscrub-"));
        assert!(
            calls[made].line.contains("O_EXCL") && calls[made].line.contains("0600"),
            "{:?}",
            calls[made]
        );
        let mode = place("mode", &|call| call.name == "fchmod" && is_of_new(call));
        let synced = place("synced", &|call| call.name == "fsync" && is_of_new(call));
        let renamed =
            place("renamed", &|call| call.name.starts_with("rename") && call.line.contains("\"a.log\""));
        let folder = place("folder", &|call| call.name == "fsync" && call.line.contains("/tree>)"));
        assert!(made < mode && mode < synced && synced < renamed && renamed < folder, "{form:?}: {calls:#?}");
    }
}
