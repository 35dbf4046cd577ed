//! From the settings of a directory to an instance that can be asked.

use super::AppError;
use crate::{
    commands::Rules,
    config::Settings,
    scim::{Client, Connection, Pool},
    service::{Instance, InstanceOptions},
};

/// The instances, whose pools are shared wherever connections are made alike. Needs a running
/// tokio.
pub(crate) fn instances(settings: &Settings) -> Result<Vec<Instance>, AppError> {
    let mut pools: Vec<(&Connection, Pool)> = Vec::new();
    let mut instances = Vec::new();
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
        instances.push(Instance::new(options, Client::new(pool, target)));
    }
    Ok(instances)
}
