//! Why there is no service.

use std::{io, net::SocketAddr, path::PathBuf};

use crate::{auth, net::tls, store::sqlite::OpenError};

/// Why the service could not be put together or could not go on.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The address can't be listened on.
    #[error("can't listen on {address}; choose another with --listen or the setting listen (AWS_ILM_LISTEN)")]
    Listen {
        /// The address that was set.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The address of the second listener can't be listened on.
    #[error("can't listen on {address}; choose another with the setting metrics_listen (AWS_ILM_METRICS_LISTEN)")]
    ListenForMetrics {
        /// The address that was set.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The files of TLS can't be used any more.
    #[error("can't set up TLS: {0}; see tls_certificate_file, tls_key_file and tls_client_ca_file")]
    Tls(tls::TlsError),
    /// Connections to a directory can't be set up.
    #[error("can't set up connections for the instance {instance}")]
    Pool {
        /// The instance's name.
        instance: String,
        /// Why not.
        source: reqwest::Error,
    },
    /// An issuer of tokens can't be set up.
    #[error("can't verify the tokens of the configured issuers")]
    Issuers(#[source] auth::jwt::VerifierError),
    /// The time for stopping was over before every command had ended: what those did is not known.
    #[error("{commands} commands had not ended when shutdown_timeout was over; what they did is not known")]
    CutOff {
        /// How many.
        commands: usize,
    },
    /// The file of the store is not this process's to have.
    #[error("can't open the store {}; see store_path (AWS_ILM_STORE_PATH)", path.display())]
    Store {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: OpenError,
    },
    /// The store could not be copied.
    #[error("can't copy the store {} into {}", from.display(), to.display())]
    Backup {
        /// The store.
        from: PathBuf,
        /// The copy, which must not exist.
        to: PathBuf,
        /// Why not.
        source: OpenError,
    },
    /// The system gives no randomness.
    #[error("the system gives no randomness, which verifying webhooks needs")]
    Randomness,
    /// The server stopped.
    #[error("the server stopped")]
    Serve(#[source] io::Error),
}
