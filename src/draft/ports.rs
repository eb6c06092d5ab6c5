//! On which ports a service listens: what its sockets, arguments and configuration files say, and
//! what its name means in `/etc/services`.

/// Words of configuration files behind which a port or an address with one stands.
const WORDS: [&str; 16] = [
    "listen",
    "port",
    "bind",
    "http_port",
    "https_port",
    "listen_port",
    "listen-port",
    "listenport",
    "server.port",
    "listener",
    "listen-address",
    "listen_address",
    "socksport",
    "tls-port",
    "plain_port",
    "http-port",
];

/// A port, and whether it is UDP's.
pub(super) type Port = (u16, bool);

/// Ports that a configuration says. What is in a comment counts only if nothing else does: defaults
/// often stand in comments.
pub(super) fn of_config(text: &str) -> Vec<Port> {
    let lines = text.lines().map(str::trim);
    let said: Vec<Port> = lines.clone().filter(|line| !is_comment(line)).flat_map(of_line).collect();
    if !said.is_empty() {
        return said;
    }
    let comments = lines.filter(|line| is_comment(line) && !line.starts_with("# "));
    comments.flat_map(|line| of_line(line.trim_start_matches(['#', ';', '/']))).collect()
}

fn is_comment(line: &str) -> bool {
    line.starts_with(['#', ';']) || line.starts_with("//")
}

/// `listen 80;`, `port = 6379`, `bind 0.0.0.0:8080`, `Listen [::]:631`.
fn of_line(line: &str) -> Vec<Port> {
    let line = line.replace(['=', '"', '\'', ';', '{', '}', ','], " ");
    let mut words = line.split_whitespace();
    let Some(first) = words.next() else { return Vec::new() };
    let key = first.trim_end_matches(':').to_ascii_lowercase();
    if !WORDS.contains(&key.as_str()) {
        return Vec::new();
    }
    words.filter_map(port).map(|port| (port, false)).collect()
}

/// Ports below this are for root, where the runtime does not let everybody have them.
const LOW: u16 = 1024;

/// How far a low port is moved: 80 becomes 8080, 53 becomes 8053.
const AWAY: u16 = 8000;

/// Where a port is moved to that is for root.
pub(super) fn away(port: u16) -> u16 {
    if port < LOW { port + AWAY } else { port }
}

/// A configuration without its comments, in which low ports are moved; `None` if it names none.
pub(super) fn moved(text: &str) -> Option<String> {
    let mut any = false;
    let mut out = String::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.trim().starts_with('#')) {
        let mut line = line.to_owned();
        for (port, _) in of_line(line.trim()).into_iter().filter(|(port, _)| *port < LOW) {
            line = replaced(&line, port);
            any = true;
        }
        out += &line;
        out.push('\n');
    }
    any.then_some(out)
}

/// A line with a number in the place of another, where it is not a part of a longer one.
fn replaced(line: &str, port: u16) -> String {
    let number = port.to_string();
    let found = line.match_indices(&number).map(|(at, _)| at).find(|at| {
        let digit = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.');
        !digit(at.checked_sub(1).and_then(|before| line.as_bytes().get(before)))
            && !digit(line.as_bytes().get(at + number.len()))
    });
    match found {
        Some(at) => format!("{}{}{}", &line[..at], away(port), &line[at + number.len()..]),
        None => line.to_owned(),
    }
}

/// Ports in a service's arguments: `:9090`, `--port=80`, `-p 53`, `tcp://0.0.0.0:2375`.
pub(super) fn of_arguments(arguments: &[String]) -> Vec<Port> {
    let mut found = Vec::new();
    for (at, argument) in arguments.iter().enumerate() {
        let option = argument.split('=').next().unwrap_or_default();
        let value = argument.split_once('=').map(|(_, value)| value);
        let is_port = option.ends_with("port") || option == "-p";
        let next = arguments.get(at + 1).map(String::as_str);
        let text = if is_port { value.or(next) } else { value.or(Some(argument)) };
        let text = text.filter(|text| is_port || text.contains(':') && !text.starts_with('/'));
        found.extend(text.and_then(port).map(|port| (port, false)));
    }
    found
}

/// The port of a number or of an address that ends in one.
fn port(word: &str) -> Option<u16> {
    let word = word.trim_end_matches('/');
    let (before, last) = word.rsplit_once(':').unwrap_or(("", word));
    // `::1` is an address of IPv6 without a port.
    if before.contains(':') && !before.ends_with(']') && !before.contains("//") {
        return None;
    }
    let is_address = word.len() > last.len() || word.bytes().all(|byte| byte.is_ascii_digit());
    last.parse().ok().filter(|port| *port > 0 && is_address)
}

/// The ports that `/etc/services` gives a name, or one that only differs by a `d` at its end.
pub(super) fn of_services(services: &str, names: &[&str]) -> Vec<Port> {
    let lines = services.lines().map(|line| line.split('#').next().unwrap_or_default());
    let mut found = Vec::new();
    for line in lines {
        let mut words = line.split_whitespace();
        let (Some(name), Some(port)) = (words.next(), words.next()) else { continue };
        let all: Vec<&str> = std::iter::once(name).chain(words).collect();
        let Some((number, kind)) = port.split_once('/') else { continue };
        if names.iter().any(|name| all.contains(name)) {
            found.extend(number.parse().ok().map(|number| (number, kind == "udp")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_found_in_configurations() {
        assert_eq!(
            of_config("server {\n  listen 80 default_server;\n  listen [::]:8443 ssl;\n # listen 1\n}"),
            [(80, false), (8443, false)]
        );
        assert_eq!(of_config("server.port                 = 80\ntimeout 30"), [(80, false)]);
        assert_eq!(of_config("bind 127.0.0.1 -::1 ::1\nport 6379"), [(6379, false)]);
        assert_eq!(of_config("#port = 11211\n# port 2 is said in a sentence"), [(11211, false)]);
    }

    #[test]
    fn low_ports_are_moved_and_nothing_else() {
        let text = "# listen 80\nlisten 80;\nlisten 10.0.80.80:80 ssl\nlisten 8080\nuser www\n";
        let moved = moved(text).expect("there is one");
        assert_eq!(moved, "listen 8080;\nlisten 10.0.80.80:8080 ssl\nlisten 8080\nuser www\n");
        assert_eq!(super::moved("listen 8080\n"), None);
    }

    #[test]
    fn ports_are_found_in_arguments_and_services() {
        let words =
            ["--web.listen-address=:9090", "--port", "8080", "-f", "/etc/x:1", "http://127.0.0.1:2379"];
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        assert_eq!(of_arguments(&words), [(9090, false), (8080, false), (2379, false)]);
        assert_eq!(
            of_services("domain 53/tcp # DNS\ndomain 53/udp\nhttp 80/tcp www", &["www", "domain"]),
            [(53, false), (53, true), (80, false)]
        );
    }
}
