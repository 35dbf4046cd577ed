//! Putting the house together: settings in, a running service out.

mod callers;
mod error;
mod followed;
mod instances;
mod reload;
mod sources;
mod store;
mod watched;

pub use error::AppError;
pub(crate) use instances::{Instances, instances};
pub use reload::watch_settings;
pub use store::{StoreCheck, backup_store, check_store};

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::http::HeaderValue;
use axum_server::Handle;
use tokio::task::JoinHandle;
use url::Url;

use self::instances::TokenFiles;
use crate::{
    auth::Authenticator,
    config::{self, CallerSettings, Settings, WebhookSettings},
    http::{
        self,
        body::{BodyLimits, BodyReader},
        guard::Guard,
        host::HostRule,
        layers::LayerOptions,
    },
    net::{
        server::{self, ServerOptions},
        tls::{self, Reloader},
    },
    operations::Clock,
    sandbox::{self, Sandbox},
    service::Service,
    webhooks::{Intake, Sources},
};

/// The Retry-After while the service stops: until another replica has taken over.
const STOPPING_RETRY: Duration = Duration::from_secs(2);

/// How often expiring tokens are spoken of.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// A service that is bound to its address and not yet serving.
#[derive(Debug)]
pub struct Bound {
    app: http::App,
    options: LayerOptions,
    server: ServerOptions,
    tls: Option<(Reloader, tls::Current)>,
    listener: TcpListener,
    address: SocketAddr,
    /// Where metrics and health are served as well.
    watched: Option<TcpListener>,
    /// The callers, and where to read them again.
    callers: Option<(CallerSettings, Arc<Authenticator>)>,
    /// The sources of webhooks, and where to read them again.
    webhooks: Option<(WebhookSettings, Arc<Sources>)>,
    token_files: Vec<TokenFiles>,
    shutdown_delay: Duration,
    shutdown_timeout: Duration,
}

impl Bound {
    /// Binds a service with these settings.
    ///
    /// # Errors
    /// When the address is taken, or connections or TLS can't be set up.
    pub fn new(settings: &Settings) -> Result<Self, AppError> {
        Self::by_clock(settings, Clock::system())
    }

    /// As [`Self::new`], with operations and webhooks that go by this clock.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn by_clock(settings: &Settings, clock: Clock) -> Result<Self, AppError> {
        let listen = |source| AppError::Listen {
            address: settings.access.listen,
            source,
        };
        let tls = settings
            .tls
            .clone()
            .map(Reloader::new)
            .transpose()
            .map_err(AppError::Tls)?;
        let listener = server::bind(settings.access.listen).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let watched = watched::bind(settings.watch.metrics_listen)?;
        let Instances { all, token_files } = instances(settings)?;
        let service = Arc::new(Service::new(
            all,
            &settings.default_instance,
            settings.commands.max_concurrent_commands,
        ));
        let webhooks = sources::sources(settings)?;
        let sources = webhooks.as_ref().map(|(_, sources)| sources);
        let operations = store::operations(settings, &service, clock, sources)?;
        let callers = match &settings.callers {
            None => None,
            Some(callers) => {
                let loaded = callers.loaded.clone();
                let authenticator = Authenticator::new(loaded.callers, loaded.issuers).map_err(AppError::Issuers)?;
                Some((callers.clone(), Arc::new(authenticator)))
            }
        };
        let authenticator = callers.as_ref().map(|(_, authenticator)| Arc::clone(authenticator));
        let guard = Guard::new(
            authenticator,
            &settings.access.trusted_proxies,
            settings.access.public_docs,
        );
        Ok(Self {
            app: http::App {
                service,
                intake: webhooks
                    .as_ref()
                    .zip(operations.as_ref())
                    .map(|((_, sources), operations)| {
                        Arc::new(Intake::new(Arc::clone(sources), Arc::clone(operations)))
                    }),
                operations,
                stopping: Arc::new(AtomicBool::new(false)),
                stopping_retry: STOPPING_RETRY,
                is_guarded: guard.is_closed(),
            },
            options: layer_options(settings, guard),
            server: ServerOptions {
                header_timeout: settings.server.header_timeout,
                ..ServerOptions::default()
            },
            tls,
            listener,
            address,
            watched,
            callers,
            webhooks,
            token_files,
            shutdown_delay: settings.server.shutdown_delay,
            shutdown_timeout: settings.server.shutdown_timeout,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it serves metrics and health as well.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.watched.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// How a URL of it begins: `https` where it does TLS, else `http`.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// The service behind the routes.
    pub fn service(&self) -> &Arc<Service> {
        &self.app.service
    }

    /// Serves until `shutdown` comes. Then readiness turns, the delay passes, and what is in flight
    /// is finished within its limit.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(mut self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), AppError> {
        let failures = Arc::clone(self.options.guard.failures());
        verify_endpoints(&self.app.service);
        if let Some(operations) = &self.app.operations {
            operations.start().await;
        }
        let watches = self.watches();
        let handle = Handle::new();
        let stop = tokio::spawn(stop(
            shutdown,
            self.app.clone(),
            handle.clone(),
            self.shutdown_delay,
            self.shutdown_timeout,
        ));
        let router = http::router(self.app, self.options);
        let served = match self.tls {
            None => server::serve(self.listener, router, self.server, handle).await,
            Some((reloader, current)) => {
                let reloading = tokio::spawn(reloader.run());
                let on_refused = callers::refused_handshakes(Arc::clone(&failures));
                let served = server::serve_tls(self.listener, router, self.server, current, on_refused, handle).await;
                reloading.abort();
                served
            }
        };
        for watch in watches {
            watch.abort();
        }
        callers::audit_slowed(&failures);
        served.map_err(AppError::Serve)?;
        match stop.await {
            Ok(0) => {
                tracing::info!("stopped; every command has ended");
                Ok(())
            }
            Ok(commands) => Err(AppError::CutOff { commands }),
            Err(_) => Err(AppError::CutOff { commands: 0 }),
        }
    }

    /// Starts what goes on beside the requests.
    fn watches(&mut self) -> Vec<JoinHandle<()>> {
        let service = Arc::clone(&self.app.service);
        let failures = Arc::clone(self.options.guard.failures());
        let mut watches = vec![
            tokio::spawn(watch_expiry(service)),
            tokio::spawn(callers::audit_failures(failures)),
        ];
        watches.extend(self.token_files.drain(..).map(|files| tokio::spawn(files.watch())));
        if let Some(listener) = self.watched.take() {
            watches.push(watched::serve(listener, self.app.clone(), self.server));
        }
        if let Some((settings, authenticator)) = self.callers.take() {
            watches.push(tokio::spawn(callers::watch(settings, Arc::clone(&authenticator))));
            watches.push(tokio::spawn(async move { authenticator.watch().await }));
        }
        if let Some(intake) = &self.app.intake {
            watches.push(tokio::spawn(sources::tell_dropped(Arc::clone(intake))));
        }
        if let Some((settings, sources)) = self.webhooks.take() {
            watches.push(tokio::spawn(sources::watch(settings, sources)));
        }
        watches
    }
}

/// Asks every directory for its configuration, so that readiness knows soon how each does. Nothing
/// waits for it.
fn verify_endpoints(service: &Service) {
    for instance in service.instances() {
        let instance = Arc::clone(instance);
        tokio::spawn(async move {
            if let Err(error) = instance.verify_endpoint().await {
                let aws_request_id = error.request_id.as_deref().unwrap_or("-");
                tracing::warn!(instance = instance.name(), aws_request_id, "{}", error.summary());
            }
        });
    }
}

/// How long connections stay open after the last command has ended.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Stops in order once `shutdown` comes; gives how many commands had not ended in time.
async fn stop(
    shutdown: impl Future<Output = ()>,
    app: http::App,
    handle: Handle<SocketAddr>,
    delay: Duration,
    timeout: Duration,
) -> usize {
    shutdown.await;
    tracing::info!("stopping");
    app.stopping.store(true, Ordering::Relaxed);
    tokio::time::sleep(delay).await;
    if let Some(operations) = &app.operations {
        operations.stop();
    }
    handle.graceful_shutdown(Some(timeout));
    // Callers that hung up left commands behind: those end too.
    let left = app.service.finish(timeout).await;
    if let Some(operations) = &app.operations {
        operations.finish(timeout).await;
    }
    // Answers are on their way yet. A peer that is silent, or has not sent its request whole, is
    // not waited for: what stops the service (`docker stop`: 10 s) would lose patience and kill it.
    tokio::spawn(async move {
        tokio::time::sleep(LAST_ANSWERS).await;
        handle.shutdown();
    });
    left
}

fn layer_options(settings: &Settings, guard: Guard) -> LayerOptions {
    let limits = BodyLimits {
        max_body: settings.server.body_limit,
        body_timeout: settings.server.body_timeout,
        ..BodyLimits::default()
    };
    LayerOptions {
        host_rule: host_rule(settings),
        // What is no header value is no origin, which the configuration has checked.
        cors_origins: settings
            .access
            .cors_origins
            .iter()
            .filter_map(|origin| HeaderValue::from_str(origin).ok())
            .collect(),
        guard,
        body_reader: Arc::new(BodyReader::new(limits)),
    }
}

/// Without callers only loopback and configured names are answered. With them a foreign page has no
/// key to send, and a client certificate goes only to a name that the service's own is for, so that
/// every name is answered, unless the operator names some.
fn host_rule(settings: &Settings) -> HostRule {
    if settings.callers.is_some() && settings.access.allowed_hosts.is_empty() {
        HostRule::any()
    } else {
        HostRule::loopback_and(&settings.access.allowed_hosts)
    }
}

/// Says every day which tokens are about to expire, or have: AWS's live a year, and without one
/// every command fails. At start the warnings of the configuration say so.
async fn watch_expiry(service: Arc<Service>) {
    loop {
        tokio::time::sleep(EXPIRY_INTERVAL).await;
        for instance in service.instances() {
            let expires = instance.status().token_expires;
            let warning = expires.and_then(|expires| config::expiry_warning(expires, jiff::Timestamp::now()));
            if let Some(warning) = warning {
                tracing::warn!(instance = instance.name(), "{warning}");
            }
        }
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
    pub async fn start(options: sandbox::Options) -> Result<Self, AppError> {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let listen = |source| AppError::Listen { address, source };
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
