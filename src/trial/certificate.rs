//! Certificates for one run: an authority of its own, and what it signs for `localhost`.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, Error,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};

use crate::sign::pem_text;

/// What servers and clients of a test are given, as PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certified {
    /// The authority.
    pub(super) ca: String,
    /// The server's certificate.
    pub(super) cert: String,
    /// The server's key, as PKCS#8.
    pub(super) key: String,
}

/// Makes an authority and a certificate for this machine alone. The authority's key is forgotten.
pub(super) fn certified() -> Result<Certified, Error> {
    let mut authority = params(&[], "hardpan test authority")?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let mut server = params(&["localhost", "127.0.0.1", "::1"], "localhost")?;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    // Python 3.13 verifies strictly, and wants it (RFC 5280, 4.2.1.1).
    server.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = server.signed_by(&key, &authority)?;
    Ok(Certified {
        ca: pem_text("CERTIFICATE", authority.der()),
        cert: pem_text("CERTIFICATE", certificate.der()),
        key: pem_text("PRIVATE KEY", &key.serialize_der()),
    })
}

fn params(names: &[&str], called: &str) -> Result<CertificateParams, Error> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, called);
    // The key lives as long as the run; a clock that is off should not matter.
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    Ok(params)
}

#[cfg(all(test, feature = "keyless"))]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
    use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

    use super::*;

    fn der(pem: &str) -> CertificateDer<'static> {
        let lines: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        STANDARD.decode(lines).expect("base64").into()
    }

    #[test]
    fn the_certificate_is_believed_for_this_machine_and_for_nobody_else() {
        let (made, other) = (certified().expect("made"), certified().expect("made"));
        assert_ne!(made.key, other.key);
        let (certificate, ca, other) = (der(&made.cert), der(&made.ca), der(&other.ca));
        let certificate = EndEntityCert::try_from(&certificate).expect("a certificate");
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_800_000_000));
        let believed = |ca: &CertificateDer| {
            let anchor = anchor_from_trusted_cert(ca).expect("an authority");
            let usage = KeyUsage::server_auth();
            let algorithms = webpki::ALL_VERIFICATION_ALGS;
            certificate.verify_for_usage(algorithms, &[anchor], &[], now, usage, None, None).is_ok()
        };
        assert!(believed(&ca) && !believed(&other));
        for (name, fits) in [("localhost", true), ("127.0.0.1", true), ("::1", true), ("example.org", false)]
        {
            let name = ServerName::try_from(name).expect("a name");
            assert_eq!(certificate.verify_is_valid_for_subject_name(&name).is_ok(), fits, "{name:?}");
        }
        assert!(made.key.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    }
}
