//! Who listens, as the kernel lists it (proc(5), `/proc/PID/net/tcp`): a server need not be talked to to
//! know that it is there, which some would take for a client that went away.

/// The kernel's number of a socket that listens.
const LISTENS: &str = "0A";

/// Whether a list names a listener on this port, on the loopback or on every address.
pub(super) fn listens(list: &str, port: u16) -> bool {
    near(list).any(|number| number == port)
}

/// All ports with such a listener.
pub(super) fn all(list: &str) -> Vec<u16> {
    near(list).collect()
}

fn near(list: &str) -> impl Iterator<Item = u16> {
    list.lines().skip(1).filter_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let (address, state) = (fields.nth(1)?, fields.nth(1)?);
        let (address, number) = address.split_once(':')?;
        let number = u16::from_str_radix(number, 16).ok()?;
        (state == LISTENS && is_near(address)).then_some(number)
    })
}

/// `0.0.0.0`, `127.*`, `::`, `::1`, and the second as a mapped address; each word is little-endian.
fn is_near(address: &str) -> bool {
    let any = address.bytes().all(|digit| digit == b'0');
    let mapped = address.strip_prefix("0000000000000000FFFF0000");
    let four = if address.len() == 8 { Some(address) } else { mapped };
    let own = four.is_some_and(|four| four.ends_with("7F") || four == "00000000");
    any || own || address == "00000000000000000000000001000000"
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    #[test]
    fn only_who_listens_near_on_the_very_port_counts() {
        let line = |address: &str, state: &str| format!("{HEAD}   0: {address} 00000000:0000 {state} 0 0\n");
        for address in [
            "0100007F:1F90",
            "00000000:1F90",
            "00000000000000000000000000000000:1F90",
            "00000000000000000000000001000000:1F90",
            "0000000000000000FFFF00000100007F:1F90",
        ] {
            assert!(listens(&line(address, "0A"), 8080), "{address}");
            assert!(!listens(&line(address, "01"), 8080), "{address}");
            assert!(!listens(&line(address, "0A"), 8081), "{address}");
            assert_eq!(all(&line(address, "0A")), [8080]);
        }
        assert!(!listens(&line("0100A8C0:1F90", "0A"), 8080));
        assert!(!listens("", 8080));
    }
}
