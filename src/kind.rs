//! [`Kind`]: what a value is, and [`Kinds`]: the names of all kinds that a policy knows.

/// What a value is: `email`, `ipv4`, a user's own `customer_id`.
///
/// A small number; its name lives in the [`Kinds`] of the policy that made it. The built-in kinds have the
/// same number in every policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(u16);

impl Kind {
    /// An e-mail address (RFC 5321, RFC 6531).
    pub const EMAIL: Kind = Kind(0);
    /// An IPv4 address (RFC 791).
    pub const IPV4: Kind = Kind(1);
    /// An IPv6 address (RFC 4291).
    pub const IPV6: Kind = Kind(2);
    /// A primary account number of a payment card (ISO/IEC 7812-1).
    pub const PAN: Kind = Kind(3);
    /// A whole value that a field rule covers and no detector knows.
    pub const FIELD: Kind = Kind(4);
    /// A private key in PEM form (RFC 7468).
    pub const PRIVATE_KEY: Kind = Kind(5);
    /// A JSON Web Token (RFC 7519).
    pub const JWT: Kind = Kind(6);
    /// Credentials of Basic authentication (RFC 7617).
    pub const BASIC_AUTH: Kind = Kind(7);
    /// A bearer token (RFC 6750).
    pub const BEARER: Kind = Kind(8);
    /// The time of the record itself.
    pub const RECORD_TIME: Kind = Kind(9);

    /// Whether it has that number in every policy.
    pub const fn is_built_in(self) -> bool {
        self.index() < BUILT_IN.len()
    }

    /// Position in the table of kinds.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The built-in kinds, in the order of their numbers.
pub const BUILT_IN: [&str; 10] =
    ["email", "ipv4", "ipv6", "pan", "field", "private_key", "jwt", "basic_auth", "bearer", "record_time"];

/// The names of all kinds of one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kinds {
    names: Vec<String>,
}

impl Default for Kinds {
    fn default() -> Kinds {
        Kinds { names: BUILT_IN.iter().map(|name| (*name).to_owned()).collect() }
    }
}

/// Bytes of the name of a kind, at most: it stands in every residue.
pub const NAME_BYTES: usize = 32;

impl Kinds {
    /// Whether a kind may have that name.
    pub fn is_name(name: &str) -> bool {
        name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            && name.len() <= NAME_BYTES
    }

    /// The kind of that name, if there is one.
    pub fn get(&self, name: &str) -> Option<Kind> {
        self.names.iter().position(|known| known == name).map(|at| Kind(at as u16))
    }

    /// The kind of that name, made if need be.
    ///
    /// # Panics
    /// Beyond 65,536 kinds, which the limits on a rules file rule out.
    pub fn intern(&mut self, name: &str) -> Kind {
        if let Some(kind) = self.get(name) {
            return kind;
        }
        assert!(self.names.len() < usize::from(u16::MAX), "more kinds than a rules file may name");
        self.names.push(name.to_owned());
        Kind((self.names.len() - 1) as u16)
    }

    /// The name of a kind of this policy.
    pub fn name(&self, kind: Kind) -> &str {
        &self.names[kind.index()]
    }

    /// All kinds with their names, built-in ones first.
    pub fn iter(&self) -> impl Iterator<Item = (Kind, &str)> {
        self.names.iter().enumerate().map(|(at, name)| (Kind(at as u16), name.as_str()))
    }

    /// Number of kinds.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Never: the built-in kinds are always there.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// A set of kinds of one policy.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct KindSet {
    bits: Vec<u64>,
}

impl KindSet {
    /// Adds a kind.
    pub fn insert(&mut self, kind: Kind) {
        let word = kind.index() / 64;
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        self.bits[word] |= 1 << (kind.index() % 64);
    }

    /// Whether the kind is in the set.
    pub fn contains(&self, kind: Kind) -> bool {
        self.bits.get(kind.index() / 64).is_some_and(|word| word >> (kind.index() % 64) & 1 == 1)
    }

    /// The kinds, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = Kind> {
        let words = self.bits.iter().enumerate();
        words.flat_map(|(word, bits)| {
            (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| Kind((word * 64 + bit) as u16))
        })
    }

    /// Whether no kind is in the set.
    pub fn is_empty(&self) -> bool {
        self.bits.iter().all(|word| *word == 0)
    }
}

impl FromIterator<Kind> for KindSet {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> KindSet {
        let mut set = KindSet::default();
        kinds.into_iter().for_each(|kind| set.insert(kind));
        set
    }
}
