//! Certificates of clients, and how long they prove who asks.

use std::time::{Duration, Instant, SystemTime};

use rcgen::{ExtendedKeyUsagePurpose, KeyPair};
use serde_json::Value;

use super::{Authority, Folder, Issued, PATIENCE, Service, builder, client, client_names, client_params};

#[tokio::test]
async fn client_certificates_are_optional_and_never_wrong() {
    let (authority, clients) = (Authority::new("root"), Authority::new("clients"));
    let folder = Folder::new(&authority.server(), Some(&clients.pem()));
    let service = Service::start(&folder);

    for version in [reqwest::tls::Version::TLS_1_2, reqwest::tls::Version::TLS_1_3] {
        let issued = clients.client();
        let builder = builder(&authority, Some(&issued))
            .tls_version_min(version)
            .tls_version_max(version);
        let proven = builder.build().unwrap();
        for _ in 0..2 {
            assert_eq!(
                service.ask(&proven).await.unwrap().0["names"],
                client_names(),
                "{version:?}"
            );
        }
    }
    assert_eq!(service.names(&authority, None).await.unwrap(), Value::Null);

    let hour = Duration::from_secs(3600);
    let mut expired = client_params();
    expired.not_before = (SystemTime::now() - 2 * hour).into();
    expired.not_after = (SystemTime::now() - hour).into();
    let mut early = client_params();
    early.not_before = (SystemTime::now() + hour).into();
    let mut of_a_server = client_params();
    of_a_server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let self_signed = KeyPair::generate().unwrap();
    let self_signed = Issued {
        certificate: client_params().self_signed(&self_signed).unwrap().pem(),
        key: self_signed.serialize_pem(),
    };
    for (what, issued) in [
        ("of another authority", Authority::new("another").client()),
        ("of one of the same name", Authority::new("clients").client()),
        ("expired", clients.issue(&expired)),
        ("not valid yet", clients.issue(&early)),
        ("of a server", clients.issue(&of_a_server)),
        ("self-signed", self_signed),
    ] {
        assert!(service.names(&authority, Some(&issued)).await.is_err(), "{what}");
    }
    // The service still answers its clients.
    let issued = clients.client();
    assert_eq!(service.names(&authority, Some(&issued)).await.unwrap(), client_names());
}

#[tokio::test]
async fn without_client_authorities_no_certificate_proves_anything() {
    let authority = Authority::new("root");
    let folder = Folder::new(&authority.server(), None);
    let service = Service::start(&folder);
    let issued = authority.client();
    assert_eq!(service.names(&authority, Some(&issued)).await.unwrap(), Value::Null);
}

#[tokio::test]
async fn a_replaced_authority_takes_its_names_from_open_connections() {
    let (authority, before, after) = (
        Authority::new("root"),
        Authority::new("before"),
        Authority::new("after"),
    );
    let folder = Folder::new(&authority.server(), Some(&before.pem()));
    let service = Service::start(&folder);
    let (old, new) = (before.client(), after.client());
    let kept = client(&authority, Some(&old));
    assert_eq!(service.ask(&kept).await.unwrap().0["names"], client_names());
    assert!(service.names(&authority, Some(&new)).await.is_err());

    // Both for a while, as in a rotation.
    folder.write("ca.crt", &format!("{}{}", before.pem(), after.pem()));
    let written = Instant::now();
    while service.names(&authority, Some(&new)).await.is_err() {
        assert!(written.elapsed() < PATIENCE, "the new authority is not taken");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(service.ask(&kept).await.unwrap().0["names"], client_names());

    folder.write("ca.crt", &after.pem());
    let written = Instant::now();
    // The connection goes on without a client's names.
    while service.ask(&kept).await.unwrap().0["names"] != Value::Null {
        assert!(written.elapsed() < PATIENCE, "the names outlive their authority");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(service.names(&authority, Some(&old)).await.is_err());
    assert_eq!(service.names(&authority, Some(&new)).await.unwrap(), client_names());
}

#[tokio::test]
async fn an_open_connection_loses_its_names_when_the_certificate_expires() {
    let (authority, clients) = (Authority::new("root"), Authority::new("clients"));
    let folder = Folder::new(&authority.server(), Some(&clients.pem()));
    let service = Service::start(&folder);
    let mut params = client_params();
    params.not_after = (SystemTime::now() + Duration::from_secs(8)).into();
    let kept = client(&authority, Some(&clients.issue(&params)));
    assert_eq!(service.ask(&kept).await.unwrap().0["names"], client_names());
    let start = Instant::now();
    while service.ask(&kept).await.unwrap().0["names"] != Value::Null {
        assert!(start.elapsed() < PATIENCE, "the names outlive their certificate");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
