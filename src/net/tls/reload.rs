//! Reading the files again when they change.
//!
//! By their content, once a second, and not by notifications of the file system: those go deaf
//! where a volume is exchanged as a whole, as Kubernetes does with secrets (a symbolic link that is
//! swapped), and where a file is replaced by renaming another over it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::sync::watch;

use super::{
    Material, TlsError,
    files::{Contents, Files, Fingerprint},
};

/// How often the files are looked at. What is new is taken when it looks the same twice, so after
/// two seconds at the latest.
pub const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// How often it is said that the certificate is about to expire.
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

/// Looks at the files, and makes what it finds there current.
#[derive(Debug)]
pub struct Reloader {
    files: Files,
    current: watch::Sender<Arc<Material>>,
    /// What is current.
    served: Fingerprint,
    /// What the last look found, if that is not current.
    found: Option<Found>,
    /// What was complained of, so that it is once.
    complained: Option<Found>,
    /// When it was last said that the certificate is about to expire.
    reminded: Option<Instant>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Contents(Fingerprint),
    Nothing(TlsError),
}

impl Reloader {
    /// Reads the files for the first time. Blocks.
    ///
    /// # Errors
    /// Everything that is wrong with them, together.
    pub fn new(files: Files) -> Result<(Self, Current), TlsError> {
        let contents = Contents::read(&files)?;
        let material = Material::new(&contents)?;
        // Who starts the service has told it already.
        let reminded = material.validity().warning(Timestamp::now()).map(|_| Instant::now());
        let (current, receiver) = watch::channel(Arc::new(material));
        let reloader = Self {
            files,
            current,
            served: contents.fingerprint(),
            found: None,
            complained: None,
            reminded,
        };
        Ok((reloader, Current(receiver)))
    }

    /// Looks at the files for as long as it is polled.
    pub async fn run(mut self) {
        loop {
            tokio::time::sleep(LOOK_INTERVAL).await;
            let looked = tokio::task::spawn_blocking(move || {
                self.look();
                self
            });
            match looked.await {
                Ok(reloader) => self = reloader,
                Err(error) => {
                    if error.is_panic() {
                        tracing::error!("looking at the TLS files has broken off: they are not reloaded any more");
                    }
                    return;
                }
            }
        }
    }

    fn look(&mut self) {
        let contents = Contents::read(&self.files);
        let found = match &contents {
            Ok(contents) => Found::Contents(contents.fingerprint()),
            Err(faults) => Found::Nothing(faults.clone()),
        };
        if found == Found::Contents(self.served) {
            self.found = None;
            if self.complained.take().is_some() {
                tracing::info!("the TLS files are again those that are served");
            }
        } else if self.found.as_ref() != Some(&found) {
            // Somebody may still be writing: a chain without its end and a new certificate beside
            // the old key are no news, and half a file of CAs would shut out callers. It has to
            // look the same twice.
            self.found = Some(found);
        } else if self.complained.as_ref() != Some(&found) {
            self.take(found, contents);
        }
        self.remind();
    }

    fn take(&mut self, found: Found, contents: Result<Contents, TlsError>) {
        let loaded = contents.and_then(|contents| Ok((Material::new(&contents)?, contents.fingerprint())));
        match loaded {
            Ok((material, fingerprint)) => {
                tracing::info!(expires = %material.validity().ends, "the TLS files were reloaded");
                self.current.send_replace(Arc::new(material));
                self.served = fingerprint;
                self.found = None;
                self.complained = None;
                self.reminded = None;
            }
            Err(faults) => {
                tracing::error!("the TLS files have changed and can't be used; those before are served on: {faults}");
                self.complained = Some(found);
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
        reloader.look();
        reloader.look();
        assert!(Arc::ptr_eq(&first, &current.material()));
        folder.write(&pair());
        reloader.look();
        assert!(Arc::ptr_eq(&first, &current.material()), "taken at the first look");
        reloader.look();
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
        // In this order somebody writes them.
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
                reloader.look();
                assert!(Arc::ptr_eq(&first, &current.material()));
            }
            assert!(reloader.complained.is_some());
        }
        fs::remove_file(&files.key).unwrap();
        reloader.look();
        reloader.look();
        assert!(matches!(&reloader.complained, Some(Found::Nothing(_))));
        fs::write(&files.key, &key).unwrap();
        reloader.look();
        reloader.look();
        assert!(!Arc::ptr_eq(&first, &current.material()));
        assert!(reloader.complained.is_none());
    }
}
