//! Finds personal data and secrets in logs and keeps of each only what a policy allows.
//!
//! A program hands lines in, and gets back lines of which nothing has changed but the values that a rule covers.
//! Three types are all that it needs: a [`Policy`] is a compiled rules file, a [`Scrubber`] applies it to blocks of
//! whole lines, a [`ScrubWriter`] does the same for whatever is written to it.
//!
//! ```
//! use std::sync::Arc;
//! use logscrub::{Policy, Scrubber};
//!
//! let policy = Policy::pack("default")?;
//! let mut scrubber = Scrubber::new(Arc::new(policy), None);
//! let mut out = Vec::new();
//! scrubber.scrub(b"login of ana@example.com from 203.0.113.9\n", &mut out);
//! assert_eq!(out, b"login of [email] from 203.0.113.0\n");
//! # Ok::<(), logscrub::Faults>(())
//! ```
//!
//! A policy of one's own is a rules file ([`Policy::load`]) or its text. Every fault in it is found before the first
//! byte of a log is read, and shown with its place:
//!
//! ```
//! use logscrub::Policy;
//!
//! let rules = r#"
//! extends = ["default"]
//!
//! [[rule]]
//! name   = "user id"
//! field  = ["user_id"]
//! as     = "user_id"
//! action = "drop"
//! "#;
//! let policy = Policy::from_toml(rules, "shop.toml", None)?;
//! assert_eq!(policy.rules[0].name, "user id");
//!
//! let faults = Policy::from_toml(&rules.replace("drop", "dorp"), "shop.toml", None).unwrap_err();
//! assert!(faults.to_string().contains("shop.toml:8"));
//! # Ok::<(), logscrub::Faults>(())
//! ```
//!
//! A program scrubs its own log on the way out by writing it through a [`ScrubWriter`], which holds a line back until
//! it is whole:
//!
//! ```
//! use std::io::Write;
//! use std::sync::Arc;
//! use logscrub::{Policy, ScrubWriter, Scrubber};
//!
//! let scrubber = Scrubber::new(Arc::new(Policy::pack("access-log")?), None);
//! let mut log = ScrubWriter::new(scrubber, Vec::new());
//! write!(log, "10.20.30.40 GET /?mail=ana@exa")?;
//! writeln!(log, "mple.com")?;
//! assert_eq!(log.finish()?, b"10.20.30.0 GET /?mail=[email]\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Rules that hash need a [`HashKey`], which [`Scrubber::new`] takes; without one a `hash` leaves what `redact` would:
//!
//! ```
//! use std::sync::Arc;
//! use logscrub::{HashKey, Policy, Scrubber};
//!
//! let rules = "pseudonyms.keyring = 'k.toml'\n[[rule]]\nfind = ['email']\naction = 'hash'\n";
//! let policy = Policy::from_toml(rules, "rules.toml", Some(std::path::Path::new(".")))?;
//! let key = [0x2a; 32]; // of the program's own, 256 random bits
//! let mut scrubber = Scrubber::new(Arc::new(policy), Some(HashKey::new(&key)));
//! let mut out = Vec::new();
//! scrubber.scrub(b"ana@example.com ana@EXAMPLE.com\n", &mut out);
//! let tokens: Vec<&[u8]> = out.trim_ascii().split(|byte| *byte == b' ').collect();
//! assert!(tokens[0].starts_with(b"[email:k"));
//! assert_eq!(tokens[0], tokens[1]);
//! # Ok::<(), logscrub::Faults>(())
//! ```
//!
//! [`Scrubber::with_keys`] takes [`Keys`] instead, one a period, each for the records of its time.
//!
//! Under a policy with ladders (`retain`) what is left of a line depends on its age, counted from the time in it. A log on
//! its way out is new, unless it is late; ages are reckoned from the clock, or from a moment that is given:
//!
//! ```
//! use std::io::Write;
//! use std::sync::Arc;
//! use logscrub::{Policy, ScrubWriter, Scrubber};
//!
//! let rules = r#"
//! [[rule]]
//! find   = ["ip"]
//! retain = [{ until = "7d", action = "keep" }, { action = "redact" }]
//! "#;
//! let policy = Policy::from_toml(rules, "ladder.toml", None)?;
//! let scrubber = Scrubber::new(Arc::new(policy), None).at("2026-03-01T00:00:00Z".parse()?);
//! let mut log = ScrubWriter::new(scrubber, Vec::new());
//! writeln!(log, "2026-02-28T09:00:00Z hello from 203.0.113.9")?;
//! writeln!(log, "2026-02-01T09:00:00Z hello from 203.0.113.9")?;
//! writeln!(log, "  as old as the line before: 203.0.113.9")?;
//! let expected = "2026-02-28T09:00:00Z hello from 203.0.113.9\n\
//!                 2026-02-01T09:00:00Z hello from [ipv4]\n  as old as the line before: [ipv4]\n";
//! assert_eq!(String::from_utf8(log.finish()?)?, expected);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # From bytes in to bytes out
//!
//! ```text
//! read ─► block (whole records) ─► candidates ─► record + fields (format) ─► findings (detect)
//!                                                         └► decisions (policy) ─► edits (action) ─► splice ─► write
//! ```
//!
//! One pass over the block notes every place where a value is possible; a record without one is copied with its
//! neighbours and not even split off. Log data is bytes, never `str`.
//!
//! # Modules
//!
//! They stand on floors. A module imports from the floors below its own; those that share the first floor never
//! import one another.
//!
//! | floor | modules |
//! |---|---|
//! | 5 | `cli`: the command line, one file a command |
//! | 4 | [`stream`]: from open files to written bytes; `archive`: files and trees rewritten in place; `report`: what was done, as text and JSON |
//! | 3 | [`scrub`]: the hot path; [`edit`]: which bytes give way to which; [`tally`]: counts; [`withhold`]: markers; [`erase`]: all that stands for one person |
//! | 2 | [`policy`]: the rules file, compiled, and what it decides |
//! | 1 | [`format`](mod@format): records to fields; [`detect`]: bytes to findings; [`action`]: values to replacements; [`time`]: the time of a record, ages, the keyring |
//! | 0 | [`span`], [`kind`], [`finding`], [`decoded`], [`checksum`], [`error`]; [`codec`]: compressed data |
//!
//! What stands at the root is the interface and changes with the version number; the modules are open for tests,
//! benchmarks and the curious, and may change with any release. The feature `cli`, on by default, brings the program
//! and all that only it needs: a library is built with `default-features = false`.
#![deny(rustdoc::broken_intra_doc_links)]

pub mod action;
#[cfg(feature = "cli")]
pub mod archive;
pub mod checksum;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod codec;
pub mod decoded;
pub mod detect;
pub mod edit;
pub mod erase;
pub mod error;
pub mod finding;
pub mod format;
pub mod kind;
pub mod policy;
#[cfg(feature = "cli")]
pub mod report;
pub mod scrub;
pub mod span;
pub mod stream;
pub mod tally;
pub mod time;
pub mod withhold;

pub use action::hash::HashKey;
pub use action::keys::{KeyPeriod, Keys};
pub use jiff::Timestamp;
pub use policy::Policy;
pub use policy::fault::Faults;
pub use scrub::Scrubber;
pub use stream::ScrubWriter;
pub use tally::Tally;

/// The example in the README runs with the others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
