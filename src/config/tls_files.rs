//! The files of the service's own TLS.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{
    reader::{self, Section},
    token,
};
use crate::{
    files::readable_by_everybody,
    net::tls::{Files, Material, Part},
};

const CERTIFICATE: &str = "tls_certificate_file";
const KEY: &str = "tls_key_file";
const CLIENT_CA: &str = "tls_client_ca_file";

/// Whether the service is set to speak TLS.
pub(super) fn are_set(section: &Section<'_>) -> bool {
    is_set(section, CERTIFICATE)
}

/// Reads where the files are, and tries them: what is wrong with one is told before the service
/// starts.
pub(super) fn read(section: &mut Section<'_>, folder: Option<&Path>, strict: bool) -> Option<Files> {
    let names = [CERTIFICATE, KEY, CLIENT_CA];
    let set = names.map(|name| is_set(section, name));
    let paths = names.map(|name| read_path(section, name, folder));
    if paths.each_ref().map(Option::is_some) != set {
        // One of them is no path, which has been told.
        return None;
    }
    let (certificate, key, client_ca) = match paths {
        [None, None, None] => return None,
        [Some(certificate), Some(key), client_ca] => (certificate, key, client_ca),
        [certificate, key, _] => {
            for (name, path) in [(CERTIFICATE, certificate), (KEY, key)] {
                if path.is_none() {
                    section.refuse(name, "set it too: TLS needs a certificate and its key");
                }
            }
            return None;
        }
    };
    let files = Files {
        certificate,
        key,
        client_ca,
        strict,
    };
    match Material::load(&files) {
        Ok(material) => warn(section, &files, &material),
        Err(faults) => {
            for (part, fault) in faults.0 {
                let (name, path) = match part {
                    Part::Certificate => (CERTIFICATE, Some(&files.certificate)),
                    Part::Key => (KEY, Some(&files.key)),
                    Part::ClientCa => (CLIENT_CA, files.client_ca.as_ref()),
                };
                let shown = path
                    .and_then(|path| shown(path))
                    .map_or_else(String::new, |path| format!("{path}: "));
                section.refuse(name, &format!("{shown}{fault}: {}", fault.help()));
            }
        }
    }
    Some(files)
}

fn warn(section: &mut Section<'_>, files: &Files, material: &Material) {
    if let Some(warning) = material.validity().warning(Timestamp::now()) {
        section.warn(CERTIFICATE, &format!("the certificate {warning}"));
    }
    if material.has_expired_ca() {
        section.warn(
            CLIENT_CA,
            "there is an authority in it that has expired: what it issued is taken until it is taken out",
        );
    }
    // With `strict` it was refused before.
    if readable_by_everybody(&files.key) {
        section.warn(KEY, token::EXPOSED);
    }
}

fn is_set(section: &Section<'_>, name: &str) -> bool {
    let (in_environment, in_file) = section.is_set(name);
    in_environment || in_file
}

fn read_path(section: &mut Section<'_>, name: &str, folder: Option<&Path>) -> Option<PathBuf> {
    let text = section.text(name, |text| !text.trim().is_empty())?;
    // As for every path: in the file relative to it, in the environment to where the process runs.
    let (in_environment, _) = section.is_set(name);
    Some(match folder {
        Some(folder) if !in_environment => folder.join(text),
        _ => PathBuf::from(text),
    })
}

/// The path, if it is one: somebody may have put the key itself into the setting of its file.
fn shown(path: &Path) -> Option<String> {
    let text = path.to_str()?;
    let looks_like_a_path = text.len() <= 256 && !text.contains("-----") && !text.contains(char::is_control);
    looks_like_a_path.then(|| reader::quoted(text))
}
