//! Who asks, how they prove it, and what they may do. Knows nothing of HTTP, of commands or of directories.

mod certificate;
mod distinguished_name;

pub use self::certificate::{CertificateFault, CertificateName, CertificateNameFault, CertificateNames};
pub use self::distinguished_name::{DistinguishedName, DistinguishedNameFault};
