//! All that a bundle offers beside its certificate, weighed against a trusted root.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Checked;
use super::authority::{Log, Roots};
use super::entry::{Entry, Envelope};
use super::stamp::Stamp;
use crate::ident::Epoch;

/// The most entries, and the most timestamps, that are looked at.
const MOST: usize = 16;

/// Whether a trusted log has the signature, and its certificate was good whenever a trusted log or clock
/// says that it was made. At least one of them must say when.
pub(super) fn weigh(
    roots: &Roots,
    envelope: &Envelope<'_>,
    entries: &[Value],
    timestamps: Option<&Value>,
) -> Checked<()> {
    let (logs, mut times) = logged(roots, envelope, entries)?;
    times.extend(stamped(roots, envelope, timestamps)?);
    if times.is_empty() {
        return Err("no time of signing that a trusted log or authority vouches for".to_owned());
    }
    for time in times {
        roots.vouch(envelope.leaf, time)?;
        if logs.iter().any(|log| !log.valid.contains(time)) {
            return Err(format!("an entry of a log that was not trusted at {time}"));
        }
    }
    Ok(())
}

/// The trusted logs that have it, and the times that they vouch for.
fn logged<'a>(
    roots: &'a Roots,
    envelope: &Envelope<'_>,
    entries: &[Value],
) -> Checked<(Vec<&'a Log>, Vec<Epoch>)> {
    few(entries, "log entries")?;
    let (mut logs, mut times) = (Vec::new(), Vec::new());
    for entry in entries {
        let entry = Entry::read(entry)?;
        // Entries of other logs are not ours to judge.
        let Some(log) = roots.logs.iter().find(|log| log.id == entry.log()) else { continue };
        times.extend(entry.verify(log, envelope)?);
        logs.push(log);
    }
    if logs.is_empty() {
        let found = if entries.is_empty() { "no log entry" } else { "no entry of a trusted log" };
        return Err(found.to_owned());
    }
    Ok((logs, times))
}

/// The times that trusted clocks vouch for.
fn stamped(roots: &Roots, envelope: &Envelope<'_>, timestamps: Option<&Value>) -> Checked<Vec<Epoch>> {
    let stamps = timestamps.and_then(|value| value.get("rfc3161Timestamps")).and_then(Value::as_array);
    let stamps = stamps.map_or(&[][..], Vec::as_slice);
    few(stamps, "timestamps")?;
    if roots.clocks.is_empty() {
        return Ok(Vec::new());
    }
    let one = |stamp: &Value| {
        let text = stamp.get("signedTimestamp").and_then(Value::as_str);
        let bytes =
            text.and_then(|text| STANDARD.decode(text).ok()).ok_or("a timestamp that is not base64")?;
        Stamp::read(&bytes)?.verify(envelope.signature, &roots.clocks)
    };
    let read: Vec<Checked<Epoch>> = stamps.iter().map(one).collect();
    if read.iter().all(Result::is_err) {
        return read.into_iter().collect();
    }
    Ok(read.into_iter().flatten().collect())
}

fn few(list: &[Value], what: &str) -> Checked<()> {
    if list.len() <= MOST {
        return Ok(());
    }
    Err(format!("{} {what}, of which {MOST} at most are looked at", list.len()))
}
