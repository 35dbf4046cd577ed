//! The access tokens of an instance, and where they come from.

use std::{io, path::Path, sync::Arc};

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    expiry,
    kind::{Date, Masked, SecretPath, secret, secret_path},
    section::{Environment, Section, is_in_quotes},
    setting::Setting,
    table::settings,
};
use crate::{files, scim};

/// No real token comes near this many bytes; a larger file is a wrong path.
const MOST_BYTES: u64 = 16 * 1024;
/// A pasted token is no reason to print it, so a variable's name longer than this is not shown.
const LONGEST_VARIABLE: usize = 64;
/// What to do about a secret's file that every user of the machine may read.
pub(super) const EXPOSED: &str =
    "everybody on this machine may read the file: chmod 600, or let its volume's mode be 0400";

settings! {
    /// The three ways to the token that every instance has.
    pub(super) struct FirstToken: Instance {
        /// The access token itself. Exactly one of the three is given.
        authentication_token: Option<SecretString> = Masked("the access token, without \"Bearer\"", secret);
        /// A file that holds the access token; in the configuration file relative to it.
        authentication_token_file: Option<SecretPath> = Masked("the path of a file that holds the token", secret_path);
        /// The environment variable that holds the access token.
        authentication_token_env: Option<SecretString> = Masked("the name of an environment variable", secret);
    }
}

settings! {
    /// When tokens expire, and the three ways to a second one.
    pub(super) struct OtherToken: Instance {
        /// When the access token expires, as the console of IAM Identity Center shows it; a date is
        /// its start in UTC. Within 90 days of it the service warns.
        authentication_token_expires: Option<Timestamp> = Date;
        /// A second, different access token of the same directory, so that one can be exchanged
        /// while the other is in use. At most one of the three is given.
        second_authentication_token: Option<SecretString> = Masked("another access token, without \"Bearer\"", secret);
        /// A file that holds the second access token; in the configuration file relative to it.
        second_authentication_token_file: Option<SecretPath> = Masked("the path of a file that holds another token", secret_path);
        /// The environment variable that holds the second access token.
        second_authentication_token_env: Option<SecretString> = Masked("the name of an environment variable with another token", secret);
        /// When the second access token expires.
        second_authentication_token_expires: Option<Timestamp> = Date;
    }
}

/// Why a token can't be used. The text is what to do about it and never holds any of the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum TokenError {
    /// Nothing is left when the line's end is taken away.
    #[error("it is empty: put the access token there")]
    Empty,
    /// White space inside, which no bearer token has (RFC 6750 section 2.1).
    #[error("there is white space or a line break in it: give the access token alone, without \"Bearer\"")]
    Space,
    /// Quotes that a file of variables, unlike a shell, keeps.
    #[error("there are quotes around it: take them off")]
    Quotes,
    /// A control character, or one outside ASCII.
    #[error("there is a character in it that no access token has: copy it again")]
    Character,
    /// Larger than any token is.
    #[error("it is too large to be an access token: give the token alone")]
    TooLarge,
    /// The path names something else.
    #[error("it is not a regular file: give the path of a file that holds the token alone")]
    NotAFile,
    /// The file can't be read.
    #[error("{}: give the path of a file that this user may read", files::FileError::Unreadable(*.0))]
    Unreadable(io::ErrorKind),
    /// Text in UTF-16, as editors on Windows write it.
    #[error("the file is in UTF-16: save it in UTF-8")]
    Utf16,
}

/// The tokens of an instance.
pub(super) struct Tokens {
    pub(super) first: scim::Token,
    /// A directory has up to two tokens at a time, so that one can be exchanged while the other is
    /// in use (Identity Center user guide, "Rotate an access token").
    pub(super) second: Option<scim::Token>,
}

/// What the reading of tokens needs from around it.
pub(super) struct TokenContext<'a> {
    pub(super) environment: &'a Environment,
    pub(super) strict_secret_files: bool,
    /// The time by which tokens may have expired.
    pub(super) now: Timestamp,
}

/// What a setting says of a token.
enum Source {
    Value(SecretString),
    File(SecretPath),
    Variable(SecretString),
}

/// The three settings of a token, with what is read of each.
type Ways = [(&'static Setting, Option<Source>); 3];

/// The settings of tokens: those of a real directory, which a sandbox goes without.
pub(super) fn settings() -> impl Iterator<Item = &'static Setting> {
    [FirstToken::SETTINGS, OtherToken::SETTINGS]
        .into_iter()
        .flatten()
        .copied()
}

/// Reads an instance's tokens.
pub(super) fn read(section: &mut Section<'_>, context: &TokenContext<'_>) -> Option<Tokens> {
    let first = read_first(section, context);
    let other = OtherToken::read(section);
    let first_expires = OtherToken::authentication_token_expires;
    let second_expires = OtherToken::second_authentication_token_expires;
    warn_of_end(section, first_expires, other.authentication_token_expires, context.now);
    let ways: Ways = [
        (
            OtherToken::second_authentication_token,
            other.second_authentication_token.map(Source::Value),
        ),
        (
            OtherToken::second_authentication_token_file,
            other.second_authentication_token_file.map(Source::File),
        ),
        (
            OtherToken::second_authentication_token_env,
            other.second_authentication_token_env.map(Source::Variable),
        ),
    ];
    let end = other.second_authentication_token_expires;
    if ways.iter().any(|(setting, _)| section.is_set(setting)) {
        warn_of_end(section, second_expires, end, context.now);
    } else if end.is_some() {
        // Not an error: a token that is taken away leaves the service able to start.
        section.warn(second_expires, "there is no second token");
    }
    let second = read_second(section, ways, first.as_ref(), context);
    let expiring = |token, expires| scim::Token { expires, ..token };
    first.map(|first| Tokens {
        first: expiring(first, other.authentication_token_expires),
        second: second.map(|second| expiring(second, end)),
    })
}

/// Reads the token that every instance has.
fn read_first(section: &mut Section<'_>, context: &TokenContext<'_>) -> Option<scim::Token> {
    let first = FirstToken::read(section);
    let ways: Ways = [
        (
            FirstToken::authentication_token,
            first.authentication_token.map(Source::Value),
        ),
        (
            FirstToken::authentication_token_file,
            first.authentication_token_file.map(Source::File),
        ),
        (
            FirstToken::authentication_token_env,
            first.authentication_token_env.map(Source::Variable),
        ),
    ];
    let [value, file, variable] = ways.each_ref().map(|(setting, _)| setting.name);
    let mut given = given(section, ways);
    match (given.pop(), given.first()) {
        (Some((setting, source)), None) => load(section, setting, source?, context),
        (Some(_), Some((setting, _))) => {
            section.refuse(setting, &format!("give exactly one of {value}, {file} and {variable}"));
            None
        }
        (None, _) => {
            let help = format!("set it, {file} or {variable}");
            section.refuse(FirstToken::authentication_token, &help);
            None
        }
    }
}

/// Reads the second token, which an instance may go without.
fn read_second(
    section: &mut Section<'_>,
    ways: Ways,
    first: Option<&scim::Token>,
    context: &TokenContext<'_>,
) -> Option<scim::Token> {
    let [value, file, variable] = ways.each_ref().map(|(setting, _)| setting.name);
    let mut given = given(section, ways);
    let (setting, source) = given.pop()?;
    if let Some((setting, _)) = given.first() {
        section.refuse(setting, &format!("give at most one of {value}, {file} and {variable}"));
        return None;
    }
    let token = load(section, setting, source?, context)?;
    if first.is_some_and(|first| first.secret.expose_secret() == token.secret.expose_secret()) {
        section.refuse(setting, "it is the first token: give a second, different token");
        return None;
    }
    Some(token)
}

/// Those of a token's settings that count: the ones in the environment, or else the ones in the
/// file.
fn given(section: &Section<'_>, ways: Ways) -> Vec<(&'static Setting, Option<Source>)> {
    let from_environment = ways.iter().any(|(setting, _)| section.is_in_environment(setting));
    let counts = |setting: &Setting| {
        if from_environment {
            section.is_in_environment(setting)
        } else {
            section.is_set(setting)
        }
    };
    ways.into_iter().filter(|(setting, _)| counts(setting)).collect()
}

/// Loads a token as its setting says.
fn load(
    section: &mut Section<'_>,
    setting: &Setting,
    source: Source,
    context: &TokenContext<'_>,
) -> Option<scim::Token> {
    match source {
        Source::Value(text) => refused(parse(text.expose_secret()), section, setting, None).map(fixed),
        Source::File(file) => load_file(section, setting, &file, context),
        Source::Variable(name) => load_variable(section, setting, name.expose_secret(), context.environment),
    }
}

fn load_file(
    section: &mut Section<'_>,
    setting: &Setting,
    file: &SecretPath,
    context: &TokenContext<'_>,
) -> Option<scim::Token> {
    let secret = match parse_file(&file.path) {
        Ok(secret) => secret,
        Err(error) if is_path(&file.written) => {
            section.refuse_file(setting, &file.path, &error.to_string());
            return None;
        }
        Err(error) => {
            section.refuse(setting, &error.to_string());
            return None;
        }
    };
    if files::readable_by_everybody(&file.path) {
        if context.strict_secret_files {
            section.refuse(setting, EXPOSED);
            return None;
        }
        section.warn(setting, EXPOSED);
    }
    let path = file.path.clone();
    // A file that can't be read at the moment, or holds no token, is being written: the token
    // before it stays.
    let reload: scim::Reload = Arc::new(move || parse_file(&path).ok());
    Some(scim::Token {
        reload: Some(reload),
        ..fixed(secret)
    })
}

fn load_variable(
    section: &mut Section<'_>,
    setting: &Setting,
    variable: &str,
    environment: &Environment,
) -> Option<scim::Token> {
    let is_word = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let looks_like_a_name =
        variable.len() <= LONGEST_VARIABLE && variable.contains('_') && variable.bytes().all(is_word);
    let shown = looks_like_a_name.then(|| variable.to_owned());
    match environment.get(variable) {
        Some(text) => refused(parse(text), section, setting, shown).map(fixed),
        None => {
            let which = shown.unwrap_or_else(|| "the variable that it names".to_owned());
            let help = format!("{which} is not set: give the name of a variable that holds the token");
            section.refuse(setting, &help);
            None
        }
    }
}

/// Whether a text is surely a path and not the token itself, put into the wrong setting: it begins
/// as one, or has a separator and nothing but what names of files are made of, in small letters.
fn is_path(text: &str) -> bool {
    let is_of_names =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'/' | b'.' | b'_' | b'-');
    let is_relative = text.contains('/') && text.len() <= LONGEST_VARIABLE && text.bytes().all(is_of_names);
    is_relative || ["/", "./", "../"].iter().any(|start| text.starts_with(start))
}

/// A token that does not change while the service runs.
fn fixed(secret: SecretString) -> scim::Token {
    scim::Token {
        secret,
        reload: None,
        expires: None,
    }
}

/// Checks a token from anywhere; one line end after it is taken away.
fn parse(text: &str) -> Result<SecretString, TokenError> {
    let line = text
        .strip_suffix('\n')
        .map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    if line.is_empty() {
        return Err(TokenError::Empty);
    }
    if is_in_quotes(line) {
        return Err(TokenError::Quotes);
    }
    if line.chars().any(char::is_whitespace) {
        return Err(TokenError::Space);
    }
    if !line.chars().all(|character| character.is_ascii_graphic()) {
        return Err(TokenError::Character);
    }
    if line.len() as u64 > MOST_BYTES {
        return Err(TokenError::TooLarge);
    }
    Ok(SecretString::from(line))
}

/// Reads a token out of a regular file (a pipe would block, and can't be read twice), at start and
/// again after a rotation.
fn parse_file(path: &Path) -> Result<SecretString, TokenError> {
    let bytes = files::read(path, MOST_BYTES).map_err(|error| match error {
        files::FileError::Unreadable(kind) => TokenError::Unreadable(kind),
        files::FileError::NotAFile => TokenError::NotAFile,
        files::FileError::TooLarge | files::FileError::NotText => TokenError::TooLarge,
        files::FileError::Utf16 => TokenError::Utf16,
    })?;
    if files::is_utf_16(&bytes) {
        return Err(TokenError::Utf16);
    }
    // Editors on Windows put a mark before text in UTF-8, which is no part of it.
    let bytes = bytes.strip_prefix(files::MARK).unwrap_or(&bytes);
    parse(std::str::from_utf8(bytes).map_err(|_| TokenError::Character)?)
}

/// Turns what is wrong with a token into an error of its setting, with the file or variable in
/// question if that may be shown.
fn refused(
    token: Result<SecretString, TokenError>,
    section: &mut Section<'_>,
    setting: &Setting,
    shown: Option<String>,
) -> Option<SecretString> {
    let refuse = |error| {
        let help = shown.map_or_else(|| format!("{error}"), |shown| format!("{shown}: {error}"));
        section.refuse(setting, &help);
    };
    token.map_err(|error: TokenError| refuse(error)).ok()
}

/// Warns of a token that is about to expire.
fn warn_of_end(section: &mut Section<'_>, setting: &Setting, expires: Option<Timestamp>, now: Timestamp) {
    if let Some(warning) = expires.and_then(|expires| expiry::warning(expires, now)) {
        section.warn(setting, &warning);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hostile input 97, a token with line ends: one at its end is forgiven, others stop the start.
    #[test]
    fn one_line_end_is_forgiven_and_nothing_else() {
        for (text, expected) in [
            ("abc", Ok("abc")),
            ("abc\n", Ok("abc")),
            ("abc\r\n", Ok("abc")),
            ("a+b/c=_.~:-", Ok("a+b/c=_.~:-")),
            ("", Err(TokenError::Empty)),
            ("\n", Err(TokenError::Empty)),
            ("\r\n", Err(TokenError::Empty)),
            ("abc\n\n", Err(TokenError::Space)),
            ("abc\r", Err(TokenError::Space)),
            ("a\nb", Err(TokenError::Space)),
            ("a\r\nx-evil: 1", Err(TokenError::Space)),
            ("Bearer abc", Err(TokenError::Space)),
            (" abc", Err(TokenError::Space)),
            ("a\u{0}b", Err(TokenError::Character)),
            ("a\u{1b}[2Jb", Err(TokenError::Character)),
            ("tökén", Err(TokenError::Character)),
            ("\u{feff}abc", Err(TokenError::Character)),
            ("\"abc\"", Err(TokenError::Quotes)),
            ("'abc'\n", Err(TokenError::Quotes)),
        ] {
            let found = parse(text);
            let found = found.as_ref().map(|token| token.expose_secret()).map_err(Clone::clone);
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_file_is_refused() {
        assert_eq!(parse_file(Path::new("/")).unwrap_err(), TokenError::NotAFile);
        let missing = parse_file(Path::new("/nowhere/token")).unwrap_err();
        assert_eq!(missing, TokenError::Unreadable(io::ErrorKind::NotFound));
    }
}
