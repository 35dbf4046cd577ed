//! All sources, as they are configured at the moment.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use super::{Source, verify::Verifier};
use crate::diagnostic::Diagnostic;

/// The sources by their names, replaced as a whole while the service runs.
#[derive(Debug)]
pub struct Sources {
    current: RwLock<Arc<BTreeMap<String, Arc<Source>>>>,
    decoy: Verifier,
}

impl Sources {
    /// These sources. Of two with one name the last counts; the configuration refuses them.
    ///
    /// # Errors
    /// When the system has no randomness for the secret of the decoy.
    pub fn new(sources: Vec<Arc<Source>>) -> Result<Self, Vec<Diagnostic>> {
        Ok(Self {
            current: RwLock::new(Arc::new(by_name(sources))),
            decoy: Verifier::decoy()?,
        })
    }

    /// Puts others in their place. What was looked up before goes on with what it got.
    pub fn replace(&self, sources: Vec<Arc<Source>>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(by_name(sources));
    }

    /// The source of a name, letter by letter.
    pub fn get(&self, name: &str) -> Option<Arc<Source>> {
        self.current().get(name).cloned()
    }

    /// What verifies deliveries to a name that there is not: with the work of one that fails.
    pub fn decoy(&self) -> &Verifier {
        &self.decoy
    }

    /// All of them, by their names.
    pub fn all(&self) -> Vec<Arc<Source>> {
        self.current().values().cloned().collect()
    }

    fn current(&self) -> Arc<BTreeMap<String, Arc<Source>>> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn by_name(sources: Vec<Arc<Source>>) -> BTreeMap<String, Arc<Source>> {
    let named = |source: Arc<Source>| (source.name().to_owned(), source);
    sources.into_iter().map(named).collect()
}
