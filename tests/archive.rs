//! `archive` broken on purpose: killed and failed at every system call, on hostile trees, with damaged files, while others write.
//!
//! Nothing sleeps. What needs strace, rights or a file system that are not to be had says so and is passed over.
#![cfg(all(feature = "cli", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "archive/damage.rs"]
mod damage;
#[path = "archive/interrupted.rs"]
mod interrupted;
#[path = "archive/journals.rs"]
mod journals;
#[path = "archive/kept.rs"]
mod kept;
#[path = "archive/keyless.rs"]
mod keyless;
#[path = "archive/links.rs"]
mod links;
#[path = "archive/live.rs"]
mod live;
#[path = "archive/members.rs"]
mod members;
#[path = "archive/n_loop.rs"]
mod n_loop;
#[path = "archive/order.rs"]
mod order;
#[path = "archive/others.rs"]
mod others;
#[path = "archive/outputs.rs"]
mod outputs;
#[path = "archive/reports.rs"]
mod reports;
#[path = "archive/site.rs"]
mod site;
#[path = "archive/standins.rs"]
mod standins;
#[path = "archive/traced.rs"]
mod traced;
#[path = "archive/trees.rs"]
mod trees;
mod waiting;
#[path = "archive/years.rs"]
mod years;
