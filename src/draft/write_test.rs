//! The text of a draft's tests.

use super::greeting::Ask;
use super::sheet::{Server, Test};
use super::toml::{aligned, comment, quote, table, words, written};

/// A test's text.
pub(super) fn test(test: &Test) -> String {
    let mut text = comment(&test.comment.iter().map(String::as_str).collect::<Vec<_>>());
    let mut rows = vec![("name".to_owned(), quote(&test.name))];
    match &test.server {
        Some(server) if !server.volumes.is_empty() => {
            let volumes: Vec<String> = server.volumes.iter().map(ToString::to_string).collect();
            rows.push(("volumes".to_owned(), words(&volumes)));
        }
        Some(_) => {}
        None => rows.push(("run".to_owned(), words(&test.run))),
    }
    rows.extend(test.exit.map(|exit| ("exit".to_owned(), exit.to_string())));
    rows.extend(test.fails.then(|| ("fails".to_owned(), "true".to_owned())));
    rows.extend(test.stdout.as_ref().map(|text| ("stdout".to_owned(), quote(text))));
    rows.extend(test.stderr.as_ref().map(|text| ("stderr".to_owned(), quote(text))));
    text += "[[test]]\n";
    text += &aligned(&rows);
    text + &test.server.as_ref().map(steps).unwrap_or_default()
}

fn steps(server: &Server) -> String {
    let mounts = server.mounts.iter().map(|(path, content)| (quote(path.as_str()), written(content)));
    let mut text = table("test.mount", "", mounts);
    let mut rows = vec![("server".to_owned(), server.port.to_string())];
    rows.extend(server.args.as_ref().map(|args| ("args".to_owned(), words(args))));
    rows.extend(server.exit.map(|exit| ("exit".to_owned(), exit.to_string())));
    text += "[[test.step]]\n";
    text += &aligned(&rows);
    let port = server.port;
    let ask = match &server.ask {
        Ask::Nothing => return text,
        Ask::Http(status, body) => {
            let body = body.as_ref().map(|body| format!(", body = {}", quote(body))).unwrap_or_default();
            format!("url = \"http://localhost:{port}/\", status = {status}{body}")
        }
        Ask::Tcp { send, answer, .. } => {
            format!("tcp = {port}, send = {}, answer = {}", quote(send), quote(answer))
        }
    };
    text + &format!("[[test.step]]\nask = {{ {ask} }}\n")
}
