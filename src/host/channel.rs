//! A connection to a server that speaks a protocol of its own: a socket, or TLS over one.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// Who a server with TLS may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom<'a> {
    /// Anybody: nobody can listen, but anybody on the way can answer.
    Anybody,
    /// Who has a certificate for its name, by an authority that the system trusts.
    Known,
    /// Who has a certificate for its name, by one of these (PEM).
    CertifiedBy(&'a [u8]),
}

/// A connection. Each read and write takes at most the patience that it was made with.
pub struct Channel(Stream);

enum Stream {
    Tcp(TcpStream),
    Local(UnixStream),
    Tls(Box<rustls::StreamOwned<ClientConnection, TcpStream>>),
}

impl Channel {
    /// Connects to a port of a host, whichever of its addresses answers first.
    pub fn to_host(name: &str, port: u16, patience: Duration) -> io::Result<Self> {
        let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in (name, port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, patience) {
                Err(error) => failed = error,
                Ok(stream) => {
                    stream.set_read_timeout(Some(patience))?;
                    stream.set_write_timeout(Some(patience))?;
                    // Questions are small, and each is waited for.
                    stream.set_nodelay(true)?;
                    return Ok(Self(Stream::Tcp(stream)));
                }
            }
        }
        Err(failed)
    }

    /// Connects to a socket of this machine.
    pub fn to_socket(path: &Path, patience: Duration) -> io::Result<Self> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        Ok(Self(Stream::Local(stream)))
    }

    /// The same connection with TLS over it, once the server has shown who it is.
    pub fn secured(self, name: &str, whom: Whom<'_>) -> io::Result<Self> {
        let Stream::Tcp(mut stream) = self.0 else {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "TLS is for plain connections to a host"));
        };
        let config = config(whom).map_err(io::Error::other)?;
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        let mut tls = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut stream)?;
        }
        Ok(Self(Stream::Tls(Box::new(rustls::StreamOwned::new(tls, stream)))))
    }

    /// Whether nobody else can read what is sent: by TLS, or because it never leaves the kernel.
    pub fn is_private(&self) -> bool {
        match &self.0 {
            Stream::Tcp(stream) => stream.peer_addr().is_ok_and(|peer| peer.ip().is_loopback()),
            Stream::Local(_) | Stream::Tls(_) => true,
        }
    }
}

impl Read for Channel {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Stream::Tcp(stream) => stream.read(buffer),
            Stream::Local(stream) => stream.read(buffer),
            Stream::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Channel {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Stream::Tcp(stream) => stream.write(bytes),
            Stream::Local(stream) => stream.write(bytes),
            Stream::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Stream::Tcp(stream) => stream.flush(),
            Stream::Local(stream) => stream.flush(),
            Stream::Tls(stream) => stream.flush(),
        }
    }
}

fn config(whom: Whom<'_>) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    Ok(match whom {
        Whom::Known => builder.with_platform_verifier()?.with_no_client_auth(),
        Whom::CertifiedBy(pem) => builder.with_root_certificates(roots(pem)?).with_no_client_auth(),
        Whom::Anybody => {
            let verifier = Arc::new(AnyServer(provider));
            builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
        }
    })
}

fn roots(pem: &[u8]) -> Result<RootCertStore, rustls::Error> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| rustls::Error::General(error.to_string()))?;
        store.add(certificate)?;
    }
    if store.is_empty() {
        return Err(rustls::Error::General("the file holds no certificate".to_owned()));
    }
    Ok(store)
}

/// Takes any certificate, but only from who has its key.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
