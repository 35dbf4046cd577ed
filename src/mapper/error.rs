//! Why a mapper can't be compiled, and why a mapping can't be evaluated.

use std::borrow::Cow;

use super::bounds::MAX_FILE;
use crate::files::FileError;

/// Says why a part of a mapper can't be compiled: a path, an argument, a regular expression, an
/// expression. Its text stands in a diagnostic beside that part's place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CompileError(Cow<'static, str>);

/// Says why a target can't be filled: a value can't be cast, would become structure, or reached a
/// bound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EvaluationError(Cow<'static, str>);

/// Says why a mapper's file can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The file is longer than a mapper may be.
    #[error("longer than {MAX_FILE} bytes")]
    TooLarge,
    /// The path leads to no regular file, or to none that can be read as text.
    #[error(transparent)]
    Unreadable(FileError),
}

impl From<&'static str> for CompileError {
    fn from(sentence: &'static str) -> Self {
        Self(sentence.into())
    }
}

impl From<String> for CompileError {
    fn from(sentence: String) -> Self {
        Self(sentence.into())
    }
}

impl From<&'static str> for EvaluationError {
    fn from(sentence: &'static str) -> Self {
        Self(sentence.into())
    }
}

impl From<String> for EvaluationError {
    fn from(sentence: String) -> Self {
        Self(sentence.into())
    }
}

/// Some arguments are compiled where they are used, because they come out of the source.
impl From<CompileError> for EvaluationError {
    fn from(error: CompileError) -> Self {
        Self(error.0)
    }
}

impl From<FileError> for ReadError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::TooLarge => Self::TooLarge,
            FileError::Unreadable(_) | FileError::NotAFile | FileError::NotText | FileError::Utf16 => {
                Self::Unreadable(error)
            }
        }
    }
}
