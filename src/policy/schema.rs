//! The language of the rules file: every table, every key, what it takes. Data only; `shape` holds a
//! file against it, and `rules/schema.json` is made from it.

/// One table of the language.
#[derive(Debug)]
pub struct Table {
    /// Where it stands, dotted: `rule`, `rule.only`. Empty for the file itself.
    pub path: &'static str,
    /// What it is called in messages.
    pub what: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
}

/// One key of a table.
#[derive(Debug)]
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// What it takes.
    pub shape: Shape,
    /// What it means, in one sentence, for editors.
    pub doc: &'static str,
}

/// What a key takes.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Any text.
    Text,
    /// `true` or `false`.
    Truth,
    /// A whole number within these bounds.
    Whole(i64, i64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A span of time: `7d`, `2w`, `13mo`, `1y`.
    Age,
    /// A date: `2028-12-31`.
    Date,
    /// A time as in RFC 3339, bare or as a text.
    Time,
    /// A list of texts.
    Texts,
    /// A table of names and texts.
    NamedText,
    /// A table of names and lists of texts.
    NamedTexts,
    /// One table.
    Table(&'static Table),
    /// A list of tables.
    Tables(&'static Table),
    /// A table of names and tables.
    Named(&'static Table),
    /// One of these words, or a table with one key.
    WordOr(&'static [&'static str], &'static Table),
}

const fn key(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    Key { name, shape, doc }
}

/// What is well formed but comes with a later version: refused, never ignored.
///
/// A path names a key; with a word it names that value of the key.
pub const LATER: &[(&str, Option<&str>)] = &[];

/// Kinds of the language that no detector of this version finds.
pub const LATER_KINDS: &[&str] = &[
    "iban",
    "us_ssn",
    "phone",
    "mac",
    "imei",
    "url_credentials",
    "secret_kv",
    "session_id",
    "aws_access_key_id",
    "github_token",
];

/// Whether a key, or this word under it, comes with a later version.
pub fn is_later(path: &str, word: Option<&str>) -> bool {
    LATER.contains(&(path, word))
}

/// Actions that may be written as one word.
pub const ACTIONS: &[&str] =
    &["keep", "encrypt", "hash", "truncate", "mask", "redact", "drop", "drop_record"];

/// The file.
pub static FILE: Table = Table {
    path: "",
    what: "a rules file",
    keys: &[
        key("title", Shape::Text, "What the policy is for, in one line."),
        key(
            "extends",
            Shape::Texts,
            "Packs by name and files by path; their rules are asked after those here.",
        ),
        key("claims", Shape::Texts, "What this policy says it meets; the checks for it become errors."),
        key("input", Shape::Table(&INPUT), "How records are read."),
        key("output", Shape::Table(&OUTPUT), "How replacements are written."),
        key("pseudonyms", Shape::Table(&PSEUDONYMS), "The keys of `hash` and `encrypt`."),
        key("lists", Shape::Named(&LIST), "Literal dictionaries; the name of each is its kind."),
        key("groups", Shape::NamedTexts, "Names for several kinds; groups may hold groups."),
        key(
            "detectors",
            Shape::Named(&DETECTOR),
            "Regex detectors of your own; the name of each is its kind.",
        ),
        key(
            "rule",
            Shape::Tables(&RULE),
            "What is covered and what may be kept of it; the first that covers decides.",
        ),
        key("records", Shape::Table(&RECORDS), "Retention of whole records."),
        key("fields", Shape::Table(&FIELDS), "Default deny for the fields of structured records."),
        key(
            "source",
            Shape::Tables(&SOURCE),
            "Another policy for some inputs; the first match takes its own file.",
        ),
        key("hold", Shape::Tables(&HOLD), "A legal hold: what is stored stays as it is until a date."),
        key("test", Shape::Tables(&TEST), "A record and what must become of it."),
    ],
};

static INPUT: Table = Table {
    path: "input",
    what: "`[input]`",
    keys: &[
        key(
            "format",
            Shape::Word(&[
                "auto",
                "text",
                "json",
                "logfmt",
                "access",
                "w3c",
                "alb",
                "csv",
                "tsv",
                "syslog",
                "cri",
                "docker",
                "journal",
                "journal-export",
                "cef",
                "leef",
                "xml",
            ]),
            "The grammar that yields fields.",
        ),
        key(
            "columns",
            Shape::Text,
            "For `access`: the nginx log_format or Apache LogFormat; for `csv`, `tsv` and `w3c`: the names.",
        ),
        key("time", Shape::Text, "The field that holds the record's own time."),
        key("zone", Shape::Text, "The offset of times that carry none; default UTC."),
        key(
            "undated",
            Shape::Word(&["arrival", "file", "oldest", "newest", "withhold"]),
            "What the age of a record without a time is.",
        ),
    ],
};

static OUTPUT: Table = Table {
    path: "output",
    what: "`[output]`",
    keys: &[key("numbers", Shape::Word(&["string", "null"]), "What a replaced JSON number becomes.")],
};

static PSEUDONYMS: Table = Table {
    path: "pseudonyms",
    what: "`[pseudonyms]`",
    keys: &[
        key(
            "keyring",
            Shape::Text,
            "The file of keys, made by `logscrub key new --keyring FILE`; or `credential:NAME`, or `fd:NUMBER`.",
        ),
        key("every", Shape::Age, "Length of a period; the keyring must have been made with it."),
        key(
            "forget_after",
            Shape::Age,
            "How long after its period `logscrub key forget --due` removes a key.",
        ),
    ],
};

static LIST: Table = Table {
    path: "lists",
    what: "a list",
    keys: &[
        key("file", Shape::Text, "A file with one entry a line; `#` begins a comment."),
        key("words", Shape::Texts, "The entries themselves, in place of a file."),
        key("ignore_case", Shape::Truth, "Whether case is ignored (ASCII letters)."),
    ],
};

/// One of `[detectors]`.
pub static DETECTOR: Table = Table {
    path: "detectors",
    what: "a detector",
    keys: &[
        key("regex", Shape::Text, "The shape; a group (?<value>…) is what goes, otherwise the whole match."),
        key("checksum", Shape::Word(&["luhn", "mod97"]), "A check on the digits of the value."),
        key("keywords", Shape::Texts, "Words of which one must stand nearby."),
        key("examples", Shape::Table(&EXAMPLES), "Texts that are tried when the file is loaded."),
    ],
};

static EXAMPLES: Table = Table {
    path: "detectors.examples",
    what: "`examples`",
    keys: &[
        key("match", Shape::Texts, "Texts in which the detector must find something."),
        key("ignore", Shape::Texts, "Texts in which it must find nothing."),
    ],
};

/// One `[[rule]]`.
pub static RULE: Table = Table {
    path: "rule",
    what: "a rule",
    keys: &[
        key("name", Shape::Text, "Its name; `pack/name` takes the place of an inherited rule."),
        key("find", Shape::Texts, "Kinds and groups, wherever they stand."),
        key("field", Shape::Texts, "Fields whose whole value is meant, whatever it holds."),
        key("in", Shape::Texts, "With `find`: only in these fields."),
        key("not_in", Shape::Texts, "With `find`: not in these fields."),
        key("only", Shape::Table(&ONLY), "With `find`: only these values."),
        key(
            "unless",
            Shape::Table(&UNLESS),
            "With `find`: steps aside for these values; the next rule is asked.",
        ),
        key("when", Shape::NamedText, "Globs on other fields of the record; all must hold."),
        key("as", Shape::Text, "With `field`: the kind that the value is."),
        key(
            "elsewhere",
            Shape::Word(&["words", "no"]),
            "With `field`: whether copies of the value in the same record go too, as whole words (the default).",
        ),
        key("binding", Shape::Truth, "No earlier rule may leave more."),
        key("instead_of", Shape::Texts, "Binding rules that this rule takes the place of."),
        key("why", Shape::Text, "Why, in your words."),
        key("clause", Shape::Texts, "The clauses that it answers."),
        key("action", Shape::WordOr(ACTIONS, &ACTION), "What is done; short for a ladder of one step."),
        key("retain", Shape::Tables(&STEP), "The ladder: actions by age of the record."),
    ],
};

static ONLY: Table = Table { path: "rule.only", what: "`only`", keys: VALUE_KEYS };
static UNLESS: Table = Table { path: "rule.unless", what: "`unless`", keys: VALUE_KEYS };

const VALUE_KEYS: &[Key] = &[
    key("networks", Shape::Texts, "Networks that hold the address: 10.0.0.0/8."),
    key("values", Shape::Texts, "Exact values; case and the separators of digits do not matter."),
    key("domains", Shape::Texts, "E-mail domains with their subdomains."),
    key("suffixes", Shape::Texts, "Endings of the value; case does not matter."),
    key("lists", Shape::Texts, "Lists that hold the value."),
];

/// One step of `retain`.
pub static STEP: Table = Table {
    path: "rule.retain",
    what: "a step of a ladder",
    keys: &[
        key("until", Shape::Age, "The step holds while the record is younger than this."),
        key("action", Shape::WordOr(ACTIONS, &ACTION), "What is done."),
    ],
};

static ACTION: Table = Table {
    path: "action",
    what: "an action",
    keys: &[
        key("redact", Shape::Table(&REDACT), "A fixed text in place of the value."),
        key("truncate", Shape::Table(&TRUNCATE), "Fewer bits or digits."),
        key("hash", Shape::Table(&HASH), "A keyed pseudonym."),
        key("encrypt", Shape::Table(&ENCRYPT), "A token that the holder of the key can turn back."),
    ],
};

static REDACT: Table = Table {
    path: "redact",
    what: "`redact`",
    keys: &[key("with", Shape::Text, "The text, in place of `[kind]`.")],
};

static TRUNCATE: Table = Table {
    path: "truncate",
    what: "`truncate`",
    keys: &[
        key("ipv4", Shape::Whole(0, 32), "Leading bits of an IPv4 address that stay; default 24."),
        key("ipv6", Shape::Whole(0, 128), "Leading bits of an IPv6 address that stay; default 48."),
        key("pan", Shape::Word(&["first6last4", "last4"]), "Digits of a card number that stay, at most."),
        key("email", Shape::Word(&["domain"]), "The domain of an e-mail address stays."),
        key("date", Shape::Word(&["year", "month"]), "The part of a date that stays."),
        key("time", Shape::Word(&["hour", "minute", "day"]), "The part of a time that stays."),
        key(
            "zip",
            Shape::Whole(0, 5),
            "Leading digits of a postal code that stay, in fields with as = \"zip\".",
        ),
        key(
            "pseudonymise",
            Shape::Word(&["prefix"]),
            "Addresses take the place of addresses; those that share their first bits share as many after.",
        ),
    ],
};

static HASH: Table = Table {
    path: "hash",
    what: "`hash`",
    keys: &[
        key(
            "keep",
            Shape::Text,
            "What stays readable: `domain` of an e-mail address; `/24` or `/24,/48`, the network of an IP address.",
        ),
        key("scope", Shape::Word(&["forever"]), "One key for all periods."),
    ],
};

static ENCRYPT: Table = Table { path: "encrypt", what: "`encrypt`", keys: &[] };

static RECORDS: Table = Table {
    path: "records",
    what: "`[records]`",
    keys: &[
        key("drop_after", Shape::Age, "Records older than this are not written."),
        key("keep_at_least", Shape::Age, "No rule may drop a younger record."),
    ],
};

static FIELDS: Table = Table {
    path: "fields",
    what: "`[fields]`",
    keys: &[
        key(
            "allow",
            Shape::Texts,
            "Fields that may stay, with all that lies below them, beside those that a rule names.",
        ),
        key(
            "otherwise",
            Shape::Word(&["withhold", "drop"]),
            "What happens to the value of every other field.",
        ),
        key(
            "unparsed",
            Shape::Word(&["withhold", "text"]),
            "What happens to a record that yields no fields.",
        ),
    ],
};

/// One `[[source]]`.
pub static SOURCE: Table = Table {
    path: "source",
    what: "a source",
    keys: &[
        key(
            "path",
            Shape::Text,
            "A glob on the file's path: `**` stands for any folders, `*` and `?` for no `/`.",
        ),
        key("label", Shape::NamedText, "Globs on labels given with --label."),
        key("rules", Shape::Text, "The rules file of these inputs."),
    ],
};

/// One `[[hold]]`.
pub static HOLD: Table = Table {
    path: "hold",
    what: "a hold",
    keys: &[
        key("name", Shape::Text, "Its name, for the report."),
        key(
            "path",
            Shape::Texts,
            "Globs on the files' paths: `**` stands for any folders, `*` and `?` for no `/`.",
        ),
        key(
            "records",
            Shape::Texts,
            "Words; records that hold one of them as a whole word, in any case, stay as they are.",
        ),
        key("until", Shape::Date, "The hold is over at the first moment of this date in UTC."),
        key("why", Shape::Text, "Why, in your words."),
    ],
};

/// One `[[test]]`.
pub static TEST: Table = Table {
    path: "test",
    what: "a test",
    keys: &[
        key("name", Shape::Text, "Its name."),
        key("age", Shape::Age, "The age of the record."),
        key("now", Shape::Time, "The time of the run."),
        key("from", Shape::NamedText, "Labels of the input."),
        key("input", Shape::Text, "The record, without a line end."),
        key("gone", Shape::Texts, "Texts that may not be in the output."),
        key("stays", Shape::Texts, "Texts that must be in the output."),
        key("expect", Shape::Text, "The whole output."),
    ],
};
