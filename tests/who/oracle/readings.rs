//! Places where the text can be read in two ways, and the way that is taken here. Whoever decides
//! otherwise changes one line.

/// "Keys are tried in order" (section 3: userName before the old keys) against "create … looks
/// first only by … the old keys" (section 5). Taken: the order of section 3 says who is meant;
/// looking first only finds whom a POST would have made a second time. So a userName that somebody
/// has goes before an old key that finds somebody else.
pub(super) const CREATE_KEEPS_THE_ORDER_OF_SECTION_3: bool = true;

/// "A userName with white space …, or an id that is not …, is a failure 400 of every command."
/// Taken: those of `olduserdata` too, since they are looked for as well.
pub(super) const OLD_IDENTIFIERS_ARE_CHECKED: bool = true;

/// "With `profile_id = "foreign"` the profile's id is no key at all." Taken: that of `olduserdata`
/// is none either (the same system wrote it), and neither is held to the form of ids.
pub(super) const FOREIGN_MEANS_THE_OLD_ID_TOO: bool = true;

/// "An unknown id of AWS's form does not let a disable go on by userName alone." Taken: nor by an
/// old userName, and an old id that was tried before counts as an id.
pub(super) const UNKNOWN_ID_STOPS_OLD_NAMES_TOO: bool = true;

/// "Found by employee id alone … if e-mail, phone, given or family name is equal too." Taken: the
/// profile's own, not those of `olduserdata`, which only the sentence on signs names.
pub(super) const OLD_SIGNS_COUNT_FOR_EMPLOYEE_IDS: bool = false;

/// "Any command found by an old name": an old userName that is the present one too (playbooks send
/// a copy of the profile) is taken for the present one.
pub(super) const OLD_NAME_MAY_BE_THE_PRESENT_ONE: bool = true;

/// "`adopt = "always"` drops these tests." Taken: all of section 4, for all commands. A directory
/// whose externalId another provider wrote could disable nobody otherwise.
pub(super) const ALWAYS_DROPS_ALL_OF_SECTION_4: bool = true;

/// "userNames are equal when they are canonically equivalent" against "rename 2" calls (section 7).
/// Taken: a rename does not look whether somebody has the new name in another normal form, and AWS
/// lets it pass. (Where id and userName name two users it is looked.)
pub(super) const RENAME_LOOKS_FOR_OTHER_FORMS: bool = false;
