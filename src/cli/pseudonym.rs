//! `logscrub pseudonym`: the pseudonyms of values, for those who hold the keys.

use super::args::Pseudonym;
use super::exit::Exit;
use super::lines::Lines;
use super::load::keys;
use super::print::{message, usage_fault};
use crate::action::canonical::{canonical, ipv4, ipv6};
use crate::action::keys::{KeyPeriod, Keys};
use crate::action::{Action, Hash, Tools, apply};
use crate::kind::{Kind, Kinds};
use crate::stream::{Input, Output, Place, Scrub, Settings, Target, Watch, drive};
use crate::tally::Tally;

pub(super) fn run(args: &Pseudonym) -> Exit {
    start(args).unwrap_or_else(|exit| exit)
}

fn start(args: &Pseudonym) -> Result<Exit, Exit> {
    if !Kinds::is_name(&args.kind) {
        return Err(usage_fault(
            "the name of a kind is a letter, then letters, digits and `_`, all lower case",
        ));
    }
    let keys = keys(&args.keyring)?;
    let forgotten = keys.periods().iter().filter(|period| period.key.is_none()).count();
    if forgotten == keys.periods().len() && keys.forever().is_none() {
        let name = args.keyring.display();
        return Err(usage_fault(&format!(
            "keyring {name}: all its keys are forgotten, and with them the pseudonyms"
        )));
    }
    if forgotten > 0 {
        message(&format!("periods left out, for their keys are forgotten: {forgotten}"));
    }
    let mut kinds = Kinds::default();
    let kind = kinds.intern(&args.kind);
    let teller = Teller { keys, kinds, kind, json: args.json, lines: Lines::default() };
    let mut output = Output::open(&Target::Stdout).map_err(|cause| Exit::of_output(&cause))?;
    let settings = Settings { max_record: usize::MAX, ..Settings::default() };
    let input = Input::open(&Place::Stdin).map(Input::told_of);
    let outcome = drive([input], teller, &mut output, &mut Watch::default(), &settings);
    outcome.output.map_err(|cause| Exit::of_output(&cause))?;
    outcome.input_faults.iter().for_each(|fault| message(&fault.to_string()));
    Ok(if outcome.input_faults.is_empty() { Exit::Done } else { Exit::Input })
}

/// What it writes is not the value but what it is called.
#[derive(Clone)]
struct Teller {
    keys: Keys,
    kinds: Kinds,
    kind: Kind,
    json: bool,
    lines: Lines,
}

impl Teller {
    /// Appends what a value is called in each period whose key is there, and under the key for ever beside them.
    fn tell(&self, number: u64, value: &[u8], out: &mut Vec<u8>) {
        if !self.json && number > 1 {
            out.push(b'\n');
        }
        let mut tell = |hash, at, serves| {
            let tools = Tools { kinds: &self.kinds, keys: Some(&self.keys), period: at };
            let mut token = Vec::new();
            apply(&Action::Hash(hash), self.kind, value, value, tools, &mut token);
            let token = String::from_utf8_lossy(&token);
            let line = if self.json { object(number, serves, &token) } else { row(serves, &token) };
            out.extend_from_slice(line.as_bytes());
        };
        let periods = self.keys.periods();
        for (at, period) in periods.iter().enumerate().filter(|(_, period)| period.key.is_some()) {
            tell(Hash::default(), Some(at), Some(period));
        }
        let forever = self.keys.forever();
        if forever.is_some_and(|key| periods.iter().all(|period| period.id != key.id())) {
            tell(Hash { forever: true, ..Hash::default() }, None, None);
        }
    }
}

/// Whether a value may be of a kind that has a form: the pseudonym of anything else is hardly the one that is looked for.
fn is_of(kind: Kind, value: &[u8]) -> bool {
    match kind {
        // A mapped address is called as its IPv4 address is.
        Kind::IPV4 => ipv4(&canonical(kind, value)).is_some(),
        Kind::IPV6 => ipv6(value).is_some(),
        Kind::EMAIL => value.contains(&b'@'),
        Kind::PAN => (12..=19).contains(&canonical(kind, value).len()),
        _ => true,
    }
}

/// `serves`: the period of the key, or none if it serves for ever beside those.
fn row(serves: Option<&KeyPeriod>, token: &str) -> String {
    let from = |period: &KeyPeriod| period.from.map_or("-".to_owned(), |from| from.to_string());
    let from = serves.map_or("forever".to_owned(), from);
    format!("{from}  {token}\n")
}

fn object(number: u64, serves: Option<&KeyPeriod>, token: &str) -> String {
    let moment = |moment: Option<jiff::Timestamp>| moment.map(|moment| moment.to_string());
    let object = match serves {
        Some(period) => serde_json::json!({
            "line": number, "from": moment(period.from), "until": moment(period.until), "pseudonym": token,
        }),
        None => serde_json::json!({ "line": number, "scope": "forever", "pseudonym": token }),
    };
    format!("{object}\n")
}

impl Scrub for Teller {
    fn scrub(&mut self, block: &[u8], out: &mut Vec<u8>) {
        for line in block.split_inclusive(|byte| *byte == b'\n') {
            let value = line.strip_suffix(b"\n").unwrap_or(line);
            let value = value.strip_suffix(b"\r").unwrap_or(value);
            self.lines.add(1);
            if !value.is_empty() {
                if !is_of(self.kind, value) {
                    // What a field rule took for one is called so all the same.
                    let (number, kind) = (self.lines.so_far(), self.kinds.name(self.kind));
                    message(&format!(
                        "line {number}: that is no {kind}; told is what it is called as it stands"
                    ));
                }
                self.tell(self.lines.so_far(), value, out);
            }
        }
    }

    fn scrub_piece(&mut self, piece: &[u8], _: bool, out: &mut Vec<u8>) {
        self.scrub(piece, out); // no line is too long
    }

    fn take_tally(&mut self) -> Tally {
        Tally::default()
    }
}
