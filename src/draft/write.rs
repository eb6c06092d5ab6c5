//! The text of a recipe, as people would write it: grouped, aligned, with comments that say why.

use std::fmt::Write as _;

use super::plan::Exception;
use super::sheet::{Package, Sheet};
use super::toml::{comment, key, list, quote, table, words};
use super::write_test::test;
use crate::ident::Platform;

/// Paths that an exception names.
const MAX_PATHS: usize = 6;

/// What a recipe has by itself that stands on no other: what every image needs.
const FOUNDATION: &str = r#"[directories]
"/home/nonroot" = { mode = "0700", owner = "nonroot:nonroot" }
"/root"         = "0700"
"/run"          = "0755"
"/tmp"          = "1777"
"/var/tmp"      = "1777"
"#;

/// Accounts of such a recipe.
const ACCOUNTS: &str = r#"[users]
root    = { uid = 0, home = "/root", comment = "root" }
nobody  = { uid = 65534, gid = 65534, comment = "nobody" }
nonroot = { uid = 65532, home = "/home/nonroot", comment = "nonroot" }
"#;

const GROUPS: &str = "[groups]\nroot    = 0\ntty     = 5\nnogroup = 65534\nnonroot = 65532\n";

/// The recipe's text.
pub(super) fn write(sheet: &Sheet) -> String {
    let mut sections = vec![head(sheet), packages(sheet), links(sheet), directories(sheet)];
    if sheet.extends.is_none() {
        sections.push(
            "[files]\n\"/etc/nsswitch.conf\" = \"passwd: files\\ngroup: files\\nhosts: files dns\\n\"\n"
                .to_owned(),
        );
    }
    sections.push(table(
        "owners",
        "",
        sheet.owners.iter().map(|(path, owner)| (quote(path.as_str()), quote(owner))),
    ));
    sections.push(table(
        "modes",
        "",
        sheet.modes.iter().map(|(path, mode)| (quote(path.as_str()), quote(mode))),
    ));
    sections.push(users(sheet));
    sections.push(table("closure.skip", "", sheet.skip.iter().map(|(need, why)| (quote(need), quote(why)))));
    let comment = "# Look at these reasons: they go into labels and the SBOM.\n";
    sections.push(table(
        "policy.allow",
        comment,
        sheet.allow.iter().map(|(rule, why)| (rule.clone(), exception(why))),
    ));
    sections.push(image(sheet));
    sections.push(lifecycle(sheet));
    let words: Vec<String> = sheet.keywords.iter().map(|word| quote(word)).collect();
    sections.push(format!(
        "[catalog]\ncategory = {}\nkeywords = [{}]\n",
        quote(sheet.category),
        words.join(", ")
    ));
    sections.extend(sheet.tests.iter().map(test));
    sections.retain(|section| !section.is_empty());
    sections.join("\n")
}

fn head(sheet: &Sheet) -> String {
    let platforms: Vec<String> =
        sheet.platforms.iter().map(|platform| quote(&platform.to_string())).collect();
    let mut rows = vec![("name", quote(sheet.name.as_str())), ("summary", quote(&sheet.summary))];
    rows.extend(sheet.extends.iter().map(|name| ("extends", quote(name.as_str()))));
    rows.push(("platforms", format!("[{}]", platforms.join(", "))));
    rows.push(("version-of", quote(sheet.version_of.as_str())));
    rows.push(("tags", "[\"{version}\"]".to_owned()));
    let mut text = comment(&sheet.head.iter().map(String::as_str).collect::<Vec<_>>());
    for (key, value) in rows {
        let _ = writeln!(text, "{key:<10} = {value}");
    }
    if let Some(suite) = &sheet.suite {
        let _ = writeln!(text, "\n[debian]\nsuite = {}", quote(suite));
    }
    text
}

fn packages(sheet: &Sheet) -> String {
    let mut text = "[debian.packages]\n".to_owned();
    for (at, (said, packages)) in sheet.packages.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        text += &comment(&[said]);
        let width = packages.iter().map(|package| quote(package.name.as_str()).len()).max().unwrap_or(0);
        for package in packages {
            text += &package_line(package, width, &sheet.platforms);
        }
    }
    text
}

fn package_line(package: &Package, width: usize, all: &[Platform]) -> String {
    let name = quote(package.name.as_str());
    let files = list(&package.patterns.files, "files = ".len() + 4);
    let mut parts = vec![format!("files = {files}")];
    if !package.patterns.except.is_empty() {
        parts.push(format!("except = {}", list(&package.patterns.except, 12)));
    }
    if package.platforms.len() < all.len() {
        let names: Vec<String> = package.platforms.iter().map(ToString::to_string).collect();
        parts.push(format!("platforms = {}", list(&names, 12)));
    }
    // A list inside an inline table may be longer than a line (TOML, "Array").
    match &parts[..] {
        [_] => format!("{name:<width$} = {files}\n"),
        _ => format!("{name:<width$} = {{ {} }}\n", parts.join(", ")),
    }
}

fn links(sheet: &Sheet) -> String {
    let rows = sheet.links.iter().map(|(path, target)| (quote(path.as_str()), quote(target)));
    table("links", "# As a maintainer script would have made them.\n", rows)
}

fn directories(sheet: &Sheet) -> String {
    let mut text = if sheet.extends.is_none() { FOUNDATION.to_owned() } else { String::new() };
    if sheet.directories.is_empty() {
        return text;
    }
    if text.is_empty() {
        text += "# What the program writes at run time belongs to the user that it runs as.\n[directories]\n";
    }
    let width = sheet.directories.iter().map(|path| path.as_str().len() + 2).max().unwrap_or(0);
    for path in &sheet.directories {
        let path = quote(path.as_str());
        let _ = writeln!(text, "{path:<width$} = {{ mode = \"0755\", owner = \"nonroot:nonroot\" }}");
    }
    text
}

fn users(sheet: &Sheet) -> String {
    let mut text = if sheet.extends.is_none() { ACCOUNTS.to_owned() } else { String::new() };
    if !sheet.users.is_empty() {
        if text.is_empty() {
            text += "# Other names of the account `nonroot`: the program looks for them.\n[users]\n";
        }
        for (name, home) in &sheet.users {
            let (name, home) = (key(name), quote(home));
            let _ = writeln!(text, "{name} = {{ uid = 65532, gid = 65532, home = {home} }}");
        }
    }
    if sheet.extends.is_none() {
        text.extend(["\n", GROUPS]);
    }
    if !sheet.users.is_empty() {
        if sheet.extends.is_some() {
            text += "\n[groups]\n";
        }
        for (name, _) in &sheet.users {
            let _ = writeln!(text, "{} = 65532", key(name));
        }
    }
    text
}

/// An exception to a rule; many paths are all paths.
fn exception(exception: &Exception) -> String {
    if exception.paths.is_empty() || exception.paths.len() > MAX_PATHS {
        return quote(&exception.reason);
    }
    let paths: Vec<String> = exception.paths.iter().map(|path| quote(path.as_str())).collect();
    format!("{{ reason = {}, paths = [{}] }}", quote(&exception.reason), paths.join(", "))
}

fn image(sheet: &Sheet) -> String {
    let image = &sheet.image;
    let mut rows = Vec::new();
    let mut env = image.env.clone();
    if sheet.extends.is_none() {
        rows.push(("user", "65532".to_owned()));
        env.entry("PATH".to_owned())
            .or_insert_with(|| "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned());
        env.entry("SSL_CERT_FILE".to_owned())
            .or_insert_with(|| "/etc/ssl/certs/ca-certificates.crt".to_owned());
    }
    rows.push(("entrypoint", words(&image.entrypoint)));
    if !image.cmd.is_empty() {
        rows.push(("cmd", words(&image.cmd)));
    }
    if !env.is_empty() {
        let pairs: Vec<String> =
            env.iter().map(|(name, value)| format!("{} = {}", key(name), quote(value))).collect();
        rows.push(("env", format!("{{ {} }}", pairs.join(", "))));
    }
    let workdir =
        image.workdir.clone().or_else(|| sheet.extends.is_none().then(|| "/home/nonroot".to_owned()));
    rows.extend(workdir.map(|workdir| ("workdir", quote(&workdir))));
    if !image.ports.is_empty() {
        let ports = image
            .ports
            .iter()
            .map(|(port, udp)| if *udp { format!("\"{port}/udp\"") } else { port.to_string() });
        rows.push(("ports", format!("[{}]", ports.collect::<Vec<_>>().join(", "))));
    }
    if !image.volumes.is_empty() {
        let volumes: Vec<String> = image.volumes.iter().map(ToString::to_string).collect();
        rows.push(("volumes", words(&volumes)));
    }
    rows.extend(image.stop_signal.as_ref().map(|signal| ("stop-signal", quote(signal))));
    table("image", "", rows.into_iter().map(|(name, value)| (name.to_owned(), value)))
}

fn lifecycle(sheet: &Sheet) -> String {
    let mut text = "[lifecycle]\n".to_owned();
    match &sheet.owner {
        Some(owner) => text.extend(["owner       = ", &quote(owner), "\n"]),
        None => text += "# owner     = \"who answers for it\"\n",
    }
    text += &sheet.end_of_life.as_ref().map(|day| format!("end-of-life = {day}\n")).unwrap_or_default();
    text
}
