//! One repository of a registry: its manifests, tags, blobs and referrers (OCI distribution
//! specification 1.1).

use std::io::Read;

use serde::Deserialize;
use serde_json::Value;

use super::access::{Access, Call, MAX_SMALL, Payload};
use super::address::Address;
use crate::diag::{Problem, Result};
use crate::host::HttpAnswer;
use crate::ident::{BlobDigest, Repository, Sha256};

/// The kinds of manifests that are asked for.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// Pages of referrers that are read.
const MAX_PAGES: usize = 64;

/// A repository, and how it is spoken with.
#[derive(Clone, Copy)]
pub(super) struct Remote<'a> {
    pub(super) access: &'a Access,
    pub(super) repository: &'a Repository,
}

/// A manifest as a registry gave it.
pub(super) struct Given {
    pub(super) bytes: Vec<u8>,
    pub(super) media_type: String,
    pub(super) digest: BlobDigest,
}

#[derive(Deserialize)]
struct WireIndex {
    #[serde(default)]
    manifests: Vec<Value>,
}

#[derive(Deserialize)]
struct WireCatalog {
    repositories: Vec<String>,
}

#[derive(Deserialize)]
struct WireTags {
    tags: Option<Vec<String>>,
}

impl<'a> Remote<'a> {
    /// An address of the repository.
    pub(super) fn address(&self, rest: &str) -> Address {
        let base = self.access.base(self.repository.registry());
        base.join(&format!("{}/{rest}", self.repository.path())).expect("a repository's name is a path")
    }

    /// A question without a body.
    pub(super) fn ask(&self, step: String, method: &'static str, rest: &str) -> Call<'a> {
        Call {
            step,
            method,
            address: self.address(rest),
            headers: Vec::new(),
            payload: Payload::None,
            limit: MAX_SMALL,
            also: None,
            again: true,
        }
    }

    pub(super) fn call(&self, call: &Call) -> Result<HttpAnswer> {
        self.access.call(self.repository, call)
    }

    pub(super) fn unexpected(&self, call: &Call, answer: HttpAnswer) -> Problem {
        self.access.unexpected(self.repository, call, answer)
    }

    fn cut(&self, call: &Call, error: std::io::Error) -> Problem {
        self.access.failed(self.repository, call).found(error)
    }

    /// Whether a blob is there, with this length. A registry that does not say the length is believed
    /// here; what was sent is looked at again.
    pub(super) fn has_blob(&self, digest: &BlobDigest, size: u64) -> Result<bool> {
        let call = self.ask(format!("asking for the blob {digest}"), "HEAD", &format!("blobs/{digest}"));
        let answer = self.call(&call)?;
        match answer.status {
            200 => Ok(length(&answer).is_none_or(|found| found == size)),
            404 => Ok(false),
            _ => Err(self.unexpected(&call, answer).into()),
        }
    }

    /// A blob's bytes from `offset` on, at most up to `size`; whether the registry honoured the offset.
    pub(super) fn blob(
        &self,
        digest: &BlobDigest,
        size: u64,
        offset: u64,
    ) -> Result<(Box<dyn Read + Send>, bool)> {
        let mut call = self.ask(format!("getting the blob {digest}"), "GET", &format!("blobs/{digest}"));
        call.limit = size;
        if offset > 0 {
            call.headers.push(("range", format!("bytes={offset}-")));
        }
        let answer = self.call(&call)?;
        let range = answer.header("content-range").unwrap_or_default();
        match answer.status {
            206 if range.starts_with(&format!("bytes {offset}-")) => Ok((answer.body, true)),
            200 => Ok((answer.body, false)),
            _ => Err(self.unexpected(&call, answer).into()),
        }
    }

    /// A manifest by tag or digest; `None` if it is not there. By digest, other bytes are a problem.
    pub(super) fn manifest(&self, wanted: &str) -> Result<Option<Given>> {
        let mut call =
            self.ask(format!("getting the manifest {wanted}"), "GET", &format!("manifests/{wanted}"));
        call.headers.push(("accept", MANIFESTS.to_owned()));
        let answer = self.call(&call)?;
        match answer.status {
            200 => {}
            404 => return Ok(None),
            _ => return Err(self.unexpected(&call, answer).into()),
        }
        let header = answer.header("content-type").unwrap_or_default();
        let header = header.split(';').next().unwrap_or_default().trim().to_owned();
        let bytes = answer.bytes().map_err(|error| self.cut(&call, error))?;
        let digest = BlobDigest(Sha256::of(&bytes));
        if wanted.starts_with("sha256:") && wanted != digest.to_string() {
            return Err(self.wrong(wanted, &digest).into());
        }
        let media_type = media_type_of(&bytes).unwrap_or(header);
        Ok(Some(Given { bytes, media_type, digest }))
    }

    /// The problem with bytes that are not what they are called.
    pub(super) fn wrong(&self, wanted: &str, found: &BlobDigest) -> Problem {
        let what = format!("{} gives other bytes than what {wanted} names", self.repository);
        Problem::new(self.access.purpose().mismatch(), what)
            .found(found)
            .expected(wanted)
            .help("the registry, or something on the way to it, is broken or hostile")
    }

    /// What a tag or digest points to; `None` if it is not there.
    pub(super) fn digest_of(&self, wanted: &str) -> Result<Option<BlobDigest>> {
        let mut call =
            self.ask(format!("asking for the manifest {wanted}"), "HEAD", &format!("manifests/{wanted}"));
        call.headers.push(("accept", MANIFESTS.to_owned()));
        let answer = self.call(&call)?;
        let said = answer.header("docker-content-digest").and_then(|digest| digest.parse().ok());
        match (answer.status, said) {
            (200, Some(digest)) => Ok(Some(digest)),
            (404, _) => Ok(None),
            // One that does not say, or knows no HEAD, has to give the whole.
            (200 | 405, _) => Ok(self.manifest(wanted)?.map(|given| given.digest)),
            _ => Err(self.unexpected(&call, answer).into()),
        }
    }

    /// Writes a manifest under a tag or its digest.
    pub(super) fn put_manifest(&self, wanted: &str, media_type: &str, bytes: &[u8]) -> Result<()> {
        let mut call =
            self.ask(format!("writing the manifest {wanted}"), "PUT", &format!("manifests/{wanted}"));
        call.headers.push(("content-type", media_type.to_owned()));
        call.payload = Payload::Bytes(bytes);
        let answer = self.call(&call)?;
        match answer.status {
            200..=204 => Ok(()),
            _ => Err(self.unexpected(&call, answer).into()),
        }
    }

    /// What the registry's own list says refers to a manifest; nothing where it has no such list. It is
    /// never asked to select by kind: some select by the wrong one.
    pub(super) fn listed(&self, subject: &BlobDigest) -> Result<Vec<Value>> {
        let call =
            self.ask(format!("asking what refers to {subject}"), "GET", &format!("referrers/{subject}"));
        let mut all = Vec::new();
        self.pages(call, |bytes| {
            // Some registries answer anything that they don't know with a page for people.
            let page = serde_json::from_slice::<WireIndex>(bytes).ok()?;
            all.extend(page.manifests);
            Some(())
        })?;
        Ok(all)
    }

    /// The repository's tags; none where the registry does not list them.
    pub(super) fn tags(&self) -> Result<Vec<String>> {
        let call = self.ask("asking for the tags".to_owned(), "GET", "tags/list?n=1000");
        let mut all = Vec::new();
        self.pages(call, |bytes| {
            let page = serde_json::from_slice::<WireTags>(bytes).ok()?;
            all.extend(page.tags.unwrap_or_default());
            Some(())
        })?;
        Ok(all)
    }

    /// The names of all repositories of the registry; none where it does not list them.
    pub(super) fn catalog(&self) -> Result<Vec<String>> {
        let mut call = self.ask("asking for the repositories".to_owned(), "GET", "");
        let base = self.access.base(self.repository.registry());
        call.address = base.join("_catalog?n=1000").expect("a path");
        let mut all = Vec::new();
        self.pages(call, |bytes| {
            all.extend(serde_json::from_slice::<WireCatalog>(bytes).ok()?.repositories);
            Some(())
        })?;
        Ok(all)
    }

    /// Hands over page after page, until one is not taken or is the last. A registry without the list
    /// answers 404; others answer 400 or 405.
    fn pages(&self, mut call: Call<'a>, mut take: impl FnMut(&[u8]) -> Option<()>) -> Result<()> {
        for _ in 0..MAX_PAGES {
            let answer = self.call(&call)?;
            match answer.status {
                200 => {}
                ..500 => return Ok(()),
                _ => return Err(self.unexpected(&call, answer).into()),
            }
            let next = answer.header("link").and_then(next_page).map(|link| call.address.join(link));
            let bytes = answer.bytes().map_err(|error| self.cut(&call, error))?;
            let taken = take(&bytes);
            match next {
                Some(Ok(next)) if taken.is_some() && next.same_server(&call.address) => call.address = next,
                _ => break,
            }
        }
        Ok(())
    }
}

/// The length that a header says.
fn length(answer: &HttpAnswer) -> Option<u64> {
    answer.header("content-length").and_then(|length| length.parse().ok())
}

/// What a manifest says it is.
pub(super) fn media_type_of(bytes: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    value.get("mediaType").and_then(Value::as_str).map(str::to_owned)
}

/// The next page in a `Link` header (RFC 8288).
fn next_page(link: &str) -> Option<&str> {
    let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
    parameters.replace(['"', ' '], "").contains("rel=next").then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_the_one_that_is_called_so() {
        assert_eq!(next_page("</v2/a?n=1>; rel=\"next\""), Some("/v2/a?n=1"));
        assert_eq!(next_page("</v2/a?n=1>; rel=prev"), None);
        assert_eq!(next_page("nonsense"), None);
    }
}
