//! Messages of PostgreSQL's protocol, version 3.0 ("Frontend/Backend Protocol" in its manual).
//!
//! ```text
//! kind (1 byte, but for the first message)   length (4 bytes, itself included)   content
//! ```

use std::io::{self, Read, Write};

/// The longest message that is taken. An event is a few hundred bytes.
const LONGEST: usize = 16 << 20;

/// A message of the server: its kind and its content.
pub(super) type Message = (u8, Vec<u8>);

/// The content of a message being written.
#[derive(Default)]
pub(super) struct Content(pub(super) Vec<u8>);

impl Content {
    /// A text, which ends with a zero and so holds none.
    pub(super) fn text(mut self, text: &str) -> Self {
        self.0.extend(text.bytes().filter(|byte| *byte != 0));
        self.0.push(0);
        self
    }

    pub(super) fn short(mut self, number: usize) -> Self {
        self.0.extend(u16::try_from(number).expect("statements have few values").to_be_bytes());
        self
    }

    pub(super) fn long(mut self, number: u32) -> Self {
        self.0.extend(number.to_be_bytes());
        self
    }

    /// A value of a statement; `None` is a null.
    pub(super) fn value(mut self, value: Option<&str>) -> Self {
        let Some(text) = value else { return self.long(u32::MAX) };
        self = self.long(u32::try_from(text.len()).expect("values are small"));
        self.0.extend(text.as_bytes());
        self
    }

    /// The whole message, of a kind.
    pub(super) fn message(self, kind: u8) -> Vec<u8> {
        [&[kind][..], &self.untyped()].concat()
    }

    /// The whole message, without a kind.
    pub(super) fn untyped(self) -> Vec<u8> {
        let length = u32::try_from(self.0.len() + 4).expect("messages are small");
        [&length.to_be_bytes()[..], &self.0].concat()
    }
}

/// Reads one message.
pub(super) fn receive(stream: &mut impl Read) -> io::Result<Message> {
    let mut head = [0; 5];
    stream.read_exact(&mut head)?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
    let length = length.checked_sub(4).filter(|length| *length <= LONGEST);
    let length = length.ok_or_else(|| bad("the server sends what is no message of PostgreSQL's"))?;
    let mut content = Vec::new();
    // The room is taken as bytes come, not as they are promised.
    if stream.take(length as u64).read_to_end(&mut content)? < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((head[0], content))
}

/// Sends messages.
pub(super) fn send(stream: &mut impl Write, messages: &[u8]) -> io::Result<()> {
    stream.write_all(messages)?;
    stream.flush()
}

/// Something that the protocol does not allow.
pub(super) fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// Reads the content of a message.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> io::Result<&'a [u8]> {
        let (taken, rest) =
            self.0.split_at_checked(length).ok_or_else(|| bad("a message of the server is cut off"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> io::Result<u8> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn short(&mut self) -> io::Result<u16> {
        Ok(u16::from_be_bytes(self.take(2)?.try_into().expect("two")))
    }

    pub(super) fn long(&mut self) -> io::Result<u32> {
        Ok(u32::from_be_bytes(self.take(4)?.try_into().expect("four")))
    }

    /// A text that ends with a zero.
    pub(super) fn text(&mut self) -> io::Result<String> {
        let length = self.0.iter().position(|byte| *byte == 0);
        let length = length.ok_or_else(|| bad("a message of the server is cut off"))?;
        let text = String::from_utf8_lossy(self.take(length)?).into_owned();
        self.take(1)?;
        Ok(text)
    }

    /// The rest, as text.
    pub(super) fn rest(&mut self) -> String {
        String::from_utf8_lossy(std::mem::take(&mut self.0)).into_owned()
    }

    /// A value of a row; `None` is a null.
    pub(super) fn value(&mut self) -> io::Result<Option<String>> {
        let length = self.long()?;
        if length == u32::MAX {
            return Ok(None);
        }
        let bytes = self.take(length as usize)?.to_vec();
        String::from_utf8(bytes).map(Some).map_err(|_| bad("the server sends text that is not UTF-8"))
    }
}

/// What a server says is wrong: the code of the error (SQLSTATE), and its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) words: String,
}

impl Refusal {
    pub(super) fn read(content: &[u8]) -> io::Result<Self> {
        let mut reader = Reader(content);
        let (mut code, mut words) = (String::new(), String::new());
        loop {
            match reader.byte()? {
                0 => return Ok(Self { code, words }),
                b'C' => code = reader.text()?,
                b'M' => words = reader.text()?.chars().flat_map(plain).take(500).collect(),
                _ => drop(reader.text()?),
            }
        }
    }
}

/// A letter for a terminal.
fn plain(letter: char) -> Vec<char> {
    if letter.is_control() { letter.escape_default().collect() } else { vec![letter] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_reads_back() {
        let message = Content::default().short(2).value(Some("é")).value(None).message(b'D');
        let (kind, content) = receive(&mut &message[..]).expect("a message");
        let mut reader = Reader(&content);
        assert_eq!((kind, reader.short().expect("there")), (b'D', 2));
        assert_eq!(reader.value().expect("there").as_deref(), Some("é"));
        assert_eq!(reader.value().expect("there"), None);
    }

    #[test]
    fn a_message_that_lies_about_its_length_is_an_error_and_takes_no_memory() {
        for bytes in [&b"D\0\0\0\x03"[..], b"D\xff\xff\xff\xff", b"D\0\xff\xff\xffx", b"D\0\0", b""] {
            assert!(receive(&mut &bytes[..]).is_err(), "{bytes:?}");
        }
        assert!(Reader(b"\0\0\0\x09abc").value().is_err());
        assert!(Reader(b"abc").text().is_err());
        assert!(Refusal::read(b"Cabc").is_err());
        assert_eq!(Refusal::read(b"C28P01\0M\x1b[31m\0\0").expect("read").words, "\\u{1b}[31m");
    }
}
