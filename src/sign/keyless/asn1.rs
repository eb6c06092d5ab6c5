//! The little of DER (X.690) that certificates and timestamps need to be walked through.
//!
//! Tags of one byte, definite lengths in their shortest form, each item within the one around it.
//! Meaning is left to the caller; every error says where it was looking for what.

use super::Checked;
use crate::ident::Epoch;

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OID: u8 = 0x06;
pub(super) const UTF8: u8 = 0x0c;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
/// `[0]`, constructed; `[1]` and so on follow it.
pub(super) const CONTEXT: u8 = 0xa0;

/// One item.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<'a> {
    pub tag: u8,
    pub value: &'a [u8],
    /// With tag and length.
    pub whole: &'a [u8],
}

impl<'a> Item<'a> {
    /// The items in this one.
    pub(super) fn inside(&self) -> Items<'a> {
        Items(self.value)
    }

    /// The one item in this one.
    pub(super) fn only(&self, tag: u8) -> Checked<Item<'a>> {
        single(self.value, tag)
    }
}

/// Items one behind the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Items<'a>(pub &'a [u8]);

impl<'a> Items<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next item, whatever it is.
    pub(super) fn any(&mut self) -> Checked<Item<'a>> {
        let (item, rest) = split(self.0).ok_or("DER that does not read")?;
        self.0 = rest;
        Ok(item)
    }

    /// The next item, which has to have this tag.
    pub(super) fn take(&mut self, tag: u8) -> Checked<Item<'a>> {
        let item = self.any()?;
        if item.tag == tag {
            return Ok(item);
        }
        Err(format!("DER with the tag {:#04x} where {tag:#04x} should be", item.tag))
    }

    /// The next item if it has this tag.
    pub(super) fn optional(&mut self, tag: u8) -> Checked<Option<Item<'a>>> {
        if self.0.first() == Some(&tag) { self.any().map(Some) } else { Ok(None) }
    }

    /// All that are left.
    pub(super) fn all(mut self) -> Checked<Vec<Item<'a>>> {
        let mut items = Vec::new();
        while !self.is_empty() {
            items.push(self.any()?);
        }
        Ok(items)
    }
}

/// The one item that `bytes` are.
pub(super) fn single(bytes: &[u8], tag: u8) -> Checked<Item<'_>> {
    let mut items = Items(bytes);
    let item = items.take(tag)?;
    if items.is_empty() { Ok(item) } else { Err("bytes behind the end of DER".to_owned()) }
}

fn split(bytes: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let (&[tag, first], mut rest) = bytes.split_first_chunk::<2>()?;
    // Tags of several bytes don't occur in what is read here.
    if tag & 0x1f == 0x1f {
        return None;
    }
    let mut length = usize::from(first);
    if first >= 0x80 {
        let count = usize::from(first & 0x7f);
        let digits = rest.get(..count).filter(|digits| (1..=4).contains(&digits.len()))?;
        length = digits.iter().fold(0, |length, &digit| length << 8 | usize::from(digit));
        if digits[0] == 0 || length < 0x80 {
            return None;
        }
        rest = &rest[count..];
    }
    let value = rest.get(..length)?;
    let whole = &bytes[..bytes.len() - rest.len() + length];
    Some((Item { tag, value, whole }, &rest[length..]))
}

/// Writes an item around parts that are DER already, or a plain value.
pub(super) fn write(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let digits = length.to_be_bytes();
    let digits = &digits[digits.iter().take_while(|&&digit| digit == 0).count()..];
    let mut bytes = vec![tag];
    if length < 0x80 {
        // The one digit, which is none where there is nothing.
        bytes.push(digits.first().copied().unwrap_or_default());
    } else {
        bytes.push(0x80 | u8::try_from(digits.len()).expect("eight at most"));
        bytes.extend(digits);
    }
    for part in parts {
        bytes.extend(*part);
    }
    bytes
}

/// The moment of a `UTCTime` or `GeneralizedTime`, which certificates and timestamps write in UTC.
pub(super) fn time(item: Item<'_>) -> Checked<Epoch> {
    let text = str::from_utf8(item.value).ok().filter(|text| text.is_ascii());
    let read = |text: &str| {
        let digits = match item.tag {
            // RFC 5280, 4.1.2.5.1: two digits of a year are in this century below 50.
            UTC_TIME if text.as_bytes().first().is_some_and(|first| *first < b'5') => format!("20{text}"),
            UTC_TIME => format!("19{text}"),
            TIME => text.to_owned(),
            _ => return None,
        };
        let digits = digits.strip_suffix('Z')?;
        // A fraction of a second does not matter here.
        let digits = digits.split_once('.').map_or(digits, |(whole, _)| whole);
        let part = |from: usize, to: usize| digits.get(from..to);
        let (date, time) = (part(0, 8)?, part(8, 14).filter(|_| digits.len() == 14)?);
        let (year, month, day) = (&date[..4], &date[4..6], &date[6..]);
        format!("{year}-{month}-{day}T{}:{}:{}Z", &time[..2], &time[2..4], &time[4..]).parse().ok()
    };
    text.and_then(read).ok_or_else(|| "a time that does not read".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_at_every_length() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let value = vec![7; length];
            let bytes = write(OCTET_STRING, &[&value[..length / 2], &value[length / 2..]]);
            let item = single(&bytes, OCTET_STRING).expect("ours");
            assert_eq!((item.value, item.whole), (&value[..], &bytes[..]));
        }
    }

    #[test]
    fn lengths_that_lie_or_could_be_shorter_are_refused() {
        for bytes in [
            &[][..],
            &[4],
            &[4, 1],
            &[4, 0x80, 0, 0],
            &[4, 0x81, 1, 0],
            &[4, 0x82, 0, 0x80],
            &[4, 0x85, 1, 0, 0, 0, 0],
            &[4, 0xff],
            &[0x1f, 1, 0],
            &[4, 0, 0],
            &[5, 0],
        ] {
            assert!(single(bytes, OCTET_STRING).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn times_read_in_both_spellings() {
        for (tag, text, moment) in [
            (UTC_TIME, "260912075541Z", Some(1_789_199_741)),
            (TIME, "20260912075541Z", Some(1_789_199_741)),
            (TIME, "20260912075541.5Z", Some(1_789_199_741)),
            (UTC_TIME, "700101000000Z", Some(0)),
            (TIME, "20260912075541", None),
            (TIME, "20260912075541+0100", None),
            (TIME, "20261312075541Z", None),
            (UTC_TIME, "2609120755Z", None),
            (OID, "20260912075541Z", None),
        ] {
            let bytes = write(tag, &[text.as_bytes()]);
            assert_eq!(time(single(&bytes, tag).expect("ours")).ok(), moment.map(Epoch), "{text}");
        }
    }
}
