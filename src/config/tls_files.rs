//! The files of the service's own TLS.

use std::path::Path;

use jiff::Timestamp;

use super::{kind::SecretPath, section::Section, service::FileSettings, token::EXPOSED};
use crate::{
    files::readable_by_everybody,
    net::tls::{Files, Material, Part},
};

/// Checks where the files are, and tries them: what is wrong with one is told before the service
/// starts.
pub(super) fn read(section: &mut Section<'_>, files: FileSettings) -> Option<Files> {
    let [certificate, key, client_ca] = [
        (FileSettings::tls_certificate_file, files.tls_certificate_file),
        (FileSettings::tls_key_file, files.tls_key_file),
        (FileSettings::tls_client_ca_file, files.tls_client_ca_file),
    ];
    let is_unread = |path: &Option<_>, setting| path.is_none() && section.is_set(setting);
    if [&certificate, &key, &client_ca]
        .into_iter()
        .any(|(setting, path)| is_unread(path, setting))
    {
        // One of them is no path, which has been told.
        return None;
    }
    let path = |path: SecretPath| path.path;
    let (certificate, key, client_ca) = match (certificate.1, key.1, client_ca.1) {
        (None, None, None) => return None,
        (Some(certificate), Some(key), client_ca) => (path(certificate), path(key), client_ca.map(path)),
        (certificate, key, _) => {
            let pair = [
                (FileSettings::tls_certificate_file, certificate),
                (FileSettings::tls_key_file, key),
            ];
            for (setting, path) in pair {
                if path.is_none() {
                    section.refuse(setting, "set it too: TLS needs a certificate and its key");
                }
            }
            return None;
        }
    };
    let files = Files {
        certificate,
        key,
        client_ca,
        strict: files.strict_secret_files,
    };
    match Material::load(&files) {
        Ok(material) => warn(section, &files, &material),
        Err(error) => {
            for (part, error) in error.0 {
                let (setting, path) = match part {
                    Part::Certificate => (FileSettings::tls_certificate_file, Some(&files.certificate)),
                    Part::Key => (FileSettings::tls_key_file, Some(&files.key)),
                    Part::ClientCa => (FileSettings::tls_client_ca_file, files.client_ca.as_ref()),
                };
                let help = format!("{error}: {}", error.help());
                match path.filter(|path| is_path(path)) {
                    Some(path) => section.refuse_file(setting, path, &help),
                    None => section.refuse(setting, &help),
                }
            }
        }
    }
    Some(files)
}

fn warn(section: &mut Section<'_>, files: &Files, material: &Material) {
    if let Some(warning) = material.validity().warning(Timestamp::now()) {
        section.warn(
            FileSettings::tls_certificate_file,
            &format!("the certificate {warning}"),
        );
    }
    if material.has_expired_ca() {
        section.warn(
            FileSettings::tls_client_ca_file,
            "there is an authority in it that has expired: what it issued is taken until it is taken out",
        );
    }
    // With `strict` it was refused before.
    if readable_by_everybody(&files.key) {
        section.warn(FileSettings::tls_key_file, EXPOSED);
    }
}

/// Whether it is a path: the key itself may have been put into the setting of its file.
fn is_path(path: &Path) -> bool {
    let is_path = |text: &str| text.len() <= 256 && !text.contains("-----") && !text.contains(char::is_control);
    path.to_str().is_some_and(is_path)
}
