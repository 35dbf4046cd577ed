//! The access tokens of an instance, and where they came from.

use std::{
    io,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret as _, SecretString};

use super::{
    instances::LoadContext,
    reader::{self, Environment, Section},
};
use crate::files;

/// No real token comes near this many bytes; a larger file is a wrong path.
const MOST_BYTES: u64 = 16 * 1024;
/// A pasted token is no reason to print it, so a variable's name longer than this is not shown.
const LONGEST_VARIABLE: usize = 64;
/// What to do about a secret's file that everybody may read.
pub(super) const EXPOSED: &str =
    "everybody on this machine may read the file: chmod 600, or let its volume's mode be 0400";
/// The three settings of a token: itself, its file, its variable.
type Names = [&'static str; 3];
const FIRST: Names = [
    "authentication_token",
    "authentication_token_file",
    "authentication_token_env",
];
const SECOND: Names = [
    "second_authentication_token",
    "second_authentication_token_file",
    "second_authentication_token_env",
];

/// A directory's access token. Its value appears in no `Debug` output.
#[derive(Debug, Clone)]
pub struct Token {
    secret: SecretString,
    source: TokenSource,
}

/// Where a token was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// Written in the configuration itself.
    Value,
    /// In the environment variable of this name.
    Environment(String),
    /// In this file, which may be read again after a rotation.
    File(PathBuf),
}

/// Why a token can't be used. The text is what to do about it and never holds any of the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Nothing is left when the line's end is taken away.
    #[error("it is empty: put the access token there")]
    Empty,
    /// White space inside, which no bearer token has (RFC 6750 section 2.1).
    #[error("there is white space or a line break in it: give the access token alone, without \"Bearer\"")]
    Space,
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
    #[error("it can't be read ({0}): give the path of a file that this user may read")]
    Unreadable(io::ErrorKind),
}

impl Token {
    /// Checks a token from anywhere; one line end after it is taken away.
    ///
    /// # Errors
    /// When it is empty or has characters that no token has.
    pub fn new(text: &str, source: TokenSource) -> Result<Self, TokenError> {
        let line = text
            .strip_suffix('\n')
            .map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
        if line.is_empty() {
            return Err(TokenError::Empty);
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
        Ok(Self {
            secret: SecretString::from(line),
            source,
        })
    }

    /// Reads a token out of a file, at start and again after a rotation.
    ///
    /// # Errors
    /// When the file can't be read, is no regular file (a pipe would block, and can't be read
    /// twice), or holds no token.
    pub fn from_file(path: &Path) -> Result<Self, TokenError> {
        let bytes = files::read(path, MOST_BYTES).map_err(|fault| match fault {
            files::FileError::Unreadable(kind) => TokenError::Unreadable(kind),
            files::FileError::NotAFile => TokenError::NotAFile,
            files::FileError::TooLarge | files::FileError::NotText => TokenError::TooLarge,
        })?;
        let text = std::str::from_utf8(&bytes).map_err(|_| TokenError::Character)?;
        Self::new(text, TokenSource::File(path.to_owned()))
    }

    /// The token.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.secret
    }

    /// Where it was found.
    #[must_use]
    pub fn source(&self) -> &TokenSource {
        &self.source
    }
}

/// Reads the token that every instance has.
pub(super) fn read_first(section: &mut Section<'_>, context: &LoadContext<'_>) -> Option<Token> {
    let [value, file, variable] = FIRST;
    match given(section, FIRST)[..] {
        [name] => read(section, name, context),
        [] => {
            section.refuse(value, &format!("set it, {file} or {variable}"));
            None
        }
        [name, ..] => {
            section.refuse(name, &format!("give exactly one of {value}, {file} and {variable}"));
            None
        }
    }
}

/// Reads the second token, which an instance may go without.
pub(super) fn read_second(
    section: &mut Section<'_>,
    first: Option<&Token>,
    context: &LoadContext<'_>,
) -> Option<Token> {
    let [value, file, variable] = SECOND;
    match given(section, SECOND)[..] {
        [] => None,
        [name] => {
            let token = read(section, name, context)?;
            if first.is_some_and(|first| first.secret.expose_secret() == token.secret.expose_secret()) {
                section.refuse(name, "it is the first token: give a second, different token");
                return None;
            }
            Some(token)
        }
        [name, ..] => {
            section.refuse(name, &format!("give at most one of {value}, {file} and {variable}"));
            None
        }
    }
}

/// Whether there is to be a second token, right or wrong.
pub(super) fn is_second_given(section: &Section<'_>) -> bool {
    !given(section, SECOND).is_empty()
}

/// Which of a token's settings are given: those in the environment, or else those in the file.
fn given(section: &Section<'_>, names: Names) -> Vec<&'static str> {
    let set = names.map(|name| (name, section.is_set(name)));
    let from_environment = set.iter().any(|(_, (in_environment, _))| *in_environment);
    set.iter()
        .filter(|(_, (in_environment, in_file))| if from_environment { *in_environment } else { *in_file })
        .map(|(name, _)| *name)
        .collect()
}

/// Reads a token as the setting of that name says.
fn read(section: &mut Section<'_>, name: &'static str, context: &LoadContext<'_>) -> Option<Token> {
    // An empty text goes on to the token's own checks, which say it better.
    let text = section.text(name, |_| true)?;
    if name == FIRST[1] || name == SECOND[1] {
        // In the environment a path is relative to where the service was started.
        let (in_environment, _) = section.is_set(name);
        let folder = if in_environment { None } else { context.folder };
        let path = folder.map_or_else(|| PathBuf::from(&text), |folder| folder.join(&text));
        read_file(section, name, &path, &text, context)
    } else if name == FIRST[2] || name == SECOND[2] {
        read_variable(section, name, &text, context.environment)
    } else {
        refused(Token::new(&text, TokenSource::Value), section, name, None)
    }
}

fn read_file(
    section: &mut Section<'_>,
    name: &str,
    path: &Path,
    written: &str,
    context: &LoadContext<'_>,
) -> Option<Token> {
    // What doesn't look like a path may be the token itself, put into the wrong setting.
    let looks_like_a_path = ["/", "./", "../"].iter().any(|start| written.starts_with(start));
    let shown = looks_like_a_path.then(|| reader::quoted(written));
    let token = refused(Token::from_file(path), section, name, shown)?;
    if files::readable_by_everybody(path) {
        let help = EXPOSED;
        if context.strict_secret_files {
            section.refuse(name, help);
            return None;
        }
        section.warn(name, help);
    }
    Some(token)
}

fn read_variable(section: &mut Section<'_>, name: &str, variable: &str, environment: &Environment) -> Option<Token> {
    let is_word = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let looks_like_a_name =
        variable.len() <= LONGEST_VARIABLE && variable.contains('_') && variable.bytes().all(is_word);
    let shown = looks_like_a_name.then(|| variable.to_owned());
    match environment.get(variable) {
        Some(text) => refused(
            Token::new(text, TokenSource::Environment(variable.to_owned())),
            section,
            name,
            shown,
        ),
        None => {
            let which = shown.unwrap_or_else(|| "the variable that it names".to_owned());
            section.refuse(
                name,
                &format!("{which} is not set: give the name of a variable that holds the token"),
            );
            None
        }
    }
}

/// Turns a token's fault into a fault of its setting, with the file or variable in question if that
/// may be shown.
fn refused(
    token: Result<Token, TokenError>,
    section: &mut Section<'_>,
    name: &str,
    shown: Option<String>,
) -> Option<Token> {
    token
        .map_err(|fault| {
            let help = shown.map_or_else(|| fault.to_string(), |shown| format!("{shown}: {fault}"));
            section.refuse(name, &help);
        })
        .ok()
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
        ] {
            let found = Token::new(text, TokenSource::Value);
            let found = found
                .as_ref()
                .map(|token| token.secret().expose_secret())
                .map_err(Clone::clone);
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn debug_shows_the_source_alone() {
        let token = Token::new("s3cr3t", TokenSource::Environment("PROD_TOKEN".to_owned())).unwrap();
        let shown = format!("{token:?}");
        assert!(shown.contains("PROD_TOKEN") && !shown.contains("s3cr3t"), "{shown}");
    }

    #[test]
    fn what_is_no_file_is_refused() {
        assert_eq!(Token::from_file(Path::new("/")).unwrap_err(), TokenError::NotAFile);
        let missing = Token::from_file(Path::new("/nowhere/token")).unwrap_err();
        assert_eq!(missing, TokenError::Unreadable(io::ErrorKind::NotFound));
    }
}
