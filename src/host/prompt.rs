//! Asking for a password on the terminal, without showing it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::{Zeroize as _, Zeroizing};

/// The longest password that is taken, in bytes.
const LONGEST: usize = 1024;

/// What people press.
const INTERRUPT: u8 = 0x03;
const END: u8 = 0x04;
const BACKSPACE: [u8; 2] = [0x08, 0x7f];
const CLEAR: u8 = 0x15;

/// A terminal that does not show what is typed, until dropped. Signals from its keys are off too:
/// a process ended by one would leave the terminal mute.
struct Mute {
    terminal: File,
    before: Termios,
}

impl Mute {
    fn new(terminal: File) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut mute = before.clone();
        mute.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        mute.special_codes[SpecialCodeIndex::VMIN] = 1;
        mute.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&terminal, OptionalActions::Flush, &mute)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Mute {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
        let _ = self.terminal.write_all(b"\n");
    }
}

/// Asks on the terminal; `None` where there is none, or when whoever sits there gave up.
pub fn ask_hidden(question: &str) -> Option<Zeroizing<Vec<u8>>> {
    // Where people do not see the questions, there is nobody to ask.
    if !super::on_terminal() {
        return None;
    }
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
    write!(terminal, "{question}: ").ok()?;
    let mut mute = Mute::new(terminal).ok()?;
    read_line(&mut mute.terminal)
}

fn read_line(terminal: &mut impl io::Read) -> Option<Zeroizing<Vec<u8>>> {
    // Never grows, so that no copy is left behind.
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
    let mut key = [0];
    loop {
        terminal.read_exact(&mut key).ok()?;
        match key[0] {
            b'\r' | b'\n' => return Some(line),
            INTERRUPT | END => return None,
            CLEAR => line.clear(),
            erase if BACKSPACE.contains(&erase) => {
                // A letter may be several bytes, of which all but the first begin with the bits 10.
                while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            byte if line.len() < LONGEST => line.push(byte),
            _ => return None,
        }
        key.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[u8]) -> Option<Vec<u8>> {
        read_line(&mut { keys }).map(|line| line.to_vec())
    }

    #[test]
    fn a_line_is_what_is_left_of_the_keys_pressed() {
        assert_eq!(typed(b"secret\n"), Some(b"secret".to_vec()));
        assert_eq!(typed(b"\r"), Some(Vec::new()));
        assert_eq!(typed(b"sx\x7fecret\n"), Some(b"secret".to_vec()));
        assert_eq!(typed("a\u{e9}\u{8}b\n".as_bytes()), Some(b"ab".to_vec()));
        assert_eq!(typed(b"\x7f\x7fwrong\x15right\n"), Some(b"right".to_vec()));
    }

    #[test]
    fn giving_up_going_away_and_leaning_on_a_key_are_no_password() {
        assert_eq!(typed(b"sec\x03ret\n"), None);
        assert_eq!(typed(b"sec\x04"), None);
        assert_eq!(typed(b"sec"), None);
        assert_eq!(typed(&[b'x'; 2000]), None);
    }
}
