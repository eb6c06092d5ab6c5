//! Who is trusted: the authorities and logs of a trusted root, each for its time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::{CertificateDer, UnixTime};
use serde::Deserialize;
use serde_json::Value;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::Checked;
use super::certificate::{Certificate, is_certificate};
use super::keys::{AnyKey, CHAINS, oids};
use crate::diag::{Problem, Result, codes};
use crate::ident::{Epoch, Sha256};
use crate::sign::TrustedRoot;

/// What a trusted root comes to.
#[derive(Debug, Clone)]
pub(super) struct Roots {
    authorities: Vec<Authority>,
    pub logs: Vec<Log>,
    certificate_logs: Vec<Log>,
    pub clocks: Vec<Authority>,
}

/// An authority that issues certificates: its own, the last being the root.
#[derive(Debug, Clone)]
pub(super) struct Authority {
    pub certificates: Vec<Vec<u8>>,
    pub valid: Period,
}

/// A log that signs.
#[derive(Debug, Clone)]
pub(super) struct Log {
    /// What entries call it.
    pub id: Vec<u8>,
    pub key: AnyKey,
    pub valid: Period,
}

/// A time from and until which something counts; open where nothing is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Period {
    start: Option<Epoch>,
    end: Option<Epoch>,
}

impl Period {
    pub(super) fn contains(self, time: Epoch) -> bool {
        self.start.is_none_or(|start| start <= time) && self.end.is_none_or(|end| time <= end)
    }

    /// Reads `{"start": …, "end": …}`.
    pub(super) fn read(value: Option<&Value>) -> Checked<Self> {
        let moment = |name: &str| match value.and_then(|value| value.get(name)) {
            None => Ok(None),
            Some(value) => {
                value.as_str().and_then(moment).map(Some).ok_or_else(|| format!("the time {value}"))
            }
        };
        Ok(Self { start: moment("start")?, end: moment("end")? })
    }
}

/// RFC 3339 in UTC, whose fractions don't matter.
fn moment(text: &str) -> Option<Epoch> {
    let whole = text.strip_suffix('Z')?;
    let whole = whole.split_once('.').map_or(whole, |(whole, _)| whole);
    format!("{whole}Z").parse().ok()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLog {
    public_key: WireKey,
    log_id: WireId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireKey {
    raw_bytes: String,
    #[serde(default)]
    key_details: String,
    valid_for: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireId {
    key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAuthority {
    cert_chain: WireChain,
    valid_for: Option<Value>,
}

#[derive(Deserialize)]
struct WireChain {
    certificates: Vec<WireCertificate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCertificate {
    raw_bytes: String,
}

impl Roots {
    /// What a file says. Without an authority and a log nobody could be believed.
    pub(super) fn read(root: &TrustedRoot) -> Result<Self> {
        let roots = Self {
            authorities: list(root, "certificateAuthorities", authority)?,
            logs: list(root, "tlogs", log)?,
            certificate_logs: list(root, "ctlogs", log)?,
            clocks: list(root, "timestampAuthorities", authority)?,
        };
        for (empty, what) in [
            (roots.authorities.is_empty(), "no certificate authority"),
            (roots.logs.is_empty(), "no transparency log"),
        ] {
            if empty {
                return Err(Problem::new(
                    codes::BAD_BUNDLE,
                    "the trusted root is not enough to verify identities",
                )
                .found(what)
                .help("name the trusted root of the instance that signs: `--trusted-root FILE`")
                .into());
            }
        }
        Ok(roots)
    }

    /// Whether a certificate for signing was good at a time; why not, if it was not.
    pub(super) fn vouch(&self, leaf: &Certificate, time: Epoch) -> Checked<()> {
        let mut why = format!("no certificate authority that was trusted at {time}");
        for authority in self.authorities.iter().filter(|authority| authority.valid.contains(time)) {
            match authority.issuer(&leaf.der, oids::CODE_SIGNING, time) {
                Ok(issuer) => return self.seen(leaf, &issuer),
                Err(error) => why = error,
            }
        }
        Err(why)
    }

    /// Whether a certificate log has seen it; where none is trusted, none is asked for.
    fn seen(&self, leaf: &Certificate, issuer: &[u8]) -> Checked<()> {
        if self.certificate_logs.is_empty() {
            return Ok(());
        }
        let issuer = Sha256::of(issuer).0;
        let good = leaf.scts.iter().any(|sct| {
            let time = Epoch(i64::try_from(sct.time / 1000).unwrap_or(i64::MAX));
            let message = sct.signed(&issuer, leaf);
            let mut logs =
                self.certificate_logs.iter().filter(|log| log.id == sct.log && log.valid.contains(time));
            logs.any(|log| log.key.signed(&message, &sct.signature))
        });
        if good { Ok(()) } else { Err("a certificate that no trusted certificate log has seen".to_owned()) }
    }
}

impl Authority {
    /// The public key of who issued `leaf` for a usage, all of the chain being valid at `time`.
    pub(super) fn issuer(&self, leaf: &[u8], usage: &'static [u8], time: Epoch) -> Checked<Vec<u8>> {
        let no = |error: webpki::Error| format!("a certificate that does not hold at {time}: {error}");
        let (root, between) = self.certificates.split_last().expect("checked when read");
        let root = CertificateDer::from(&root[..]);
        let anchor = anchor_from_trusted_cert(&root).map_err(no)?;
        let between: Vec<_> = between.iter().map(|der| CertificateDer::from(&der[..])).collect();
        let leaf = CertificateDer::from(leaf);
        let leaf = EndEntityCert::try_from(&leaf).map_err(no)?;
        let seconds = u64::try_from(time.0).map_err(|_| "a time before 1970")?;
        let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        let anchors = [anchor];
        let path =
            leaf.verify_for_usage(CHAINS, &anchors, &between, time, KeyUsage::required(usage), None, None);
        path.map(|path| path.issuer_spki().to_vec()).map_err(no)
    }
}

fn list<T>(root: &TrustedRoot, name: &str, read: fn(&Value) -> Checked<Option<T>>) -> Result<Vec<T>> {
    let items = root.list(name).iter().enumerate();
    let read = items.filter_map(|(at, value)| match read(value) {
        Ok(item) => item.map(Ok),
        Err(why) => Some(Err(Problem::new(codes::BAD_BUNDLE, "the trusted root does not read as one")
            .found(format!("{why}, in `{name}`, number {}", at + 1))
            .into())),
    });
    read.collect()
}

fn wire<T: serde::de::DeserializeOwned>(value: &Value) -> Checked<T> {
    T::deserialize(value).map_err(|error| error.to_string())
}

fn bytes(text: &str) -> Checked<Vec<u8>> {
    STANDARD.decode(text).map_err(|_| "bytes that are not base64".to_owned())
}

fn authority(value: &Value) -> Checked<Option<Authority>> {
    let wire: WireAuthority = wire(value)?;
    let chain = wire.cert_chain.certificates.iter().map(|one| bytes(&one.raw_bytes));
    let certificates = chain.collect::<Checked<Vec<_>>>()?;
    let root = certificates.last().ok_or("an authority without a certificate")?;
    certificates.iter().try_for_each(|der| is_certificate(der))?;
    let root = CertificateDer::from(&root[..]);
    anchor_from_trusted_cert(&root).map_err(|error| format!("a root that is no certificate: {error}"))?;
    Ok(Some(Authority { certificates, valid: Period::read(wire.valid_for.as_ref())? }))
}

fn log(value: &Value) -> Checked<Option<Log>> {
    let wire: WireLog = wire(value)?;
    let (id, spki) = (bytes(&wire.log_id.key_id)?, bytes(&wire.public_key.raw_bytes)?);
    // Keys in forms other than a subject public key info are of kinds that are not signed with any more:
    // who signs with them is not trusted.
    if !wire.public_key.key_details.is_empty() && !wire.public_key.key_details.starts_with("PKIX_") {
        return Ok(None);
    }
    let valid = Period::read(wire.public_key.valid_for.as_ref())?;
    Ok(Some(Log { id, key: AnyKey::of_log(&spki)?, valid }))
}
