//! Finds mappers: a setting names a file, or a mapper by the id or name inside a file of the mapper
//! folder. A file is compiled once and shared.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    bounds::MAX_FILES,
    file::{Direction, MapperFile},
    lint::Findings,
};
use crate::diagnostic::Severity;

/// The mappers that were found so far.
#[derive(Debug, Default)]
pub struct MapperStore {
    /// The folder in which names are looked for.
    folder: Option<PathBuf>,
    loaded: BTreeMap<PathBuf, (Option<Arc<MapperFile>>, Findings)>,
}

/// There is no mapper to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupError {
    /// The thing found instead of a usable mapper.
    pub found: String,
    /// What to do.
    pub help: String,
}

impl LookupError {
    fn new(found: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            found: found.into(),
            help: help.into(),
        }
    }
}

impl MapperStore {
    /// A store over a folder, if there is one.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self {
            folder,
            loaded: BTreeMap::new(),
        }
    }

    /// Finds the mapper that a setting names, and counts its warnings. A path is taken from `base`,
    /// the configuration file's folder.
    ///
    /// # Errors
    /// When there is none, or more than one, or it maps the other way, or it can't be used.
    pub fn find(
        &mut self,
        wanted: &str,
        base: Option<&Path>,
        direction: Direction,
    ) -> Result<(Arc<MapperFile>, usize), LookupError> {
        let path = match self.existing_path(wanted, base) {
            Some(path) if path.is_file() => path,
            Some(path) => {
                return Err(LookupError::new(
                    format!("{}, which is not a regular file", escaped(&path)),
                    "give a mapper's file",
                ));
            }
            None => self.find_in_folder(wanted)?,
        };
        let (file, findings) = self.load(&path)?;
        let Some(file) = file else {
            return Err(LookupError::new(
                format!("{}, which can't be used", escaped(&path)),
                format!("{} (`aws-ilm mapper lint` shows all)", findings.errors()),
            ));
        };
        if file.identity.direction.is_some_and(|other| other != direction) {
            let way = match direction {
                Direction::Outgoing => "outgoing",
                Direction::Incoming => "incoming",
            };
            return Err(LookupError::new(
                format!("{}, which maps the other way", escaped(&path)),
                format!("name an {way} mapper"),
            ));
        }
        Ok((Arc::clone(file), findings.count(Severity::Warning)))
    }

    /// The file that `wanted` is the path of, on its own or in the folder; a pipe or a device
    /// included: the caller refuses those. A folder may have a mapper's name, so it is passed over.
    fn existing_path(&self, wanted: &str, base: Option<&Path>) -> Option<PathBuf> {
        let own = base.map_or_else(|| PathBuf::from(wanted), |base| base.join(wanted));
        let inside = self.folder.as_ref().map(|folder| folder.join(wanted));
        [Some(own), inside]
            .into_iter()
            .flatten()
            .find(|path| path.exists() && !path.is_dir())
    }

    /// The one file of the folder with a mapper of this id or name.
    fn find_in_folder(&mut self, wanted: &str) -> Result<PathBuf, LookupError> {
        let Some(folder) = self.folder.clone() else {
            return Err(LookupError::new(
                "no file of that path",
                "give a mapper's file, or set mapper_folder (AWS_ILM_MAPPER_FOLDER) to use a name",
            ));
        };
        let entries = fs::read_dir(&folder).map_err(|error| {
            LookupError::new(
                format!("a mapper_folder that can't be read ({})", error.kind()),
                "give a folder",
            )
        })?;
        let is_mapper = |path: &PathBuf| {
            let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
            path.is_file() && extension.is_some_and(|extension| extension == "json" || extension == "toml")
        };
        let mut paths: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(is_mapper)
            .collect();
        paths.sort();
        if paths.len() > MAX_FILES {
            return Err(LookupError::new(
                format!("a mapper_folder of more than {MAX_FILES} files"),
                "keep only mappers in it",
            ));
        }
        let (mut matching, mut broken) = (Vec::new(), Vec::new());
        for path in paths {
            match self.load(&path) {
                Ok((Some(file), _)) if file.identity.is_called(wanted) => matching.push(path),
                Ok((Some(_), _)) => {}
                Ok((None, _)) | Err(_) => broken.push(escaped(&path)),
            }
        }
        match matching.as_slice() {
            [path] => Ok(path.clone()),
            [] if broken.is_empty() => Err(LookupError::new(
                "neither a file nor a mapper's id or name in mapper_folder",
                "check the spelling, and which files are in the folder",
            )),
            [] => Err(LookupError::new(
                "neither a file nor a mapper's id or name in mapper_folder",
                format!(
                    "check the spelling; what can't be used was not looked at: {} (`aws-ilm mapper lint` says why)",
                    broken.join(", ")
                ),
            )),
            paths => {
                let paths: Vec<_> = paths.iter().map(|path| escaped(path)).collect();
                Err(LookupError::new(
                    format!("more than one mapper of that name: {}", paths.join(", ")),
                    "name the file",
                ))
            }
        }
    }

    fn load(&mut self, path: &Path) -> Result<&(Option<Arc<MapperFile>>, Findings), LookupError> {
        let key = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if !self.loaded.contains_key(&key) {
            let (file, findings) = MapperFile::load(path).map_err(|error| {
                LookupError::new(format!("{}, which can't be read", escaped(path)), error.to_string())
            })?;
            self.loaded.insert(key.clone(), (file.map(Arc::new), findings));
        }
        // The entry exists: it was there, or was inserted above.
        self.loaded
            .get(&key)
            .ok_or_else(|| LookupError::new(escaped(path), "give a mapper's file"))
    }
}

/// A path on one line.
fn escaped(path: &Path) -> String {
    path.display().to_string().escape_debug().to_string()
}
