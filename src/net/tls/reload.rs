//! Reloads the certificate, key and client CAs when their files change.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::sync::watch;

use super::{
    Material, TlsError,
    files::{Contents, Files},
};
use crate::files::{self, Fingerprint, Watcher};

/// How often the files are looked at. A change is taken when two looks found it, so after two
/// seconds at the latest.
pub const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// How often the certificate's end is thought of, and how often it is warned of.
const REMINDER_CHECK: Duration = Duration::from_secs(60);
const REMINDER_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// The material that handshakes are made with now. Cheap to clone; all clones see the same.
#[derive(Debug, Clone)]
pub struct Current(watch::Receiver<Arc<Material>>);

impl Current {
    /// The material of this moment.
    #[must_use]
    pub fn material(&self) -> Arc<Material> {
        Arc::clone(&self.0.borrow())
    }
}

/// Watches the files, and makes what they hold current.
#[derive(Debug)]
pub struct Reloader {
    served: Served,
    watcher: Watcher<Content>,
}

/// What a look at the files found.
type Content = Result<Fingerprint, TlsError>;

#[derive(Debug)]
struct Served {
    files: Files,
    current: watch::Sender<Arc<Material>>,
    /// Of the files that `current` was made of.
    fingerprint: Fingerprint,
    /// Whether the last change could not be used.
    is_outdated: bool,
    /// When it was last warned that the certificate is about to expire.
    reminded: Option<Instant>,
}

impl Reloader {
    /// Reads the files for the first time. Blocks.
    ///
    /// # Errors
    /// Everything that is wrong with them, together.
    pub fn new(files: Files) -> Result<(Self, Current), TlsError> {
        let contents = Contents::read(&files)?;
        let material = Material::new(&contents)?;
        // The start of the service has warned of it already.
        let reminded = material.validity().warning(Timestamp::now()).map(|_| Instant::now());
        let (current, receiver) = watch::channel(Arc::new(material));
        let watched = files.clone();
        let fingerprint = contents.fingerprint();
        let look = move || Contents::read(&watched).map(|contents| contents.fingerprint());
        let watcher = files::watch("the set of TLS files", LOOK_INTERVAL, Some(Ok(fingerprint)), look);
        let served = Served {
            files,
            current,
            fingerprint,
            is_outdated: false,
            reminded,
        };
        Ok((Self { served, watcher }, Current(receiver)))
    }

    /// Reloads for as long as it is polled.
    pub async fn run(self) {
        let Self {
            mut served,
            mut watcher,
        } = self;
        loop {
            let content = tokio::select! {
                content = watcher.changed() => Some(content),
                () = tokio::time::sleep(REMINDER_CHECK) => None,
            };
            // Reading and checking keys takes some milliseconds.
            let taken = tokio::task::spawn_blocking(move || {
                if let Some(content) = content {
                    served.take(content);
                }
                served.remind();
                served
            });
            served = match taken.await {
                Ok(served) => served,
                Err(error) => {
                    if error.is_panic() {
                        tracing::error!("a defect: the TLS files are not reloaded any more");
                    }
                    return;
                }
            };
        }
    }
}

impl Served {
    fn take(&mut self, content: Content) {
        if content.as_ref() == Ok(&self.fingerprint) {
            if std::mem::take(&mut self.is_outdated) {
                tracing::info!("the TLS files are again those that are served");
            }
            return;
        }
        let loaded = content
            .and_then(|_| Contents::read(&self.files))
            .and_then(|contents| Ok((Material::new(&contents)?, contents.fingerprint())));
        match loaded {
            Ok((material, fingerprint)) => {
                tracing::info!(expires = %material.validity().ends, "the TLS files were reloaded");
                self.current.send_replace(Arc::new(material));
                self.fingerprint = fingerprint;
                self.is_outdated = false;
                self.reminded = None;
            }
            Err(faults) => {
                tracing::error!("the TLS files have changed and can't be used; those before are served on: {faults}");
                self.is_outdated = true;
            }
        }
    }

    fn remind(&mut self) {
        if self.reminded.is_some_and(|last| last.elapsed() < REMINDER_INTERVAL) {
            return;
        }
        let validity = self.current.borrow().validity();
        if let Some(warning) = validity.warning(Timestamp::now()) {
            self.reminded = Some(Instant::now());
            tracing::warn!("the TLS certificate {warning}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use rcgen::{CertificateParams, KeyPair};

    use super::*;
    use crate::net::tls::{Part, TlsFileError};

    /// A folder with the files, gone with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let path = std::env::temp_dir().join(format!("aws-ilm-tls-{}", uuid::Uuid::new_v4()));
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn files(&self) -> Files {
            Files {
                certificate: self.0.join("tls.crt"),
                key: self.0.join("tls.key"),
                client_ca: None,
                strict: false,
            }
        }

        fn write(&self, pair: &(String, String)) {
            fs::write(self.files().certificate, &pair.0).unwrap();
            fs::write(self.files().key, &pair.1).unwrap();
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    fn look(reloader: &mut Reloader) {
        if let Some(content) = reloader.watcher.look() {
            reloader.served.take(content);
        }
    }

    fn pair() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    #[test]
    fn what_looks_the_same_twice_is_taken() {
        let folder = Folder::new();
        folder.write(&pair());
        let (mut reloader, current) = Reloader::new(folder.files()).unwrap();
        let first = current.material();
        look(&mut reloader);
        look(&mut reloader);
        assert!(Arc::ptr_eq(&first, &current.material()));
        folder.write(&pair());
        look(&mut reloader);
        assert!(Arc::ptr_eq(&first, &current.material()), "taken at the first look");
        look(&mut reloader);
        assert!(!Arc::ptr_eq(&first, &current.material()));
    }

    #[test]
    fn what_is_broken_is_kept_out_and_mended_by_what_is_good() {
        let folder = Folder::new();
        folder.write(&pair());
        let (mut reloader, current) = Reloader::new(folder.files()).unwrap();
        let first = current.material();
        let (certificate, key) = pair();
        let files = folder.files();
        // The order in which an operator's tool writes them.
        for (path, text, fault) in [
            (&files.certificate, "", (Part::Certificate, TlsFileError::Empty)),
            (
                &files.certificate,
                &certificate[..certificate.len() / 2],
                (Part::Certificate, TlsFileError::NotPem),
            ),
            (
                &files.certificate,
                &certificate[..],
                (Part::Key, TlsFileError::KeyMismatch),
            ),
            (&files.key, &key[..key.len() / 2], (Part::Key, TlsFileError::NotPem)),
        ] {
            fs::write(path, text).unwrap();
            assert_eq!(Material::load(&files).unwrap_err(), TlsError(vec![fault]));
            for _ in 0..3 {
                look(&mut reloader);
                assert!(Arc::ptr_eq(&first, &current.material()));
            }
            assert!(reloader.served.is_outdated);
        }
        fs::remove_file(&files.key).unwrap();
        look(&mut reloader);
        look(&mut reloader);
        assert!(reloader.served.is_outdated);
        fs::write(&files.key, &key).unwrap();
        look(&mut reloader);
        look(&mut reloader);
        assert!(!Arc::ptr_eq(&first, &current.material()));
        assert!(!reloader.served.is_outdated);
    }
}
