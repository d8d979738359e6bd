//! [`Lease`]: nobody has the file open for writing.
//!
//! The system grants a read lease (fcntl(2), F_SETLEASE) only while nobody could write, and tells by SIGIO when somebody
//! opens the file to do so, who waits until the lease is given up. That is done at once, by a thread of its own.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustix::io::Errno;
use signal_hook::consts::SIGIO;
use signal_hook::iterator::Signals;

use crate::stream::sys;

/// All that are held.
static HELD: Mutex<Vec<Arc<Shared>>> = Mutex::new(Vec::new());

/// Whether the thread that gives leases up is there.
static READY: OnceLock<bool> = OnceLock::new();

#[derive(Debug)]
struct Shared {
    file: File,
    is_broken: AtomicBool,
}

impl Shared {
    fn give_up(&self) {
        self.is_broken.store(true, Ordering::SeqCst);
        let _ = sys::drop_lease(&self.file);
    }
}

/// Why there is no lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoLease {
    /// Somebody has the file open for writing.
    Busy,
    /// The file system has none, or it is not for this user to ask.
    Unsupported,
}

/// A lease on a file. Given up when it is dropped.
#[derive(Debug)]
pub(super) struct Lease(Arc<Shared>);

impl Lease {
    /// Asks for a lease on a file that is open for reading.
    ///
    /// # Errors
    /// There is none to be had.
    pub(super) fn take(file: &File) -> Result<Lease, NoLease> {
        if !*READY.get_or_init(|| start().is_ok()) {
            return Err(NoLease::Unsupported);
        }
        let copy = file.try_clone().map_err(|_| NoLease::Unsupported)?;
        let shared = Arc::new(Shared { file: copy, is_broken: AtomicBool::new(false) });
        match sys::take_lease(file) {
            Ok(()) => {}
            Err(cause) if Errno::from_io_error(&cause) == Some(Errno::AGAIN) => return Err(NoLease::Busy),
            Err(_) => return Err(NoLease::Unsupported),
        }
        held().push(Arc::clone(&shared));
        // Who came before it was in the list had nobody to give it up.
        if !sys::has_lease(file) {
            shared.give_up();
        }
        Ok(Lease(shared))
    }

    /// Whether somebody wanted to write since.
    pub(super) fn is_broken(&self) -> bool {
        self.0.is_broken.load(Ordering::SeqCst) || !sys::has_lease(&self.0.file)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let _ = sys::drop_lease(&self.0.file);
        held().retain(|held| !Arc::ptr_eq(held, &self.0));
    }
}

fn held() -> std::sync::MutexGuard<'static, Vec<Arc<Shared>>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

fn start() -> io::Result<()> {
    let mut signals = Signals::new([SIGIO])?;
    std::thread::Builder::new().name("leases".to_owned()).spawn(move || {
        for _ in signals.forever() {
            // Which one is meant the signal does not say.
            held().iter().filter(|held| !sys::has_lease(&held.file)).for_each(|held| held.give_up());
        }
    })?;
    Ok(())
}
