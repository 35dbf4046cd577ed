//! The servers that the sources in force name: where they are told, and where more is fetched.

use std::{collections::BTreeSet, pin::Pin, sync::Arc};

use super::Sources;
use crate::{
    operations::{CallBack, CallbackMessage, Fetch, FetchAnswer, FetchError},
    outbound::Outgoing,
    profile::UserProfile,
};

/// Asks the servers of sources, as they are configured at the moment.
#[derive(Debug)]
pub struct SourceServers {
    sources: Arc<Sources>,
    outgoing: Outgoing,
}

impl SourceServers {
    /// Those of these sources.
    pub fn new(sources: Arc<Sources>) -> Self {
        Self {
            sources,
            outgoing: Outgoing::default(),
        }
    }
}

impl CallBack for SourceServers {
    fn sources(&self) -> BTreeSet<String> {
        let sources = self.sources.all().into_iter();
        let called = sources.filter(|source| source.callback().is_some());
        called.map(|source| source.name().to_owned()).collect()
    }

    fn send<'a>(
        &'a self,
        source: &'a str,
        message: CallbackMessage,
    ) -> Pin<Box<dyn Future<Output = Result<u16, String>> + Send + 'a>> {
        Box::pin(async move {
            let source = self.sources.get(source);
            match source.as_ref().and_then(|source| source.callback()) {
                Some(target) => target.send(&self.outgoing, &message).await,
                None => Err("its source has no callback any more".to_owned()),
            }
        })
    }
}

impl Fetch for SourceServers {
    fn fetch<'a>(&'a self, source: &'a str, known: &'a UserProfile) -> FetchAnswer<'a> {
        Box::pin(async move {
            let source = self.sources.get(source);
            match source.as_ref().and_then(|source| source.fetch()) {
                Some(target) => target.ask(&self.outgoing, known).await,
                None => Err(FetchError::Lasting("it has no fetch any more".to_owned())),
            }
        })
    }
}
