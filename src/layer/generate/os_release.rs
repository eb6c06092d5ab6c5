//! `/usr/lib/os-release` with a recipe's fields set over Debian's own (os-release(5)), and
//! `/etc/os-release`, a link to it, as `base-files` has it.

use std::fmt::Write as _;

use super::{bytes_of, insert};
use crate::diag::{Result, codes};
use crate::ident::ImagePath;
use crate::layer::compose::Work;
use crate::layer::tree::Node;
use crate::source::ContentReader;

const FILE: &str = "/usr/lib/os-release";
const LINK: &str = "/etc/os-release";

/// Sets the recipe's fields.
pub(super) fn add(work: &mut Work) -> Result<()> {
    let fields = &work.recipe.system.os_release;
    let Some((_, first)) = fields.first_key_value() else { return Ok(()) };
    let paths = [FILE, LINK].map(|path| path.parse::<ImagePath>().expect("a path of ours"));
    let found = paths.iter().find_map(|path| work.view().follow(path));
    let Some((path, data)) = found.and_then(|(path, node)| Some((path, node.data()?))) else {
        let message = format!("there is no `{FILE}` to set fields of");
        let problem = first.place.problem(codes::NO_MATCH, message, "a field of it");
        return Err(problem.help("take it from the package `base-files`").into());
    };
    let bytes = bytes_of(work, &mut ContentReader::new(), &path, data)?;
    let mut text = String::new();
    for line in String::from_utf8_lossy(&bytes).lines() {
        let name = line.trim_start().split('=').next().unwrap_or_default();
        if !fields.contains_key(name) {
            text.push_str(line);
            text.push('\n');
        }
    }
    for (name, value) in fields {
        let _ = writeln!(text, "{name}={}", quoted(&value.value));
    }
    let [file, _] = paths;
    work.tree.nodes.insert(file, Node::generated(text.into_bytes()));
    insert(work, LINK, Node::generated_link("../usr/lib/os-release"));
    Ok(())
}

/// A value as a shell reads it back.
fn quoted(value: &str) -> String {
    let mut text = String::from("\"");
    for letter in value.chars() {
        if matches!(letter, '"' | '$' | '`' | '\\') {
            text.push('\\');
        }
        text.push(letter);
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_expand_is_escaped() {
        assert_eq!(quoted("a b"), "\"a b\"");
        assert_eq!(quoted(r#"`id` $HOME "x" \"#), r#""\`id\` \$HOME \"x\" \\""#);
    }
}
