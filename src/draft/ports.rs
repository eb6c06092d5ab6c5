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
    let last = word.rsplit(':').next()?;
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
        assert_eq!(of_config("bind 127.0.0.1 -::1\nport 6379"), [(6379, false)]);
        assert_eq!(of_config("#port = 11211\n# port 2 is said in a sentence"), [(11211, false)]);
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
