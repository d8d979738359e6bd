//! The system calls that have no safe wrapper, and what protects the process itself.
#![allow(unsafe_code)] // The only module that may; each use says why it is sound.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU8, Ordering};

use rustix::process::{Resource, Rlimit, Signal};

/// Bit N: descriptor N was closed when the program started.
static CLOSED: AtomicU8 = AtomicU8::new(0);

// Rust's runtime opens /dev/null in place of a closed descriptor 0, 1 or 2 before `main`, so that all output
// would vanish with success. Constructors run before the runtime. Looking for a /dev/null that is open for
// reading and writing is no substitute: that is what a parent hands over to discard the output on purpose.
#[cfg(target_os = "linux")]
#[used]
// SAFETY: `.init_array` holds pointers to functions of this type, called once before `main`; the function
// uses nothing that the runtime has yet to set up.
#[unsafe(link_section = ".init_array")]
static NOTE_CLOSED: extern "C" fn() = note_closed;

#[cfg(target_os = "linux")]
extern "C" fn note_closed() {
    for descriptor in 0..3 {
        // SAFETY: F_GETFD takes no pointer and changes nothing, for any number.
        let flags = unsafe { libc::fcntl(descriptor, libc::F_GETFD) };
        // It can fail with EBADF alone.
        if flags == -1 {
            CLOSED.fetch_or(1 << descriptor, Ordering::Relaxed);
        }
    }
}

/// Whether descriptor 0, 1 or 2 was closed when the program started. Known on Linux only; elsewhere `false`.
pub fn closed_at_start(descriptor: u8) -> bool {
    descriptor < 3 && CLOSED.load(Ordering::Relaxed) >> descriptor & 1 == 1
}

/// A copy of a descriptor that the program was started with, from 3. The descriptor itself is closed in children
/// from now on.
pub fn inherited(descriptor: RawFd) -> Option<OwnedFd> {
    // SAFETY: F_GETFD takes no pointer and changes nothing, for any number.
    let flags = unsafe { libc::fcntl(descriptor, libc::F_GETFD) };
    // What an exec closes was opened by this program itself, or taken by an earlier call.
    if descriptor < 3 || flags == -1 || flags & libc::FD_CLOEXEC != 0 {
        return None;
    }
    // SAFETY: no pointer is involved; the descriptor is open, and nothing in this program uses it.
    let copy = unsafe {
        libc::fcntl(descriptor, libc::F_SETFD, flags | libc::FD_CLOEXEC);
        libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, 3)
    };
    // SAFETY: the copy is new, so that nobody else owns it.
    (copy != -1).then(|| unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Whether the signal is ignored, as it is for a program started with `nohup` or in the background.
pub fn is_ignored(signal: Signal) -> bool {
    // SAFETY: an all-zero sigaction is a valid value of this plain structure.
    let mut current: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: the new action is null, so that nothing changes; the old one is written to a live structure.
    let done = unsafe { libc::sigaction(signal.as_raw(), std::ptr::null(), &mut current) };
    done == 0 && current.sa_sigaction == libc::SIG_IGN
}

/// Ends the process by this signal, so that the parent sees what happened.
pub fn die_by(signal: Signal) -> ! {
    // SAFETY: no pointer is involved but that of a local, initialised set; the process ends here, so that no
    // other code can miss its handler or its mask.
    unsafe {
        libc::signal(signal.as_raw(), libc::SIG_DFL);
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, signal.as_raw());
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut());
        libc::raise(signal.as_raw());
        // Reached only for a signal whose default is not to end the process; what a shell would report.
        libc::_exit(128 + signal.as_raw())
    }
}

/// Ends the process as one whose reader went away, silently: what every Unix filter does.
///
/// Rust's runtime ignores SIGPIPE and a parent may have done so too, hence it is raised by hand.
pub fn die_by_sigpipe() -> ! {
    die_by(Signal::PIPE)
}

/// Keeps the memory of the process, which holds raw logs and keys, from core dumps and from other processes
/// of the same user. `exec` gives a child its dumpability back; the core limit's hard bound stays.
///
/// # Errors
/// Those of prctl(2) and setrlimit(2).
pub fn hide_memory() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    let maximum = rustix::process::getrlimit(Resource::Core).maximum;
    rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum })?;
    Ok(())
}

/// Asks for a read lease on a file that is open for reading only.
///
/// # Errors
/// Those of fcntl(2); EAGAIN if somebody has it open for writing.
#[cfg(target_os = "linux")]
pub fn take_lease(file: &impl AsRawFd) -> io::Result<()> {
    lease(file, libc::F_RDLCK)
}

/// Gives the lease on a file up.
///
/// # Errors
/// Those of fcntl(2).
#[cfg(target_os = "linux")]
pub fn drop_lease(file: &impl AsRawFd) -> io::Result<()> {
    lease(file, libc::F_UNLCK)
}

#[cfg(target_os = "linux")]
fn lease(file: &impl AsRawFd, kind: libc::c_int) -> io::Result<()> {
    // SAFETY: F_SETLEASE takes a number and no pointer; the descriptor is open, for its owner is borrowed.
    let done = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, kind) };
    if done == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Whether the lease on a file is held, and nobody waits for it to be given up.
#[cfg(target_os = "linux")]
pub fn has_lease(file: &impl AsRawFd) -> bool {
    // SAFETY: F_GETLEASE takes no pointer; the descriptor is open, for its owner is borrowed.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETLEASE) == libc::F_RDLCK }
}

/// Elsewhere than on Linux there are no leases.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn take_lease(_: &impl AsRawFd) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Elsewhere than on Linux there are no leases.
///
/// # Errors
/// Never.
#[cfg(not(target_os = "linux"))]
pub fn drop_lease(_: &impl AsRawFd) -> io::Result<()> {
    Ok(())
}

/// Elsewhere than on Linux there are no leases.
#[cfg(not(target_os = "linux"))]
pub fn has_lease(_: &impl AsRawFd) -> bool {
    false
}

/// Lets all others read and write before this process (ionice(1), class "idle").
///
/// # Errors
/// Those of ioprio_set(2).
#[cfg(target_os = "linux")]
pub fn yield_disk() -> io::Result<()> {
    const WHO_PROCESS: libc::c_int = 1;
    const CLASS_IDLE: libc::c_int = 3 << 13;
    // SAFETY: three numbers and no pointer; process 0 is the calling thread, of which threads to come inherit it.
    let done = unsafe { libc::syscall(libc::SYS_ioprio_set, WHO_PROCESS, 0, CLASS_IDLE) };
    if done == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Elsewhere than on Linux there is no such thing.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn yield_disk() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
