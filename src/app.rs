//! Putting the house together: settings in, a running service out.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum_server::Handle;
use url::Url;

use crate::{
    commands::Rules,
    config::{self, InstanceSettings, Settings},
    http::{
        self,
        extract::{Intake, IntakeLimits},
        host::HostRule,
        layers::LayerOptions,
        server::ServerOptions,
    },
    policy::Policy,
    sandbox::{self, Sandbox},
    scim::{self, Client, Connection, Pool},
    service::{Instance, Service},
};

/// What callers are told to wait while the service stops: until another replica has taken over.
const STOPPING_RETRY: Duration = Duration::from_secs(2);

/// Why the service could not be put together or could not go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address can't be listened on.
    #[error("can't listen on {address}; choose another with listen (AWS_ILM_LISTEN)")]
    Listen {
        /// The address that was set.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// Connections to a directory can't be set up.
    #[error("can't set up connections for the instance {instance}")]
    Pool {
        /// The instance's name.
        instance: String,
        /// Why not.
        source: reqwest::Error,
    },
    /// The server stopped.
    #[error("the server stopped")]
    Serve(#[source] io::Error),
}

/// A service that is bound to its address and not yet serving.
#[derive(Debug)]
pub struct Bound {
    app: http::App,
    options: LayerOptions,
    server: ServerOptions,
    listener: TcpListener,
    address: SocketAddr,
    shutdown_delay: Duration,
    shutdown_timeout: Duration,
}

impl Bound {
    /// Binds a service with these settings.
    ///
    /// # Errors
    /// When the address is taken, or connections can't be set up.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        let listen = |source| Error::Listen {
            address: settings.listen,
            source,
        };
        let listener = TcpListener::bind(settings.listen).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let service = Service::new(instances(settings)?, &settings.default_instance);
        let intake = IntakeLimits {
            max_body: settings.body_limit,
            body_timeout: settings.body_timeout,
            max_running: settings.max_concurrent_commands,
            ..IntakeLimits::default()
        };
        Ok(Self {
            app: http::App {
                service: Arc::new(service),
                stopping: Arc::new(AtomicBool::new(false)),
                stopping_retry: STOPPING_RETRY,
            },
            options: LayerOptions {
                host_rule: HostRule::loopback_and(&settings.allowed_hosts),
                intake: Arc::new(Intake::new(intake)),
            },
            server: ServerOptions {
                header_timeout: settings.header_timeout,
                ..ServerOptions::default()
            },
            listener,
            address,
            shutdown_delay: settings.shutdown_delay,
            shutdown_timeout: settings.shutdown_timeout,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The service behind the routes.
    pub fn service(&self) -> &Arc<Service> {
        &self.app.service
    }

    /// Serves until `shutdown` comes. Then readiness turns, the delay passes, and what is in flight is finished within its limit.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
        let service = Arc::clone(&self.app.service);
        for instance in service.instances() {
            // So that readiness knows soon, and nobody waits for it.
            let instance = Arc::clone(instance);
            tokio::spawn(async move { instance.prove().await.is_ok() });
        }
        let handle = Handle::new();
        let stop = {
            let (app, handle) = (self.app.clone(), handle.clone());
            async move {
                shutdown.await;
                tracing::info!("stopping");
                app.stopping.store(true, Ordering::Relaxed);
                tokio::time::sleep(self.shutdown_delay).await;
                handle.graceful_shutdown(Some(self.shutdown_timeout));
                // Callers who hung up left commands behind: those end too.
                app.service.finish(self.shutdown_timeout).await
            }
        };
        let stop = tokio::spawn(stop);
        let router = http::router(self.app, self.options);
        http::server::serve(self.listener, router, self.server, handle)
            .await
            .map_err(Error::Serve)?;
        match stop.await {
            Ok(true) => tracing::info!("stopped; every command has ended"),
            Ok(false) | Err(_) => tracing::warn!("stopped before every command had ended; raise shutdown_timeout"),
        }
        Ok(())
    }
}

/// The instances, whose pools are shared wherever connections are made alike.
pub(crate) fn instances(settings: &Settings) -> Result<Vec<Instance>, Error> {
    let mut pools: Vec<(Connection, Pool)> = Vec::new();
    let mut instances = Vec::new();
    for instance in &settings.instances {
        let connection = connection(instance);
        let known = pools
            .iter()
            .find(|(other, _)| *other == connection)
            .map(|(_, pool)| pool.clone());
        let pool = match known {
            Some(pool) => pool,
            None => {
                let failed = |source| Error::Pool {
                    instance: instance.name.clone(),
                    source,
                };
                let pool = Pool::new(&connection).map_err(failed)?;
                pools.push((connection, pool.clone()));
                pool
            }
        };
        let dialect = match instance.scim_dialect {
            config::Dialect::Aws => scim::Dialect::Aws,
            config::Dialect::Rfc7644 => scim::Dialect::Rfc7644,
        };
        let token = instance.authentication_token.secret().clone();
        let client = Client::new(pool, instance.url.clone(), token, dialect, instance.request_timeout);
        let rules = Rules {
            policy: policy(instance),
            mapper: instance.mapper.clone(),
            dialect,
        };
        let (name, brand) = (instance.name.clone(), instance.brand.clone());
        instances.push(Instance::new(name, brand, rules, client, settings.command_timeout));
    }
    Ok(instances)
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
    }
}

/// A sandbox that is served on a port of its own.
#[derive(Debug)]
pub struct EmbeddedSandbox {
    /// Its SCIM endpoint.
    pub url: Url,
    /// Its tenant.
    pub tenant_id: &'static str,
    /// Its token.
    pub token: &'static str,
}

impl EmbeddedSandbox {
    /// Serves a sandbox on loopback for as long as the process lives.
    ///
    /// # Errors
    /// When there is no free port on loopback.
    pub async fn start(options: sandbox::Options) -> Result<Self, Error> {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let listen = |source| Error::Listen { address, source };
        let listener = tokio::net::TcpListener::bind(address).await.map_err(listen)?;
        let base = Sandbox::base_url(listener.local_addr().map_err(listen)?, sandbox::DEFAULT_TENANT);
        let url = Url::parse(&base).map_err(|error| listen(io::Error::other(error)))?;
        tokio::spawn(Sandbox::new(options).serve(listener, std::future::pending()));
        Ok(Self {
            url,
            tenant_id: sandbox::DEFAULT_TENANT,
            token: sandbox::DEFAULT_TOKEN,
        })
    }
}
