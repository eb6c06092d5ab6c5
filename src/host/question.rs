//! A question to a server under test: whom it believes is said by who asks, not by the system.

use std::io::{self, Read as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// Asks an address with GET: the status, and at most `most` bytes of the body. No redirect is followed
/// and no proxy asked; a server's certificate must come from one of those in `ca`.
pub fn question(url: &str, ca: Option<&str>, patience: Duration, most: u64) -> io::Result<(u16, Vec<u8>)> {
    let mut believed: Vec<Certificate<'static>> = Vec::new();
    for item in parse_pem(ca.unwrap_or_default().as_bytes()) {
        if let PemItem::Certificate(certificate) = item.map_err(ureq::Error::into_io)? {
            believed.push(certificate);
        }
    }
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(patience))
        .http_status_as_error(false)
        .tls_config(TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(believed))).build())
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .user_agent(concat!("hardpan/", env!("CARGO_PKG_VERSION")))
        .build();
    let response = ureq::Agent::from(config).get(url).call().map_err(ureq::Error::into_io)?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    response.into_body().into_reader().take(most).read_to_end(&mut body)?;
    Ok((status, body))
}

/// Connects to a port of the loopback, whichever of its two addresses answers.
pub fn connect_loopback(port: u16, patience: Duration) -> io::Result<TcpStream> {
    let connect = |address: IpAddr| TcpStream::connect_timeout(&SocketAddr::new(address, port), patience);
    connect(Ipv4Addr::LOCALHOST.into()).or_else(|_| connect(Ipv6Addr::LOCALHOST.into()))
}
