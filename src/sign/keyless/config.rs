//! Which services sign: a signing config (Sigstore protobuf specifications, `SigningConfig` 0.2).

use serde::Deserialize;
use serde_json::Value;

use super::Checked;
use super::authority::Period;
use crate::diag::{Problem, Result, codes};
use crate::ident::Epoch;

const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.signingconfig.v0.2+json";

/// The services that are used, at one time.
#[derive(Debug)]
pub(super) struct Config {
    /// The certificate authority.
    pub authority: String,
    /// The logs that each signature goes to, and which version of Rekor they are.
    pub logs: Vec<(String, LogVersion)>,
    /// The timestamp authorities that are asked.
    pub clocks: Vec<String>,
}

/// The versions of a log's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LogVersion {
    One,
    Two,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    media_type: String,
    #[serde(default)]
    ca_urls: Vec<WireService>,
    #[serde(default)]
    rekor_tlog_urls: Vec<WireService>,
    #[serde(default)]
    rekor_tlog_config: WireChoice,
    #[serde(default)]
    tsa_urls: Vec<WireService>,
    #[serde(default)]
    tsa_config: WireChoice,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireService {
    url: String,
    #[serde(default)]
    major_api_version: u32,
    valid_for: Option<Value>,
}

/// How many of several are used.
#[derive(Deserialize, Default)]
struct WireChoice {
    #[serde(default)]
    selector: String,
    #[serde(default)]
    count: usize,
}

impl Config {
    /// What a file says, of services that are valid at `now`.
    pub(super) fn read(bytes: &[u8], now: Epoch) -> Result<Self> {
        Self::check(bytes, now).map_err(|found| {
            Problem::new(codes::CONFIG, "the signing config can't be used")
                .found(found)
                .expected(format!("services that are valid now, in a file of the type {MEDIA_TYPE}"))
                .into()
        })
    }

    fn check(bytes: &[u8], now: Epoch) -> Checked<Self> {
        let wire: Wire = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if wire.media_type != MEDIA_TYPE {
            return Err(format!("the media type `{}`", wire.media_type.escape_debug()));
        }
        let authorities = usable(&wire.ca_urls, &[1], now)?;
        let (authority, _) =
            authorities.into_iter().next().ok_or("no certificate authority (`caUrls`) that is valid now")?;
        let logs = chosen(usable(&wire.rekor_tlog_urls, &[1, 2], now)?, &wire.rekor_tlog_config)?;
        let version = |version| if version == 2 { LogVersion::Two } else { LogVersion::One };
        let logs: Vec<_> = logs.into_iter().map(|(url, number)| (url, version(number))).collect();
        let clocks = chosen(usable(&wire.tsa_urls, &[1], now)?, &wire.tsa_config)?;
        let clocks: Vec<_> = clocks.into_iter().map(|(url, _)| url).collect();
        if logs.is_empty() {
            return Err("no transparency log (`rekorTlogUrls`) that is valid now".to_owned());
        }
        // All logs are of one version.
        if clocks.is_empty() && logs[0].1 == LogVersion::Two {
            return Err(
                "a log of version 2, which tells no time, and no timestamp authority (`tsaUrls`)".to_owned()
            );
        }
        Ok(Self { authority, logs, clocks })
    }
}

/// The services of the newest version that we speak and that is valid now.
fn usable(services: &[WireService], versions: &[u32], now: Epoch) -> Checked<Vec<(String, u32)>> {
    let mut found = Vec::new();
    for service in services {
        let valid = Period::read(service.valid_for.as_ref())?.contains(now);
        if valid && versions.contains(&service.major_api_version) {
            found.push((address(&service.url)?, service.major_api_version));
        }
    }
    let newest = found.iter().map(|(_, version)| *version).max();
    found.retain(|(_, version)| Some(*version) == newest);
    Ok(found)
}

fn chosen(mut services: Vec<(String, u32)>, choice: &WireChoice) -> Checked<Vec<(String, u32)>> {
    match choice.selector.as_str() {
        "" | "SERVICE_SELECTOR_UNDEFINED" | "ANY" => services.truncate(1),
        "ALL" => {}
        "EXACT" if choice.count >= 1 && choice.count <= services.len() => services.truncate(choice.count),
        "EXACT" => {
            return Err(format!(
                "{} services that are valid now, of {} wanted",
                services.len(),
                choice.count
            ));
        }
        other => return Err(format!("the selector `{}`", other.escape_debug())),
    }
    Ok(services)
}

/// An address without a slash at its end. An identity token goes there: not in the clear, but for this
/// machine.
fn address(url: &str) -> Checked<String> {
    let host =
        |rest: &'static str| url.strip_prefix(rest).and_then(|rest| rest.split(['/', '?', '#']).next());
    let here = |host: &str| {
        let port = |rest: &str| {
            rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
        };
        ["127.0.0.1", "localhost", "[::1]"].iter().any(|name| host.strip_prefix(name).is_some_and(port))
    };
    let fine = url.bytes().all(|byte| byte.is_ascii_graphic()) && !url.contains('@');
    if fine && (host("https://").is_some_and(|host| !host.is_empty()) || host("http://").is_some_and(here)) {
        return Ok(url.trim_end_matches('/').to_owned());
    }
    Err(format!("`{}`, which is no address that begins with https://", url.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_go_over_tls_or_stay_on_this_machine() {
        for url in ["https://ca.example/", "http://127.0.0.1:80/x", "http://localhost", "http://[::1]:1"] {
            assert_eq!(address(url).as_deref(), Ok(url.trim_end_matches('/')));
        }
        for url in [
            "",
            "https://",
            "http://ca.example",
            "http://127.0.0.1.example",
            "http://localhost@ca.example",
            "http://localhost:1@ca.example",
            "ftp://x",
            "https://a b",
        ] {
            assert!(address(url).is_err(), "{url}");
        }
    }

    #[test]
    fn the_newest_version_that_is_valid_is_taken() {
        let config = |rest: &str| {
            let text = format!(
                r#"{{"mediaType":"{MEDIA_TYPE}","caUrls":[{{"url":"https://ca.example","majorApiVersion":1}}],{rest}}}"#
            );
            Config::check(text.as_bytes(), Epoch(1_789_199_741))
        };
        let log = |name: &str, version: u32, until: &str| {
            format!(
                r#"{{"url":"https://{name}.example","majorApiVersion":{version},"validFor":{{"start":"2026-01-01T00:00:00.5Z"{until}}}}}"#
            )
        };
        let (old, new) = (log("old", 1, ""), log("new", 2, ""));
        let gone = log("gone", 2, r#","end":"2026-02-01T00:00:00Z""#);
        let clock = r#""tsaUrls":[{"url":"https://tsa.example","majorApiVersion":1}]"#;
        let found = config(&format!(r#""rekorTlogUrls":[{old},{gone},{new}],{clock}"#)).expect("fine");
        assert_eq!(found.logs, [("https://new.example".to_owned(), LogVersion::Two)]);
        let found = config(&format!(r#""rekorTlogUrls":[{gone},{old}]"#)).expect("fine");
        assert_eq!(found.logs, [("https://old.example".to_owned(), LogVersion::One)]);
        for (rest, why) in [
            (format!(r#""rekorTlogUrls":[{gone}]"#), "no transparency log"),
            (format!(r#""rekorTlogUrls":[{new}]"#), "no timestamp authority"),
            (
                format!(r#""rekorTlogUrls":[{old}],"rekorTlogConfig":{{"selector":"EXACT","count":2}}"#),
                "1 services",
            ),
            (format!(r#""rekorTlogUrls":[{old}],"rekorTlogConfig":{{"selector":"SOME"}}"#), "selector"),
        ] {
            let said = config(&rest).expect_err("refused");
            assert!(said.contains(why), "{said}");
        }
    }
}
