//! One HTTP request and its answer, for protocols that speak both ways.
//!
//! Nothing is done behind the caller's back: no redirect is followed, no status is an error, no
//! header is added but the agent's name and the body's length.

use std::io::{self, Read};
use std::time::Duration;

use ureq::http::{Request, Response, Uri};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{AsSendBody, SendBody};

use super::net::{LEAST_RATE, LONGEST};

/// A client for whole conversations, with one pool of connections.
#[derive(Debug, Clone)]
pub struct Http {
    agent: ureq::Agent,
    patience: Duration,
}

/// What is sent after the headers.
pub enum Body<'a> {
    /// Nothing, and no length (GET, HEAD).
    None,
    /// These bytes, maybe none.
    Bytes(&'a [u8]),
    /// So many bytes of a reader, which must not end before.
    Stream(&'a mut dyn Read, u64),
}

/// What is asked.
pub struct HttpRequest<'a> {
    /// `GET`, `HEAD`, `POST`, `PUT`, `PATCH`.
    pub method: &'static str,
    /// Where.
    pub url: &'a str,
    /// Headers, names in lower case.
    pub headers: &'a [(&'static str, String)],
    /// What is sent.
    pub body: Body<'a>,
    /// The most bytes that the answer may bring.
    pub limit: u64,
}

/// What was answered.
pub struct HttpAnswer {
    /// The status.
    pub status: u16,
    /// All headers, names in lower case.
    headers: Vec<(String, String)>,
    /// The body; it fails where it is longer than the request's limit, or shorter than its own length.
    pub body: Box<dyn Read + Send>,
}

impl HttpAnswer {
    /// The first header of a name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All headers of a name.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The whole body.
    pub fn bytes(mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.body.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl Http {
    /// `patience` is what a server may take to answer, and each read and write; a transfer may take
    /// what its size explains beside it.
    pub fn new(patience: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_connect(Some(patience.min(Duration::from_secs(10))))
            .timeout_resolve(Some(patience))
            .timeout_per_read(Some(patience))
            .timeout_per_write(Some(patience))
            .http_status_as_error(false)
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("hardpan/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.into(), patience }
    }

    /// How long a server may take to answer.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// Asks once. An error is one of the network and may pass.
    pub fn send(&self, request: HttpRequest<'_>) -> io::Result<HttpAnswer> {
        let sent = match &request.body {
            Body::None => 0,
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::Stream(_, length) => *length,
        };
        let limit = request.limit;
        let mut builder = Request::builder().method(request.method).uri(uri(request.url)?);
        for (name, value) in request.headers {
            builder = builder.header(*name, value);
        }
        let response = match request.body {
            Body::None => self.run(builder.body(SendBody::none()), sent, limit),
            Body::Bytes(bytes) => self.run(builder.body(bytes), sent, limit),
            Body::Stream(reader, length) => {
                let builder = builder.header("content-length", length);
                self.run(builder.body(SendBody::from_reader(reader)), sent, limit)
            }
        }?;
        Ok(answer(response, limit))
    }

    fn run<B: AsSendBody>(
        &self,
        request: Result<Request<B>, ureq::http::Error>,
        sent: u64,
        limit: u64,
    ) -> io::Result<Response<ureq::Body>> {
        let request = request.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let explained = |bytes: u64| Duration::from_secs((bytes / LEAST_RATE).min(LONGEST));
        let request = self
            .agent
            .configure_request(request)
            .timeout_send_request(Some(self.patience))
            .timeout_send_body(Some(self.patience + explained(sent)))
            // A registry hashes and moves what it got before it answers.
            .timeout_recv_response(Some(self.patience + explained(sent >> 8)))
            .timeout_recv_body(Some(self.patience + explained(limit)))
            .build();
        self.agent.run(request).map_err(ureq::Error::into_io)
    }
}

fn uri(url: &str) -> io::Result<Uri> {
    url.parse().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
}

fn answer(response: Response<ureq::Body>, limit: u64) -> HttpAnswer {
    let (parts, body) = response.into_parts();
    let headers = parts.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    HttpAnswer {
        status: parts.status.as_u16(),
        headers: headers.collect(),
        body: Box::new(super::net::Bounded::new(body.into_reader(), limit)),
    }
}
