//! Bringing one blob into a repository: it is there, it is mounted from another repository, or it is
//! sent, whole if it is small and in parts that can go on where they ended if it is large.

use std::cell::RefCell;
use std::io::{self, Read};

use super::access::{Call, Ended, Payload};
use super::address::Address;
use super::outgoing::{Blob, Checked, Source, check};
use super::pushed;
use super::remote::Remote;
use crate::diag::{Problem, Result, codes};
use crate::host::HttpAnswer;
use crate::ident::Repository;
use crate::store::Store;

/// From this size on, a blob is sent in parts.
const LARGE: u64 = 32 << 20;

/// The length of a part.
const PART: u64 = 64 << 20;

/// Times that a large blob may be cut without anything new having come through.
const CUTS: u32 = 4;

/// How a blob came to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    Skipped,
    Mounted,
    Uploaded,
}

/// A transfer of one blob.
pub(super) struct Upload<'a> {
    pub(super) remote: Remote<'a>,
    pub(super) blob: &'a Blob<'a>,
    /// Another repository of the registry that may have it.
    pub(super) mount: Option<&'a Repository>,
    /// Where it is remembered how far a large one came.
    pub(super) store: &'a Store,
}

impl Upload<'_> {
    pub(super) fn run(&self) -> Result<Came> {
        if self.remote.has_blob(&self.blob.digest, self.blob.size)? {
            return Ok(Came::Skipped);
        }
        let begun = match self.mount {
            Some(from) => self.mounted(from)?,
            None => None,
        };
        match begun {
            Some(Begun::Mounted) => return Ok(Came::Mounted),
            Some(Begun::At(address)) if self.blob.size < LARGE => self.whole(Some(address))?,
            Some(Begun::At(address)) => self.parts(Some(address))?,
            None if self.blob.size < LARGE => self.whole(None)?,
            None => self.parts(None)?,
        }
        Ok(Came::Uploaded)
    }

    fn step(&self) -> String {
        format!("sending the blob {}", self.blob.digest)
    }

    /// Asks for the blob of another repository; a registry that can't or won't begins an upload or
    /// answers something else, and both are fine.
    fn mounted(&self, from: &Repository) -> Result<Option<Begun>> {
        let mut call =
            self.remote.ask(format!("mounting the blob {}", self.blob.digest), "POST", "blobs/uploads/");
        let mount = call.address.with("mount", &self.blob.digest.to_string());
        call.address = mount.with("from", from.path());
        call.payload = Payload::Bytes(&[]);
        call.also = Some(from);
        let answer = match self.remote.call(&call) {
            // Whoever may not read the other repository may still write to this one.
            Err(failure) if failure.is(codes::DENIED) => return Ok(None),
            answer => answer?,
        };
        match answer.status {
            201 => Ok(Some(Begun::Mounted)),
            202 => Ok(Some(Begun::At(self.location(&call, &answer)?))),
            _ => Ok(None),
        }
    }

    fn begin(&self) -> Result<Address> {
        let mut call = self.remote.ask(
            format!("beginning to send the blob {}", self.blob.digest),
            "POST",
            "blobs/uploads/",
        );
        call.payload = Payload::Bytes(&[]);
        let answer = self.remote.call(&call)?;
        if answer.status != 202 {
            return Err(self.remote.unexpected(&call, answer).into());
        }
        self.location(&call, &answer)
    }

    /// Where the upload goes on. On another server it does so without credentials.
    fn location(&self, call: &Call, answer: &HttpAnswer) -> Result<Address> {
        let failed = |why: String| self.remote.access.failed(self.remote.repository, call).found(why);
        let Some(location) = answer.header("location") else {
            return Err(failed("the answer does not say where the upload goes on".into()).into());
        };
        let address = call.address.join(location).map_err(failed)?;
        if !self.remote.access.may_visit(self.remote.repository, &address) {
            return Err(failed(format!("the upload is to go on over plain http: {address}")).into());
        }
        Ok(address)
    }

    /// A request of the upload; what it sends may be lost, so it is not simply asked again.
    fn request<'b>(&self, method: &'static str, address: Address, payload: Payload<'b>) -> Call<'b> {
        let headers = vec![("content-type", "application/octet-stream".to_owned())];
        let again = false;
        Call { step: self.step(), method, address, headers, payload, limit: 1 << 20, also: None, again }
    }

    /// Sends it with one request.
    fn whole(&self, begun: Option<Address>) -> Result<()> {
        let blob = self.blob;
        let open = || -> Result<Box<dyn Read + '_>> { Ok(Box::new(Checked::new((blob.open)()?, blob))) };
        let begun = RefCell::new(begun);
        let last = RefCell::new(self.step());
        let attempt = || {
            let begun = begun.borrow_mut().take();
            let address = begun.map_or_else(|| self.begin(), Ok)?;
            *last.borrow_mut() = address.to_string();
            let address = address.with("digest", &blob.digest.to_string());
            let call = self.request("PUT", address, Payload::Stream(&open, blob.size));
            match self.remote.access.once(self.remote.repository, &call)? {
                Ended::Answer(answer) if answer.status == 404 => {
                    // The upload is forgotten: a new one is begun.
                    Ok(Ended::Network(io::Error::other("the registry has forgotten the upload")))
                }
                ended => Ok(ended),
            }
        };
        let failed = || {
            let what = format!("{} of {} failed", self.step(), self.remote.repository);
            let address = format!("PUT {}", last.borrow());
            Problem::new(self.remote.access.purpose().failed(), what).fact("address", address)
        };
        let answer = self.remote.access.insist_on(&attempt, &failed)?;
        self.ended(answer)
    }

    fn ended(&self, answer: HttpAnswer) -> Result<()> {
        match answer.status {
            201 | 204 => Ok(()),
            _ => Err(self
                .remote
                .unexpected(
                    &self.request("PUT", self.remote.address("blobs/uploads/"), Payload::None),
                    answer,
                )
                .into()),
        }
    }

    /// Sends it in parts, and goes on where a part was cut, even in a run before this one.
    fn parts(&self, begun: Option<Address>) -> Result<()> {
        check(self.blob)?;
        let (mut address, mut offset) = match begun {
            Some(address) => (address, 0),
            None => match self.resumed()? {
                Some(resumed) => resumed,
                None => (self.begin()?, 0),
            },
        };
        let source = Source::new(self.blob);
        let mut cuts = 0;
        while offset < self.blob.size {
            pushed::remember_upload(
                self.store,
                self.remote.repository,
                &self.blob.digest,
                &address.secret(),
            )?;
            let before = offset;
            match self.part(&source, &address, offset)? {
                Ok((next, came)) => (address, offset) = (next, came),
                Err(why) => {
                    cuts += 1;
                    if cuts == CUTS {
                        let call = self.request("PATCH", address, Payload::None);
                        let problem = self.remote.access.failed(self.remote.repository, &call);
                        let problem = problem.found(why).fact("tried", format!("{cuts} times"));
                        let help = "run the same command again: it goes on where this ended";
                        return Err(problem.help(help).into());
                    }
                    crate::host::pause(self.remote.access.pause(cuts));
                    (address, offset) = match self.status(&address)? {
                        Some(there) => there,
                        None => (self.begin()?, 0),
                    };
                }
            }
            if offset > before {
                cuts = 0;
            }
        }
        let last = address.with("digest", &self.blob.digest.to_string());
        let mut call = self.request("PUT", last, Payload::Bytes(&[]));
        call.again = true;
        let answer = self.remote.call(&call)?;
        self.ended(answer)
    }

    /// Sends one part: where to go on, or why it was cut.
    fn part(
        &self,
        source: &Source,
        address: &Address,
        offset: u64,
    ) -> Result<std::result::Result<(Address, u64), String>> {
        let end = (offset + PART).min(self.blob.size);
        let open = || source.part(offset, end);
        let mut call = self.request("PATCH", address.clone(), Payload::Stream(&open, end - offset));
        call.headers.push(("content-range", format!("{offset}-{}", end - 1)));
        match self.remote.access.once(self.remote.repository, &call)? {
            Ended::Answer(answer) => match answer.status {
                201 | 202 | 204 => {
                    let came = came(&answer).filter(|came| (offset..=end).contains(came)).unwrap_or(end);
                    if came == offset {
                        return Ok(Err("the registry took nothing of it".into()));
                    }
                    Ok(Ok((self.location(&call, &answer)?, came)))
                }
                404 | 408 | 416 | 429 | 500..=599 => Ok(Err(format!("status {}", answer.status))),
                _ => Err(self.remote.unexpected(&call, answer).into()),
            },
            Ended::Network(error) => Ok(Err(error.to_string())),
        }
    }

    /// How far an upload came; `None` if the registry has forgotten it.
    fn status(&self, address: &Address) -> Result<Option<(Address, u64)>> {
        let mut call = self.request("GET", address.clone(), Payload::None);
        call.step = format!("asking how far the blob {} came", self.blob.digest);
        call.again = true;
        let answer = self.remote.call(&call)?;
        match answer.status {
            200 | 202 | 204 => {
                let came = came(&answer).unwrap_or(0);
                if came > self.blob.size {
                    return Ok(None);
                }
                let address = if answer.header("location").is_some() {
                    self.location(&call, &answer)?
                } else {
                    address.clone()
                };
                Ok(Some((address, came)))
            }
            _ => Ok(None),
        }
    }

    /// Where a run before this one ended.
    fn resumed(&self) -> Result<Option<(Address, u64)>> {
        let kept = pushed::upload(self.store, self.remote.repository, &self.blob.digest)?;
        let Some(address) = kept.and_then(|kept| Address::parse(&kept).ok()) else { return Ok(None) };
        if !self.remote.access.may_visit(self.remote.repository, &address) {
            return Ok(None);
        }
        // What was kept may be stale in any way.
        Ok(self.status(&address).unwrap_or_default())
    }
}

/// What came of asking for a mount.
enum Begun {
    Mounted,
    At(Address),
}

/// How many bytes a registry says it has: `Range: 0-<last>`.
fn came(answer: &HttpAnswer) -> Option<u64> {
    let range = answer.header("range")?.trim();
    let (first, last) = range.strip_prefix("bytes=").unwrap_or(range).split_once('-')?;
    let last: u64 = last.parse().ok()?;
    // An upload with nothing in it is said to have `0-0` by some.
    if first != "0" {
        None
    } else if last == 0 {
        Some(0)
    } else {
        last.checked_add(1)
    }
}
