//! Values to replacements: what is done to a value that may not stay as it is.

mod apply;
mod base32;
pub mod canonical;
pub mod encrypt;
pub mod hash;
pub mod keys;
mod ladder;
mod prefix;
pub mod residue;
mod seen;
mod trace;
pub mod truncate;
mod zip;

pub use apply::{Left, Tools, apply, place};
pub use ladder::{advance, effective, is_left_by, is_legal};
pub use trace::Trace;

/// What a rule does to a value (the words of the rules file).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Leave it as it is.
    Keep,
    /// A token that the holder of the key can turn back: `[email~k…:…]`.
    Encrypt,
    /// A keyed pseudonym: `[email:k…:…]`.
    Hash(Hash),
    /// Fewer bits or digits.
    Truncate(Truncate),
    /// As many `*` as there were letters and digits; separators stay.
    Mask,
    /// A fixed text: `[kind]`, or the given one.
    Redact {
        /// Text in place of `[kind]`.
        with: Option<String>,
    },
    /// `[withheld]`: nobody said what the value is.
    Withhold,
    /// The field or pair goes; `[]` in running text.
    Drop,
    /// The whole record is not written.
    DropRecord,
}

/// Parameters of `hash`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Hash {
    /// What stays readable beside the pseudonym; of a card number nothing ever does.
    pub keep: Option<Part>,
    /// `scope = "forever"`: one key for all periods.
    pub forever: bool,
    /// What is hashed.
    pub of: Of,
}

/// A part of a value that stays readable beside its pseudonym.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The domain of an e-mail address.
    Domain,
    /// The network of an address: its leading bits.
    Network {
        /// Of an IPv4 address (0..=32).
        ipv4: u8,
        /// Of an IPv6 address (0..=128).
        ipv6: u8,
    },
}

/// What is hashed. It is not written in rules, but follows from the steps of a ladder before `hash`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Of {
    /// The value.
    #[default]
    Value,
    /// The value that was encrypted; one that is too long for that was redacted.
    Encrypted,
    /// What truncation leaves; a value of which it leaves nothing is redacted, and a card number always is.
    Truncated(Truncate),
}

/// Parameters of `truncate`: what may stay of a value, by its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncate {
    /// Leading bits of an IPv4 address that stay (0..=32; default 24).
    pub ipv4: u8,
    /// Leading bits of an IPv6 address that stay (0..=128; default 48).
    pub ipv6: u8,
    /// What stays of a card number.
    pub pan: PanKeep,
    /// `email = "domain"`: the domain stays. Otherwise an address is redacted.
    pub email_domain: bool,
    /// Leading digits of a postal code that stay (0..=5). Without, one is redacted.
    pub zip: Option<u8>,
    /// What stays of a date.
    pub date: Option<DateKeep>,
    /// What stays of a time.
    pub time: Option<TimeKeep>,
    /// `pseudonymise = "prefix"`: addresses take the place of addresses, and no bits are cut off.
    pub pseudonymise: bool,
    /// Only what an earlier step of a ladder left beside a pseudonym; not written in rules.
    pub only: Option<Part>,
}

impl Default for Truncate {
    fn default() -> Truncate {
        Truncate {
            ipv4: 24,
            ipv6: 48,
            pan: PanKeep::First6Last4,
            email_domain: true,
            zip: None,
            date: None,
            time: None,
            pseudonymise: false,
            only: None,
        }
    }
}

/// What truncation leaves of a date, most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DateKeep {
    /// Year and month.
    Month,
    /// The year.
    Year,
}

/// What truncation leaves of a time, most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimeKeep {
    /// All but the seconds.
    Minute,
    /// All but minutes and seconds.
    Hour,
    /// The date.
    Day,
}

/// What truncation leaves of a time or date, most first: everything below is at its lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimeUnit {
    /// `time = "minute"`.
    Minute,
    /// `time = "hour"`.
    Hour,
    /// `time = "day"`.
    Day,
    /// `date = "month"`.
    Month,
    /// `date = "year"`.
    Year,
}

impl Truncate {
    /// What stays of a time or date, if any of it does.
    pub fn time_unit(&self) -> Option<TimeUnit> {
        let time = self.time.map(|time| match time {
            TimeKeep::Minute => TimeUnit::Minute,
            TimeKeep::Hour => TimeUnit::Hour,
            TimeKeep::Day => TimeUnit::Day,
        });
        let date = self.date.map(|date| match date {
            DateKeep::Month => TimeUnit::Month,
            DateKeep::Year => TimeUnit::Year,
        });
        time.max(date)
    }
}

impl Truncate {
    /// The word of the rules file for [`Truncate::time_unit`].
    pub fn time_word(&self) -> Option<&'static str> {
        self.date.map(DateKeep::name).or(self.time.map(TimeKeep::name))
    }
}

/// Digits of a card number that truncation leaves, most first (PCI SSC FAQ 1091).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PanKeep {
    /// First six and last four, of 15 to 19 digits; of fewer digits the last four only.
    First6Last4,
    /// The last four.
    Last4,
}

impl Action {
    /// Whether what is left depends on the value with its escapes undone.
    pub fn reads_plain(&self) -> bool {
        matches!(self, Action::Encrypt | Action::Hash(_) | Action::Truncate(_))
    }

    /// The word of the rules file that needs a keyring, if one does.
    pub fn keyed(&self) -> Option<&'static str> {
        match self {
            Action::Encrypt | Action::Hash(_) => Some(self.name()),
            Action::Truncate(Truncate { pseudonymise: true, .. }) => Some("pseudonymise"),
            _ => None,
        }
    }

    /// Whether its key serves for ever, not one period.
    pub fn is_for_ever(&self) -> bool {
        matches!(self, Action::Hash(Hash { forever: true, .. }))
    }

    /// Whether it needs the key of a period.
    pub fn is_by_period(&self) -> bool {
        self.keyed().is_some() && !self.is_for_ever()
    }

    /// Whether a value may stand elsewhere, or with quotes around it, after the action: it goes with its name and
    /// its separators, or what is written holds what separates fields in some format.
    pub fn depends_on_format(&self) -> bool {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:/@*#[]()<>-".contains(&byte);
        match self {
            Action::Drop => true,
            Action::Redact { with: Some(text) } => text.is_empty() || !text.bytes().all(is_plain),
            _ => false,
        }
    }

    /// Rank of what is left, weakest first: where different sightings overlap, the stronger action wins.
    pub fn strength(&self) -> u8 {
        match self {
            Action::Keep => 0,
            // An address in place of an address can be turned back as well.
            Action::Encrypt | Action::Truncate(Truncate { pseudonymise: true, .. }) => 1,
            Action::Hash(_) => 2,
            Action::Truncate(_) => 3,
            Action::Mask => 4,
            Action::Redact { .. } => 5,
            Action::Withhold => 6,
            Action::Drop => 7,
            Action::DropRecord => 8,
        }
    }

    /// The word of the rules file.
    pub fn name(&self) -> &'static str {
        match self {
            Action::Keep => "keep",
            Action::Encrypt => "encrypt",
            Action::Hash(_) => "hash",
            Action::Truncate(_) => "truncate",
            Action::Mask => "mask",
            Action::Redact { .. } => "redact",
            Action::Withhold => "withhold",
            Action::Drop => "drop",
            Action::DropRecord => "drop_record",
        }
    }
}

impl Action {
    /// What the action leaves, for people: `fewer bits: ipv4 /24, ipv6 /48`.
    pub fn describe(&self) -> String {
        match self {
            Action::Keep => "the value".to_owned(),
            Action::Encrypt => "a token that can be turned back".to_owned(),
            Action::Hash(hash) => hash.describe(),
            Action::Truncate(keep) => keep.describe(),
            Action::Mask => "its length".to_owned(),
            Action::Redact { with: Some(text) } => text.clone(),
            Action::Redact { with: None } => "[kind]".to_owned(),
            Action::Withhold => "[withheld]".to_owned(),
            Action::Drop => "nothing".to_owned(),
            Action::DropRecord => "no record".to_owned(),
        }
    }
}

impl Hash {
    fn describe(self) -> String {
        let scope = if self.forever { " for ever" } else { "" };
        let part = match self.keep {
            None => String::new(),
            Some(Part::Domain) => " and the domain".to_owned(),
            Some(Part::Network { ipv4, ipv6 }) => format!(" and the network (ipv4 /{ipv4}, ipv6 /{ipv6})"),
        };
        format!("a pseudonym{scope}{part}")
    }
}

impl Truncate {
    fn describe(&self) -> String {
        let pan = if self.pan == PanKeep::Last4 { "last 4" } else { "first 6, last 4" };
        let email = if self.email_domain { "domain" } else { "nothing" };
        let ip = match self.pseudonymise {
            true => "ip an address in its place".to_owned(),
            false => format!("ipv4 /{}, ipv6 /{}", self.ipv4, self.ipv6),
        };
        let mut text = format!("{ip}, pan {pan}, email {email}");
        if let Some(digits) = self.zip {
            text += &format!(", zip {digits} digits");
        }
        if let Some(part) = self.date {
            text += &format!(", date {}", part.name());
        }
        if let Some(part) = self.time {
            text += &format!(", time {}", part.name());
        }
        text
    }
}

impl DateKeep {
    /// The word of the rules file.
    pub fn name(self) -> &'static str {
        match self {
            DateKeep::Month => "month",
            DateKeep::Year => "year",
        }
    }
}

impl TimeKeep {
    /// The word of the rules file.
    pub fn name(self) -> &'static str {
        match self {
            TimeKeep::Minute => "minute",
            TimeKeep::Hour => "hour",
            TimeKeep::Day => "day",
        }
    }
}
