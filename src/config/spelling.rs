//! The name that a typo stands for.

/// The known name that a typo most likely stands for, if any is near enough. The typo is in lower
/// case; letter case in the names makes no difference.
pub(super) fn nearest(name: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let (mut near, mut contained) = (None, None);
    for candidate in names {
        let lower = candidate.to_ascii_lowercase();
        let distance = strsim::levenshtein(name, &lower);
        if distance <= (name.len() / 4).max(1) && near.is_none_or(|(least, _)| distance < least) {
            near = Some((distance, candidate));
        }
        if name.len() >= 4 && lower.contains(name) && contained.is_none() {
            contained = Some(candidate);
        }
    }
    near.map(|(_, candidate)| candidate).or(contained)
}
