//! Debian packages (deb(5)): an `ar` archive of `debian-binary`, `control.tar` and `data.tar`.
//!
//! The `ar` reader is our own: deb(5) allows a small part of the format, and what it does not allow
//! is refused rather than understood.

use std::io::{Read, Write};

use super::parcel::{ParcelIndex, ParcelWriter};
use super::tarball::{self, Collector, Names};
use crate::canon::{self, Codec};

/// The largest control file that is taken, in bytes.
const MAX_CONTROL: u64 = 64 << 20;

/// A member of the `ar` archive.
struct Member {
    name: String,
    size: u64,
}

/// Reads a package into a parcel; an error says why it is refused.
pub(super) fn read<W: Write>(
    mut deb: impl Read + Send,
    length: u64,
    out: &mut ParcelWriter<W>,
) -> Result<ParcelIndex, String> {
    let mut magic = [0; 8];
    deb.read_exact(&mut magic).map_err(|error| format!("it is cut short: {error}"))?;
    if &magic != b"!<arch>\n" {
        return Err("it is not an ar archive".to_owned());
    }
    let mut index = ParcelIndex::default();
    let mut seen = Seen::Nothing;
    while let Some(member) = next_member(&mut deb)? {
        let mut body = (&mut deb).take(member.size);
        seen = seen.after(&member, &mut body, length, &mut index, out)?;
        if body.limit() > 0 {
            return Err(format!("the member `{}` is cut short, or has more after its end", member.name));
        }
        if member.size % 2 == 1 {
            let mut pad = [0; 1];
            deb.read_exact(&mut pad).map_err(|_| format!("the member `{}` is cut short", member.name))?;
        }
    }
    if seen == Seen::Data { Ok(index) } else { Err(format!("it ends without {}", seen.missing())) }
}

/// How far into a package the reader is: the order of members is fixed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Nothing,
    Version,
    Control,
    Data,
}

impl Seen {
    fn missing(self) -> &'static str {
        match self {
            Self::Nothing => "`debian-binary`",
            Self::Version => "`control.tar`",
            _ => "`data.tar`",
        }
    }

    fn after<W: Write>(
        self,
        member: &Member,
        body: &mut (impl Read + Send),
        length: u64,
        index: &mut ParcelIndex,
        out: &mut ParcelWriter<W>,
    ) -> Result<Self, String> {
        let codec = |stem: &str| {
            member.name.strip_prefix(stem).map(|ending| {
                Codec::of_extension(ending.trim_start_matches('.'))
                    .ok_or_else(|| format!("`{}` has an unknown compression", member.name))
            })
        };
        match self {
            Self::Nothing if member.name == "debian-binary" => {
                check_version(body)?;
                Ok(Self::Version)
            }
            // deb(5): members whose names begin with `_` may be passed over.
            Self::Version | Self::Control if member.name.starts_with('_') => {
                std::io::copy(body, &mut std::io::sink()).map_err(|error| error.to_string())?;
                Ok(self)
            }
            Self::Version => match codec("control.tar") {
                Some(codec) => {
                    read_control(codec?, body, index)?;
                    Ok(Self::Control)
                }
                None => Err(format!("it has `{}` where `control.tar` belongs", member.name)),
            },
            Self::Control => match codec("data.tar") {
                Some(codec) => {
                    read_data(codec?, body, length, index, out)?;
                    Ok(Self::Data)
                }
                None => Err(format!("it has `{}` where `data.tar` belongs", member.name)),
            },
            _ => Err(format!(
                "it has `{}` where {} belongs",
                member.name,
                if self == Self::Data { "its end" } else { "`debian-binary`" }
            )),
        }
    }
}

fn next_member(deb: &mut impl Read) -> Result<Option<Member>, String> {
    let mut header = [0; 60];
    let mut got = 0;
    while got < header.len() {
        match deb.read(&mut header[got..]).map_err(|error| error.to_string())? {
            0 if got == 0 => return Ok(None),
            0 => return Err("it is cut short in the header of a member".to_owned()),
            more => got += more,
        }
    }
    let field = |from: usize, to: usize| std::str::from_utf8(&header[from..to]).map(str::trim_end);
    let broken = || "the header of a member is broken".to_owned();
    if &header[58..] != b"`\n" {
        return Err(broken());
    }
    let name = field(0, 16).map_err(|_| broken())?.trim_end_matches('/').to_owned();
    let size = field(48, 58).ok().and_then(|digits| digits.parse().ok()).ok_or_else(broken)?;
    Ok(Some(Member { name, size }))
}

fn check_version(body: &mut impl Read) -> Result<(), String> {
    let mut version = String::new();
    body.take(64).read_to_string(&mut version).map_err(|error| error.to_string())?;
    if version.starts_with("2.") { Ok(()) } else { Err(format!("its format is {version:?}, not 2.0")) }
}

fn read_control(codec: Codec, body: &mut (impl Read + Send), index: &mut ParcelIndex) -> Result<(), String> {
    let decoder = canon::decoder(codec, body).map_err(|error| error.to_string())?;
    let mut archive = tar::Archive::new(decoder.take(MAX_CONTROL));
    for member in archive.entries().map_err(|error| error.to_string())?.raw(true) {
        let mut member = member.map_err(|error| format!("its control.tar is broken: {error}"))?;
        let name = String::from_utf8_lossy(&member.path_bytes()).trim_start_matches("./").to_owned();
        let target = match name.as_str() {
            "control" => &mut index.control,
            "md5sums" => &mut index.md5sums,
            _ => continue,
        };
        let size = member.size();
        member.read_to_string(target).map_err(|error| format!("`{name}` can't be read: {error}"))?;
        if target.len() as u64 != size {
            return Err("its control.tar is cut short".to_owned());
        }
    }
    canon::finish(&mut archive.into_inner(), MAX_CONTROL)
        .map_err(|error| format!("its control.tar: {error}"))?;
    if index.control.is_empty() { Err("it has no control file".to_owned()) } else { Ok(()) }
}

fn read_data<W: Write>(
    codec: Codec,
    body: &mut (impl Read + Send),
    length: u64,
    index: &mut ParcelIndex,
    out: &mut ParcelWriter<W>,
) -> Result<(), String> {
    let mut decoder = canon::decoder(codec, body).map_err(|error| error.to_string())?;
    let mut collector = Collector::new(length, Names::Merged);
    tarball::read(&mut decoder, &mut collector, out).map_err(|why| format!("its data.tar: {why}"))?;
    index.entries = collector.entries;
    Ok(())
}
