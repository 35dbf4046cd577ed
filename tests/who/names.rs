//! Letters: the few that made-up names are written with, and what canonical equivalence makes of
//! them.
//!
//! Written out by hand from Unicode's tables rather than taken from a normalising library: the
//! service has such a library, and one mistake in how it is used must not stand on both sides.
//! Nothing here knows a letter outside these tables.

/// Letters and what they are canonically made of, in full.
const LETTERS: [(char, &str); 24] = [
    ('é', "e\u{301}"),
    ('É', "E\u{301}"),
    ('ë', "e\u{308}"),
    ('Ë', "E\u{308}"),
    ('ê', "e\u{302}"),
    ('Ê', "E\u{302}"),
    ('ễ', "e\u{302}\u{303}"),
    ('Ễ', "E\u{302}\u{303}"),
    ('ü', "u\u{308}"),
    ('Ü', "U\u{308}"),
    ('ö', "o\u{308}"),
    ('Ö', "O\u{308}"),
    ('å', "a\u{30a}"),
    ('Å', "A\u{30a}"),
    ('ạ', "a\u{323}"),
    ('Ạ', "A\u{323}"),
    ('ậ', "a\u{323}\u{302}"),
    ('Ậ', "A\u{323}\u{302}"),
    ('ñ', "n\u{303}"),
    ('Ñ', "N\u{303}"),
    ('ç', "c\u{327}"),
    ('Ç', "C\u{327}"),
    // Signs that are letters by canonical equivalence: Angstrom and Kelvin. No composition leads
    // back to them.
    (ANGSTROM, "A\u{30a}"),
    (KELVIN, "K"),
];

pub(crate) const ANGSTROM: char = '\u{212b}';
pub(crate) const KELVIN: char = '\u{212a}';

/// Letters that are equal in looks or compatibility only, and what they look like.
const LOOK_ALIKES: [(char, &str); 4] = [('ﬁ', "fi"), ('ａ', "a"), ('а', "a"), ('ｋ', "k")];

/// Combining marks that stand below a letter come before those above it.
const BELOW: [char; 2] = ['\u{327}', '\u{323}'];

/// Whether two userNames are equal (section 2): canonically equivalent, letter case aside.
pub(crate) fn are_equal(one: &str, other: &str) -> bool {
    let folded = |name: &str| decomposed(&decomposed(name).to_lowercase());
    folded(one) == folded(other)
}

/// How the directory compares userNames and e-mails: letter case aside, and nothing else. AWS does
/// not tell; the sandbox does so.
pub(crate) fn directory_key(name: &str) -> String {
    name.to_lowercase()
}

/// NFD.
pub(crate) fn decomposed(name: &str) -> String {
    let mut letters: Vec<char> = Vec::new();
    for letter in name.chars() {
        match LETTERS.iter().find(|(composed, _)| *composed == letter) {
            Some((_, parts)) => letters.extend(parts.chars()),
            None => letters.push(letter),
        }
    }
    // Canonical order: a run of marks is sorted by class, which is stable within one. Two classes
    // occur, below and above.
    for run in letters.split_mut(|letter| !is_mark(*letter)) {
        run.sort_by_key(|mark| !BELOW.contains(mark));
    }
    letters.into_iter().collect()
}

/// NFC.
pub(crate) fn composed(name: &str) -> String {
    let mut result: Vec<char> = Vec::new();
    let mut starter: Option<usize> = None;
    for letter in decomposed(name).chars() {
        if !is_mark(letter) {
            starter = Some(result.len());
        } else if let Some(place) = starter {
            // A mark of the same class in between would keep this one from its letter.
            let between = result.last().filter(|_| result.len() > place + 1);
            let is_free = between.is_none_or(|last| BELOW.contains(last) && !BELOW.contains(&letter));
            if let Some(pair) = pair(result[place], letter).filter(|_| is_free) {
                result[place] = pair;
                continue;
            }
        }
        result.push(letter);
    }
    result.into_iter().collect()
}

/// A form that is neither: of a letter with two marks the first is composed; of several letters
/// with marks only the first is.
pub(crate) fn half_composed(name: &str) -> String {
    let mut result: Vec<char> = Vec::new();
    for letter in decomposed(name).chars() {
        match result.last().and_then(|last| pair(*last, letter)) {
            Some(pair) if result.iter().all(|before| part_of(*before).is_none()) => {
                result.pop();
                result.push(pair);
            }
            _ => result.push(letter),
        }
    }
    result.into_iter().collect()
}

/// The name with signs in the place of the letters that they are equal to.
pub(crate) fn with_signs(name: &str) -> String {
    let sign = |letter| match letter {
        'Å' => ANGSTROM,
        'K' => KELVIN,
        other => other,
    };
    composed(name).chars().map(sign).collect()
}

/// Whether two names only look alike, or are alike in compatibility forms.
pub(crate) fn look_alike(one: &str, other: &str) -> bool {
    let skeleton = |name: &str| {
        let mut plain = String::new();
        for letter in name.to_lowercase().chars() {
            match LOOK_ALIKES.iter().find(|(alike, _)| *alike == letter) {
                Some((_, looks)) => plain.push_str(looks),
                None => plain.push(letter),
            }
        }
        plain
    };
    !are_equal(one, other) && are_equal(&skeleton(one), &skeleton(other))
}

fn is_mark(letter: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&letter)
}

/// The letter that these two compose to.
fn pair(letter: char, mark: char) -> Option<char> {
    let parts = part_of(letter).map_or_else(|| letter.to_string(), str::to_owned) + &mark.to_string();
    let composed = |(composed, made_of): &&(char, &str)| *made_of == parts && *composed != ANGSTROM;
    LETTERS.iter().find(composed).map(|(composed, _)| *composed)
}

fn part_of(letter: char) -> Option<&'static str> {
    let found = LETTERS.iter().find(|(composed, _)| *composed == letter)?;
    Some(found.1)
}
