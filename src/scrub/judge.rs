//! [`Judge`]: one record in, what becomes of it out.

mod inspect;
mod law;
mod left;
mod settled;
mod shield;
mod sight;
mod unknown;
mod value;

use std::sync::Arc;

use jiff::Timestamp;

use super::carry::Read;
use super::dating::Dating;
use super::lane::Lane;
use super::watch::Watch;
use crate::action::Tools;
use crate::action::keys::Keys;
use crate::action::residue::Residues;
use crate::edit::Edits;
use crate::format::{Fields, Head};
use crate::kind::Kinds;
use crate::policy::Policy;
use crate::policy::decide::{Decisions, Sighting};
use crate::policy::taint::Taint;
use crate::span::Span;
use crate::tally::{Tally, acted};
pub use inspect::{Dropped, Judged};
use law::{Law, Pass, Reading};
use value::{Undo, Value};

/// How often the result of an edit is judged again. What is left next to an edit can be a value that its
/// neighbour hid; each pass removes at least one, and real records settle in the second. A record made so
/// that it does not settle is withheld.
const MAX_PASSES: usize = 8;

/// What becomes of a record.
#[derive(Debug)]
pub enum Outcome<'j> {
    /// It stays as it is.
    Unchanged,
    /// It is written as this.
    Edited(&'j [u8]),
    /// It is not written.
    Dropped,
    /// It could not be judged.
    Withheld,
}

/// Judges records under one policy. It owns every buffer of the path, so that a warm one allocates little.
#[derive(Debug)]
pub(super) struct Judge {
    /// One for each stage.
    laws: Vec<Law>,
    /// Under which the record is judged.
    stage: usize,
    keys: Keyed,
    /// Nobody can tell the age of the record: it does not go out unless nothing in it would change.
    withholds_changes: bool,
    scratch: Scratch,
    /// What is left of the record.
    text: Vec<u8>,
    /// What was left of it before the last pass.
    before: Vec<u8>,
    tally: Tally,
    /// What earlier records say about the one that is judged.
    head: Head,
    /// What is judged is a line that names columns.
    is_header: bool,
    /// Places in the record that are to be known in what is left of it.
    places: Vec<usize>,
}

/// The keys, and which of them is that of the record.
#[derive(Debug)]
struct Keyed {
    all: Option<Keys>,
    /// The place of the period in which the record lies, if there is one; the first is that of a key for all times.
    period: Option<usize>,
}

impl Keyed {
    fn tools<'t>(&'t self, kinds: &'t Kinds) -> Tools<'t> {
        Tools { kinds, keys: self.all.as_ref(), period: self.period }
    }
}

#[derive(Debug, Default)]
struct Scratch {
    fields: Fields,
    value: Value,
    detect: crate::detect::Scratch,
    sightings: Vec<Sighting>,
    decisions: Decisions,
    taint: Taint,
    edits: Edits,
    undo: Undo,
    /// What reads the times of records, if a rule acts on them, and when the block was read.
    times: Option<(Dating, Read)>,
}

impl Clone for Judge {
    fn clone(&self) -> Judge {
        Judge::under(self.laws.clone(), self.keys.all.clone(), self.head.clone())
    }
}

impl Judge {
    pub(super) fn new(policy: Arc<Policy>, keys: Option<Keys>) -> Judge {
        let detectors = Arc::new(policy.detectors());
        let head = policy.head();
        let residues = Arc::new(Residues::new(policy.kinds.clone(), keys.clone()));
        let all_detectors = Arc::new(policy.all_detectors());
        let by_period = policy.needs_keys() && keys.as_ref().is_some_and(|keys| !keys.is_single());
        let shields_time = policy.depends_on_age() || by_period;
        let law = Law { policy, detectors, all_detectors, residues, year: None, shields_time };
        Judge::under(vec![law], keys, head)
    }

    /// All keys.
    pub(super) fn keys(&self) -> Option<&Keys> {
        self.keys.all.as_ref()
    }

    fn under(laws: Vec<Law>, keys: Option<Keys>, head: Head) -> Judge {
        Judge {
            laws,
            stage: 0,
            keys: Keyed { all: keys, period: Some(0) },
            withholds_changes: false,
            scratch: Scratch::default(),
            text: Vec::new(),
            before: Vec::new(),
            tally: Tally::default(),
            head,
            is_header: false,
            places: Vec::new(),
        }
    }

    /// Follows these places, ascending, through the edits of the record that is judged next.
    pub(super) fn follow(&mut self, places: Vec<usize>) {
        self.places = places;
    }

    /// Where the places are in what is left of the record.
    pub(super) fn followed(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.places)
    }

    /// The residues in a text.
    pub(super) fn residues_in(&self, text: &[u8]) -> Vec<Span> {
        memchr::memchr_iter(b'[', text).filter_map(|at| self.law().residues.at(text, at)).collect()
    }

    /// The policy of the stage.
    pub(super) fn policy(&self) -> &Arc<Policy> {
        &self.law().policy
    }

    fn law(&self) -> &Law {
        &self.laws[self.stage]
    }

    /// Adds a stage at which this is the policy, of records of that year, and returns its number.
    pub(super) fn add_stage(&mut self, policy: Arc<Policy>, year: Option<i16>) -> usize {
        let law = Law { policy, year, ..self.laws[0].clone() };
        self.laws.push(law);
        self.laws.len() - 1
    }

    /// The policy of a stage.
    pub(super) fn policy_of(&self, stage: usize) -> &Arc<Policy> {
        &self.laws[stage].policy
    }

    /// The year of the records of a stage, where it is asked for and known.
    pub(super) fn year_of(&self, stage: usize) -> Option<i16> {
        self.laws[stage].year
    }

    /// The records that are judged from now on are of this stage.
    pub(super) fn set_stage(&mut self, stage: usize) {
        self.stage = stage;
    }

    /// The same, and under the key of this moment. `withheld`: nobody can tell their age.
    pub(super) fn set_age(&mut self, stage: usize, moment: Option<Timestamp>, withheld: bool) {
        self.set_stage(stage);
        self.withholds_changes = withheld;
        if let Some(keys) = self.keys.all.as_ref().filter(|keys| !keys.is_single()) {
            self.keys.period = moment.and_then(|moment| keys.period_at(moment));
        }
    }

    /// What reads the times of the records that are judged from now on, which were read then.
    pub(super) fn set_times(&mut self, dating: &Dating, read: Read) {
        if let Some((_, known)) = &mut self.scratch.times {
            *known = read;
        } else if self.laws[0].shields_time || self.policy_of(0).asks_for_record_time() {
            self.scratch.times = Some((dating.clone(), read));
        }
    }

    /// The stage under which records are judged.
    pub(super) fn stage(&self) -> usize {
        self.stage
    }

    /// Whether a record in which anything would change does not go out.
    pub(super) fn withholds_changes(&self) -> bool {
        self.withholds_changes
    }

    /// What tells the records that need more than the marks of built-in kinds.
    pub(super) fn watch(&self) -> Watch {
        Watch::new(&self.law().policy, Arc::clone(&self.law().detectors))
    }

    /// The fast lane.
    pub(super) fn lane(&self, watch: &Watch) -> Lane {
        let Law { policy, detectors, shields_time, .. } = self.law();
        Lane::new(policy, detectors, watch, self.tools(), *shields_time)
    }

    /// What actions need.
    pub(super) fn tools(&self) -> Tools<'_> {
        self.keys.tools(&self.law().policy.kinds)
    }

    /// Whether the records that are judged from now on are lines that name columns.
    pub(super) fn at_header(&mut self, is_header: bool) {
        self.is_header = is_header;
    }

    /// What holds for the records that are judged from now on.
    pub(super) fn begin(&mut self, head: &Head) {
        if !head.is_same(&self.head) {
            self.head = head.clone();
        }
    }

    pub(super) fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// Judges a record without its line end.
    ///
    /// What is left is judged again until nothing changes, so that scrubbing the output changes nothing. `key`: what of
    /// it is a line of a private key.
    pub(super) fn judge(&mut self, record: &[u8], key: Option<Span>) -> Outcome<'_> {
        self.scratch.decisions.begin_record();
        self.scratch.taint.begin();
        let mut was_header = false;
        for passes in 0..MAX_PASSES {
            let (current, key) = if passes == 0 { (record, key) } else { (self.text.as_slice(), None) };
            // What is left of a header may not look like one.
            let record_reading = Reading::Record { head: &self.head, is_header: self.is_header, key };
            let reading = if was_header { Reading::Text } else { record_reading };
            let law = &self.laws[self.stage];
            let tools = self.keys.tools(&law.policy.kinds);
            let pass = law.pass(current, reading, tools, &mut self.scratch);
            was_header |= self.scratch.fields.is_header();
            match pass {
                Pass::Clean if passes == 0 => return Outcome::Unchanged,
                Pass::Clean => {
                    self.tally.changed += 1;
                    return Outcome::Edited(&self.text);
                }
                _ if self.withholds_changes => break,
                Pass::Dropped => {
                    self.tally.drop_records(1, law.year);
                    self.count();
                    return Outcome::Dropped;
                }
                Pass::Withheld => break,
                Pass::Edited => {}
            }
            law.count_unknown(current, &mut self.scratch, &mut self.tally.unknown);
            let is_settled = passes == 0 && law.is_settled(current, &self.scratch);
            self.before.clear();
            self.scratch.edits.splice(current, &mut self.before);
            self.scratch.edits.move_places(&mut self.places);
            std::mem::swap(&mut self.text, &mut self.before);
            self.count();
            if is_settled {
                self.tally.changed += 1;
                return Outcome::Edited(&self.text);
            }
        }
        self.tally.withheld += 1;
        Outcome::Withheld
    }

    /// Whether long records can be scrubbed window by window: no rule asks for the record as a whole.
    pub(super) fn judges_windows(&self) -> bool {
        !self.policy().needs_fields() && !self.policy().drops_records() && !self.withholds_changes
    }

    /// The edits of a text on its own. `begins`: a record begins with it.
    pub(super) fn edits_of_text(&mut self, text: &[u8], begins: bool) -> &Edits {
        self.scratch.decisions.begin_record();
        self.scratch.taint.begin();
        let law = &self.laws[self.stage];
        let tools = self.keys.tools(&law.policy.kinds);
        let reading = if begins { Reading::Beginning { head: &self.head } } else { Reading::Text };
        law.pass(text, reading, tools, &mut self.scratch);
        &self.scratch.edits
    }

    pub(super) fn count_withheld(&mut self) {
        self.tally.withheld += 1;
    }

    pub(super) fn count_dropped(&mut self, records: u64) {
        self.tally.drop_records(records, self.law().year);
    }

    pub(super) fn count_changed(&mut self, changed: bool) {
        self.tally.changed += u64::from(changed);
    }

    /// Counts the edits of the last pass.
    pub(super) fn count(&mut self) {
        self.tally.without_key += self.scratch.edits.without_key;
        for cause in self.scratch.edits.list.iter().filter_map(|edit| edit.cause) {
            let Law { policy, year, .. } = &self.laws[self.stage];
            self.tally.act(acted(policy, cause.rule, cause.kind, *year, 1));
        }
    }
}
