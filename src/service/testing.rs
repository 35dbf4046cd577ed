//! What the tests of this room share.

use std::{sync::Arc, time::Duration};

use secrecy::SecretString;
use url::Url;

use super::{HoldSubjects, Instance, InstanceOptions};
use crate::{
    commands::Rules,
    mapper::Mapper,
    policy::Policy,
    scim::{Client, Connection, Dialect, Pool, Proxy, Rates, Target, Token},
};

/// An instance without a directory, whose subjects are held so.
pub(super) fn holding(subjects: Arc<dyn HoldSubjects>) -> Arc<Instance> {
    Arc::new(Instance::new(options(), client(), subjects))
}

fn options() -> InstanceOptions {
    InstanceOptions {
        name: "test".to_owned(),
        brand: "AWS-ILM".to_owned(),
        rules: Rules {
            policy: Policy::default(),
            mapper: Mapper::default(),
            dialect: Dialect::Aws,
        },
        command_timeout: Duration::from_secs(10),
        max_commands: 1,
    }
}

/// A client of an address where no directory listens.
fn client() -> Client {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let connection = Connection {
        insecure: false,
        proxy: Proxy::None,
        connect_timeout: Duration::from_secs(1),
    };
    let token = Token {
        secret: SecretString::from("token"),
        reload: None,
        expires: None,
    };
    let target = Target {
        name: "test".into(),
        base: Url::parse("http://127.0.0.1:9/").unwrap(),
        token,
        second_token: None,
        dialect: Dialect::Aws,
        timeout: Duration::from_secs(1),
        rates: Rates::default(),
    };
    Client::new(Pool::new(&connection).unwrap(), target)
}
