//! From the settings of a directory to an instance that can be asked.

use std::{path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use super::AppError;
use crate::{
    commands::Rules,
    config::{self, InstanceSettings, Settings, TokenSource},
    files::{self, Fingerprint},
    policy::{Adopt, DisableAbsent, Policy, ProfileId},
    scim::{self, Api, Client, Connection, Pool, Rates, Target},
    service::{Instance, InstanceOptions},
};

/// How often the files of tokens are looked at. A change is taken when two looks found it, so after
/// a second at the latest.
const TOKEN_POLL: Duration = Duration::from_millis(500);

/// What the settings of the instances make.
pub(crate) struct Instances {
    /// In the order of the configuration.
    pub(crate) all: Vec<Instance>,
    /// Of those whose tokens stand in files.
    pub(super) token_files: Vec<TokenFiles>,
}

/// The files in which the tokens of an instance stand.
#[derive(Debug)]
pub(super) struct TokenFiles {
    instance: String,
    paths: Vec<PathBuf>,
    client: Client,
}

impl TokenFiles {
    /// Watches the files for as long as it is polled, and puts new tokens in use.
    pub(super) async fn watch(self) {
        let Self {
            instance,
            paths,
            client,
        } = self;
        let look = move || {
            let fingerprint = |path: &PathBuf| {
                let token = config::Token::from_file(path).ok()?;
                Some(Fingerprint::of([token.secret().expose_secret().as_bytes()]))
            };
            paths.iter().map(fingerprint).collect::<Vec<_>>()
        };
        // Reading a token that is in use already changes nothing, so that what is there at start
        // need not be known.
        let mut watcher = files::watch(&format!("the token of {instance}"), TOKEN_POLL, None, look);
        loop {
            watcher.changed().await;
            client.reload_tokens().await;
        }
    }
}

/// Makes the instances, whose pools are shared wherever connections are made alike.
pub(crate) fn instances(settings: &Settings) -> Result<Instances, AppError> {
    let mut pools: Vec<(Connection, Pool)> = Vec::new();
    let mut instances = Instances {
        all: Vec::new(),
        token_files: Vec::new(),
    };
    for instance in &settings.instances {
        let connection = connection(instance);
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
                let pool = Pool::new(&connection).map_err(failed)?;
                pools.push((connection, pool.clone()));
                pool
            }
        };
        let target = target(instance, settings);
        let options = InstanceOptions {
            name: instance.name.clone(),
            brand: instance.brand.clone(),
            rules: Rules {
                policy: policy(instance),
                mapper: instance.mapper.clone(),
                dialect: target.dialect,
            },
            command_timeout: settings.command_timeout,
            max_commands: instance.max_commands,
        };
        let client = Client::new(pool, target);
        let paths = token_paths(instance);
        if !paths.is_empty() {
            instances.token_files.push(TokenFiles {
                instance: instance.name.clone(),
                paths,
                client: client.clone(),
            });
        }
        instances.all.push(Instance::new(options, client));
    }
    Ok(instances)
}

fn target(instance: &InstanceSettings, settings: &Settings) -> Target {
    let rates = Rates {
        read: instance.read_rate,
        write: instance.write_rate,
        memberships: instance.membership_rate,
        apis: Api::ALL
            .into_iter()
            .filter_map(|api| Some((api, *instance.api_rates.get(api.name())?)))
            .collect(),
    };
    Target {
        base: instance.url.clone(),
        token: token(&instance.authentication_token, instance.authentication_token_expires),
        second_token: instance
            .second_authentication_token
            .as_ref()
            .map(|second| token(second, instance.second_authentication_token_expires)),
        dialect: match instance.scim_dialect {
            config::Dialect::Aws => scim::Dialect::Aws,
            config::Dialect::Rfc7644 => scim::Dialect::Rfc7644,
        },
        timeout: instance.request_timeout,
        rates: rates.shared_by(settings.expected_replicas),
    }
}

fn token_paths(instance: &InstanceSettings) -> Vec<PathBuf> {
    let tokens = [
        Some(&instance.authentication_token),
        instance.second_authentication_token.as_ref(),
    ];
    let file = |token: &config::Token| match token.source() {
        TokenSource::File(path) => Some(path.clone()),
        TokenSource::Value | TokenSource::Environment(_) => None,
    };
    tokens.into_iter().flatten().filter_map(file).collect()
}

/// A token, which is read anew from its file if it has one.
fn token(token: &config::Token, expires: Option<Timestamp>) -> scim::Token {
    let reload = match token.source() {
        TokenSource::File(path) => {
            let path = path.clone();
            // A file that can't be read at the moment, or holds no token, is being written: the one
            // before it stays.
            let reload: scim::Reload = Arc::new(move || Some(config::Token::from_file(&path).ok()?.secret().clone()));
            Some(reload)
        }
        TokenSource::Value | TokenSource::Environment(_) => None,
    };
    scim::Token {
        secret: token.secret().clone(),
        reload,
        expires,
    }
}

fn connection(instance: &InstanceSettings) -> Connection {
    let proxy = match &instance.proxy {
        config::Proxy::None => scim::Proxy::None,
        config::Proxy::System => scim::Proxy::System,
        config::Proxy::Url(url) => scim::Proxy::Url(url.clone()),
    };
    Connection {
        insecure: instance.insecure,
        proxy,
        connect_timeout: instance.connect_timeout,
    }
}

fn policy(instance: &InstanceSettings) -> Policy {
    Policy {
        create_user_enabled: instance.create_user_enabled,
        update_user_enabled: instance.update_user_enabled,
        enable_user_enabled: instance.enable_user_enabled,
        disable_user_enabled: instance.disable_user_enabled,
        create_if_not_exists: instance.create_if_not_exists,
        allow_enable_default: instance.allow_enable_default,
        disable_absent: match instance.disable_absent {
            config::DisableAbsent::Skip => DisableAbsent::Skip,
            config::DisableAbsent::Fail => DisableAbsent::Fail,
        },
        profile_id: match instance.profile_id {
            config::ProfileId::Aws => ProfileId::Aws,
            config::ProfileId::Foreign => ProfileId::Foreign,
        },
        adopt: match instance.adopt {
            config::Adopt::SamePerson => Adopt::SamePerson,
            config::Adopt::Strict => Adopt::Strict,
            config::Adopt::Always => Adopt::Always,
            config::Adopt::Never => Adopt::Never,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_and_the_client_know_the_same_apis() {
        assert_eq!(config::APIS, Api::ALL.map(Api::name));
    }
}
