//! What a registry wants to see (RFC 9110, 11.6.1, `WWW-Authenticate`).

/// A way to say who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// Name and password with each request (RFC 7617).
    Basic,
    /// A token that another server gives out (distribution's token specification).
    Bearer {
        /// Where tokens are had.
        realm: String,
        /// For whom they are made out.
        service: Option<String>,
    },
}

/// The best of what is offered: a token rather than a password.
pub(super) fn choose<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Challenge> {
    let mut offered: Vec<Challenge> = headers.flat_map(read).collect();
    offered.sort_by_key(|challenge| matches!(challenge, Challenge::Basic));
    offered.into_iter().next()
}

/// A scheme, and its parameters.
type Offer = (String, Vec<(String, String)>);

fn read(header: &str) -> Vec<Challenge> {
    offers(header).into_iter().filter_map(known).collect()
}

fn known((scheme, parameters): Offer) -> Option<Challenge> {
    let of = |name: &str| {
        parameters.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
    };
    match scheme.to_ascii_lowercase().as_str() {
        "basic" => Some(Challenge::Basic),
        "bearer" => Some(Challenge::Bearer { realm: of("realm")?, service: of("service") }),
        _ => None,
    }
}

/// One header may hold several challenges, with the same comma between them as between parameters: a
/// word with `=` behind it is a parameter, any other begins a challenge.
fn offers(header: &str) -> Vec<Offer> {
    let mut offers: Vec<Offer> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',', '=']);
        let end = rest.find([' ', '\t', ',', '=', '"']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            // A quoted string where none belongs: passed over.
            let Some(quoted) = rest.strip_prefix('"') else { return offers };
            rest = unquoted(quoted).1;
            continue;
        }
        let spaced = after.trim_start_matches([' ', '\t']);
        let Some(value) = spaced.strip_prefix('=') else {
            offers.push((word.to_owned(), Vec::new()));
            rest = after;
            continue;
        };
        let value = value.trim_start_matches([' ', '\t']);
        let (value, after) = if let Some(quoted) = value.strip_prefix('"') {
            unquoted(quoted)
        } else {
            let end = value.find([' ', '\t', ',']).unwrap_or(value.len());
            (value[..end].to_owned(), &value[end..])
        };
        if let Some((_, parameters)) = offers.last_mut() {
            parameters.push((word.to_owned(), value));
        }
        rest = after;
    }
}

/// The text up to the closing quote, and what follows it.
fn unquoted(text: &str) -> (String, &str) {
    let mut out = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (out, &text[at + 1..]),
            '\\' => out.extend(letters.next().map(|(_, letter)| letter)),
            _ => out.push(letter),
        }
    }
    (out, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>) -> Challenge {
        Challenge::Bearer { realm: realm.into(), service: service.map(Into::into) }
    }

    #[test]
    fn challenges_are_read_however_they_are_written() {
        for (header, expected) in [
            ("Basic realm=\"x\"", Some(Challenge::Basic)),
            ("basic", Some(Challenge::Basic)),
            (
                "Bearer realm=\"https://auth.example/token\",service=\"reg, istry\",scope=\"a:b:pull,push\"",
                Some(bearer("https://auth.example/token", Some("reg, istry"))),
            ),
            ("bearer  REALM = \"a\\\"b\" , service=x", Some(bearer("a\"b", Some("x")))),
            ("Basic realm=\"Bearer realm=y\", Bearer realm=\"z\"", Some(bearer("z", None))),
            ("Negotiate abc==, Bearer realm=z", Some(bearer("z", None))),
            ("Bearer service=\"no realm\"", None),
            ("Bearer realm=\"open", Some(bearer("open", None))),
            ("Bearer realm=\"open\\", Some(bearer("open", None))),
            ("\"stray\" Digest x=\"y\"", None),
            (",,= \t", None),
            ("", None),
        ] {
            assert_eq!(choose([header].into_iter()), expected, "{header}");
        }
        let two = ["Basic realm=\"x\"", "Bearer realm=\"y\""];
        assert_eq!(choose(two.into_iter()), Some(bearer("y", None)));
    }
}
