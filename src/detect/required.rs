//! The literals of which one stands in every match of a regex.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use super::literals::Literal;

/// Texts that a part of a regex may stand for in full; of more it is not asked what they are.
const MAX_TEXTS: usize = 32;
/// Literals of one regex: alternations of words are lists in all but name.
const MAX_LITERALS: usize = 1024;
/// Longer literals are cut: what is told apart by more is compared by the regex itself.
const MAX_LITERAL_BYTES: usize = 32;
/// Parts of a concatenation at which a run of literals is begun anew.
const MAX_BEGINNINGS: usize = 64;
/// Of a million places; a literal that is expected at more says too little.
const MAX_FREQUENCY: f32 = 500.0;

/// Literals of which at least one stands in any match, if there are such and if they are rare.
///
/// What a look-around asks is left out of account: the literals are those of a wider regex.
pub(super) fn required(hir: &Hir) -> Option<Vec<Literal>> {
    if let Some(texts) = texts(hir)
        && say_enough(&texts)
    {
        return Some(texts);
    }
    match hir.kind() {
        HirKind::Capture(_) | HirKind::Concat(_) | HirKind::Literal(_) | HirKind::Repetition(_) => {
            let mut parts = Vec::new();
            flatten(hir, &mut parts);
            of_run(&parts)
        }
        HirKind::Alternation(branches) => {
            let mut all = Vec::new();
            for branch in branches {
                all.extend(required(branch)?);
                if all.len() > MAX_LITERALS {
                    return None;
                }
            }
            Some(all)
        }
        _ => None,
    }
}

/// The better of two sets of literals, each of which would do: the one that is expected at fewer places, then the smaller.
pub(super) fn better(one: Option<Vec<Literal>>, other: Option<Vec<Literal>>) -> Option<Vec<Literal>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if cost(&other) < cost(&one) { other } else { one }),
        (one, other) => one.or(other),
    }
}

/// Places in a million at which one of them is expected, and for each a bit more than none. Bytes depend on one
/// another, so that of two literals the longer is the rarer, however rare the parts of both.
fn cost(literals: &[Literal]) -> f32 {
    let of = |literal: &Literal| (literal.frequency() + 0.1) * (1.0 + 8.0 / literal.bytes().len() as f32);
    literals.iter().map(of).sum()
}

fn say_enough(literals: &[Literal]) -> bool {
    !literals.is_empty()
        && literals.iter().all(|literal| literal.bytes().len() >= 2 && literal.frequency() <= MAX_FREQUENCY)
}

/// The parts that follow one another, groups undone.
fn flatten<'h>(hir: &'h Hir, parts: &mut Vec<&'h Hir>) {
    match hir.kind() {
        HirKind::Capture(capture) => flatten(&capture.sub, parts),
        HirKind::Concat(inner) => inner.iter().for_each(|part| flatten(part, parts)),
        _ => parts.push(hir),
    }
}

/// The best literals of parts that follow one another.
fn of_run(parts: &[&Hir]) -> Option<Vec<Literal>> {
    let mut best = None;
    for from in 0..parts.len().min(MAX_BEGINNINGS) {
        let mut run = vec![Literal::new(b"", false)];
        for part in &parts[from..] {
            let (texts, whole) = beginning(part);
            let next = texts.and_then(|texts| product(&run, &texts));
            let Some(next) = next else { break };
            run = next;
            if say_enough(&run) {
                best = better(best, Some(run.clone()));
            }
            if !whole || run.iter().any(|text| text.bytes().len() >= MAX_LITERAL_BYTES) {
                break;
            }
        }
        best = better(best, of_part(parts[from]));
    }
    best
}

/// The best literals inside a part.
fn of_part(hir: &Hir) -> Option<Vec<Literal>> {
    match hir.kind() {
        HirKind::Repetition(repetition) if repetition.min > 0 => required(&repetition.sub),
        HirKind::Alternation(_) => required(hir),
        _ => None,
    }
}

/// What a match of the part begins with, and whether that is all of it.
fn beginning(hir: &Hir) -> (Option<Vec<Literal>>, bool) {
    if let Some(texts) = texts(hir) {
        return (Some(texts), true);
    }
    match hir.kind() {
        HirKind::Literal(literal) => {
            (Some(vec![Literal::new(&literal.0, false).cut(MAX_LITERAL_BYTES)]), false)
        }
        HirKind::Repetition(Repetition { min, sub, .. }) if *min > 0 => {
            let once = texts(sub);
            let mut run = once.clone();
            for _ in 1..(*min).min(MAX_LITERAL_BYTES as u32) {
                let longer = run.as_ref().zip(once.as_ref()).and_then(|(run, once)| product(run, once));
                match longer {
                    Some(longer) => run = Some(longer),
                    None => break,
                }
            }
            (run, false)
        }
        _ => (None, false),
    }
}

/// Every text that the regex matches, if they are few and short.
fn texts(hir: &Hir) -> Option<Vec<Literal>> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(vec![Literal::new(b"", false)]),
        HirKind::Literal(literal) => {
            (literal.0.len() <= MAX_LITERAL_BYTES).then(|| vec![Literal::new(&literal.0, false)])
        }
        HirKind::Class(class) => of_class(class),
        HirKind::Capture(capture) => texts(&capture.sub),
        HirKind::Repetition(repetition) => repeated(repetition),
        HirKind::Concat(parts) => {
            let begin = vec![Literal::new(b"", false)];
            parts.iter().try_fold(begin, |run, part| product(&run, &texts(part)?))
        }
        HirKind::Alternation(branches) => {
            let mut all = Vec::new();
            for branch in branches {
                all.extend(texts(branch)?);
                if all.len() > MAX_TEXTS {
                    return None;
                }
            }
            Some(all)
        }
    }
}

fn repeated(repetition: &Repetition) -> Option<Vec<Literal>> {
    let max = repetition.max.filter(|max| *max as usize <= MAX_LITERAL_BYTES)?;
    let once = texts(&repetition.sub)?;
    let mut run = vec![Literal::new(b"", false)];
    let mut all = Vec::new();
    for count in 0..=max {
        if count > 0 {
            run = product(&run, &once)?;
        }
        if count >= repetition.min {
            all.extend(run.iter().cloned());
        }
        if all.len() > MAX_TEXTS {
            return None;
        }
    }
    Some(all)
}

/// Each text of the one followed by each of the other.
fn product(one: &[Literal], other: &[Literal]) -> Option<Vec<Literal>> {
    if one.len() * other.len() > MAX_TEXTS {
        return None;
    }
    let all: Vec<Literal> =
        one.iter().flat_map(|first| other.iter().map(|second| first.followed_by(second))).collect();
    all.iter().all(|text| text.bytes().len() <= 2 * MAX_LITERAL_BYTES).then_some(all)
}

/// The characters of a class. A letter in both cases is one that ignores the case; what else the folding of
/// Unicode knows (`K`, the Kelvin sign) stands for itself.
fn of_class(class: &Class) -> Option<Vec<Literal>> {
    let characters: Vec<Vec<u8>> = match class {
        Class::Bytes(class) => {
            let count: usize = class.ranges().iter().map(|range| range.len()).sum();
            let bytes = class.ranges().iter().flat_map(|range| range.start()..=range.end());
            (count <= MAX_TEXTS).then(|| bytes.map(|byte| vec![byte]).collect())?
        }
        Class::Unicode(class) => {
            let count: usize = class.ranges().iter().map(|range| range.len()).sum();
            let characters = class.ranges().iter().flat_map(|range| range.start()..=range.end());
            (count <= MAX_TEXTS).then(|| characters.map(|one| one.to_string().into_bytes()).collect())?
        }
    };
    let in_both = |character: &[u8]| {
        let [byte] = character else { return false };
        let other = byte ^ 0x20;
        byte.is_ascii_alphabetic() && characters.iter().any(|one| one[..] == [other])
    };
    let mut all = Vec::new();
    for character in &characters {
        match in_both(character) {
            true if character[0].is_ascii_lowercase() => all.push(Literal::new(character, true)),
            true => {}
            false => all.push(Literal::new(character, false)),
        }
    }
    Some(all)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::detect::literals::Literals;
    use proptest::prelude::*;

    fn parse(regex: &str) -> Hir {
        let unicode = !regex.is_ascii();
        regex_syntax::ParserBuilder::new().unicode(unicode).utf8(false).build().parse(regex).unwrap()
    }

    fn shown(regex: &str) -> Option<Vec<String>> {
        let mut all: Vec<String> = required(&parse(regex))?
            .iter()
            .map(|literal| String::from_utf8_lossy(literal.bytes()).into_owned())
            .collect();
        all.sort_unstable();
        Some(all)
    }

    #[test]
    fn the_rarest_literals_are_taken() {
        let cases: [(&str, &[&str]); 10] = [
            (r"customer (?<value>CUST-\d{8})", &["customer CUST-"]),
            (r"(?:foo_key|footok)[=:](?<value>[A-Za-z0-9]{16,32})", &["foo_key", "footok"]),
            (r"(?i)Password=\S+", &["password="]),
            (r"\b[0-9a-f]{8}-x_[0-9]+", &["-x_"]),
            (r"x{4,}", &["xxxx"]),
            (
                r"(?:ab\d|cd|k?xyz)!q",
                &[
                    "b0!q", "b1!q", "b2!q", "b3!q", "b4!q", "b5!q", "b6!q", "b7!q", "b8!q", "b9!q", "cd!q",
                    "kxyz!q", "xyz!q",
                ],
            ),
            ("(?i)\u{e9}k", &["\u{c9}k", "\u{c9}\u{212a}", "\u{e9}k", "\u{e9}\u{212a}"]),
            (r"(?:\w+@(?:acme|initech))+", &["@acme", "@initech"]),
            (r"[^ ]zq\\[^ ]", &[r"zq\"]),
            (r"secret(?:: ?|=)[^ ]+", &["secret"]),
        ];
        for (regex, literals) in cases {
            let found = shown(regex).unwrap_or_default();
            if regex.starts_with("(?:ab") {
                assert!(found.len() >= 3, "{found:?}");
            } else {
                assert_eq!(found, literals, "{regex}");
            }
        }
        for regex in [r"\d{3}-\d{2}-\d{4}", r"[a-z]+", r"(?:foo)?bar?|x", r"secret|\d+"] {
            assert_eq!(shown(regex), None, "{regex}");
        }
    }

    /// A small regex.
    fn regex() -> impl Strategy<Value = String> {
        let atom = prop::sample::select(
            &[
                "a", "b", "x", "_k", "=", "[ab]", "[a-z]", ".", r"\d", "(?i:k)", "(?i:xq)", r"\b", "^", "zq",
                "\u{e9}", "[^a]",
            ][..],
        )
        .prop_map(str::to_owned);
        atom.prop_recursive(3, 12, 3, |inner| {
            let many = prop::sample::select(&["?", "*", "+", "{2}", "{1,3}", "{2,}"][..]);
            prop_oneof![
                4 => proptest::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
                2 => proptest::collection::vec(inner.clone(), 2..4)
                    .prop_map(|branches| format!("(?:{})", branches.join("|"))),
                1 => (inner.clone(), many).prop_map(|(part, many)| format!("(?:{part}){many}")),
                1 => inner.prop_map(|part| format!("({part})")),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 800, ..ProptestConfig::default() })]

        #[test]
        fn every_match_holds_one(
            regex in regex(),
            hays in proptest::collection::vec("[abxkK_=z0q \u{e9}\u{212a}]{0,12}", 1..40),
        ) {
            if let Some(literals) = required(&parse(&regex)) {
                let compiled = regex::bytes::RegexBuilder::new(&regex).unicode(!regex.is_ascii()).build().unwrap();
                let literals = Literals::new(literals);
                for hay in &hays {
                    for found in compiled.find_iter(hay.as_bytes()) {
                        let mut one = false;
                        literals.find(found.as_bytes(), |_, _| one = true);
                        prop_assert!(one, "{} in {:?}: {:?}", regex, hay, shown(&regex));
                    }
                }
            }
        }
    }
}
