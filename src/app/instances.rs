//! From the settings of a directory to an instance that can be asked.

use std::{fmt, sync::Arc, time::Duration};

use secrecy::ExposeSecret as _;

use super::AppError;
use crate::{
    commands::Rules,
    config::Settings,
    files::{self, Fingerprint},
    scim::{Client, Connection, Pool, Reload, Target},
    service::{InMemorySubjects, Instance, InstanceOptions},
};

/// How often the files of tokens are looked at. A change is taken when two looks found it, so after
/// a second at the latest.
const TOKEN_POLL: Duration = Duration::from_millis(500);

/// How soon a token that the directory refuses is tried again: the shortest pause, and the longest,
/// to which it doubles. A directory may come to know a token later than its file.
const RETRY: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));

/// What the settings of the instances make.
pub(crate) struct Instances {
    /// In the order of the configuration.
    pub(crate) all: Vec<Instance>,
    /// Of those whose tokens stand in files.
    pub(super) token_files: Vec<TokenFiles>,
}

/// The files in which the tokens of an instance stand.
pub(super) struct TokenFiles {
    instance: String,
    reloads: Vec<Reload>,
    client: Client,
}

impl fmt::Debug for TokenFiles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("TokenFiles");
        shown.field("instance", &self.instance).finish_non_exhaustive()
    }
}

impl TokenFiles {
    /// The files of this target's tokens; `None` where no token stands in a file.
    fn of(instance: &str, target: &Target, client: &Client) -> Option<Self> {
        let tokens = [Some(&target.token), target.second_token.as_ref()];
        let reloads: Vec<_> = tokens
            .into_iter()
            .flatten()
            .filter_map(|token| token.reload.clone())
            .collect();
        (!reloads.is_empty()).then(|| Self {
            instance: instance.to_owned(),
            reloads,
            client: client.clone(),
        })
    }

    /// Watches the files for as long as it is polled, and puts new tokens in use.
    pub(super) async fn watch(self) {
        let Self {
            instance,
            reloads,
            client,
        } = self;
        let look = move || {
            let fingerprint = |reload: &Reload| Some(Fingerprint::of([reload()?.expose_secret().as_bytes()]));
            reloads.iter().map(fingerprint).collect::<Vec<_>>()
        };
        // Reading a token that is in use already changes nothing, so that what is there at start
        // need not be known.
        let mut watcher = files::watch(
            &format!("the token file of the instance {instance}"),
            TOKEN_POLL,
            None,
            look,
        );
        let (shortest, longest) = RETRY;
        let mut pause = shortest;
        loop {
            if tokio::time::timeout(pause, watcher.changed()).await.is_ok() {
                client.reload_tokens().await;
                pause = shortest;
            } else if client.retry_token().await {
                pause = longest.min(pause * 2);
            } else {
                pause = shortest;
            }
        }
    }
}

/// Makes the instances, whose pools are shared wherever connections are made alike.
pub(crate) fn instances(settings: &Settings) -> Result<Instances, AppError> {
    let mut pools: Vec<(&Connection, Pool)> = Vec::new();
    let mut instances = Instances {
        all: Vec::new(),
        token_files: Vec::new(),
    };
    for instance in &settings.instances {
        let connection = &instance.connection;
        let known = pools
            .iter()
            .find(|(other, _)| *other == connection)
            .map(|(_, pool)| pool.clone());
        let pool = match known {
            Some(pool) => pool,
            None => {
                let failed = |source| AppError::Pool {
                    instance: instance.name.clone(),
                    source,
                };
                let pool = Pool::new(connection).map_err(failed)?;
                pools.push((connection, pool.clone()));
                pool
            }
        };
        let mut target = instance.target.clone();
        target.rates = target.rates.shared_by(settings.commands.expected_replicas);
        let options = InstanceOptions {
            name: instance.name.clone(),
            brand: instance.brand.clone(),
            rules: Rules {
                policy: instance.policy,
                mapper: instance.mapper.clone(),
                dialect: target.dialect,
            },
            command_timeout: settings.commands.command_timeout,
            max_commands: instance.max_commands,
        };
        let client = Client::new(pool, target);
        let files = TokenFiles::of(&instance.name, &instance.target, &client);
        instances.token_files.extend(files);
        let subjects = Arc::new(InMemorySubjects::default());
        instances.all.push(Instance::new(options, client, subjects));
    }
    Ok(instances)
}
