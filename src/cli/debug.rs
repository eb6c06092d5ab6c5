//! `hardpan debug`: the command that gives a shell beside an image that has none.
//!
//! Nothing is started here. A shell beside a running container shares its processes and network and
//! runs as the same user, so that it may look through `/proc/1/root` at what the container sees
//! (ptrace(2), "Ptrace access mode checking").

use std::path::Path;

use serde_json::{Value, json};

use super::{Global, print, pull};
use crate::diag::{Problem, Result, codes};
use crate::host;
use crate::ident::Reference;
use crate::image::{Image, OpenPlatform};

/// The image of the catalog that has a shell and its tools.
const TOOLS: &str = "busybox";

/// What runs containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Engine {
    /// `docker`
    Docker,
    /// `podman`
    Podman,
    /// `kubectl debug`
    Kubernetes,
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An OCI layout folder, an archive file, or a reference
    #[arg(value_name = "IMAGE")]
    image: String,
    /// The running container, or in Kubernetes the POD or POD/CONTAINER; a placeholder if not said
    #[arg(long, value_name = "NAME")]
    container: Option<String>,
    /// What runs it; all that are known if not said
    #[arg(long, value_enum, value_name = "ENGINE")]
    engine: Option<Engine>,
    /// The image with the shell; the catalog's busybox beside IMAGE if not said
    #[arg(long, value_name = "IMAGE")]
    with: Option<String>,
    /// Speak plain http with registries that are not on this machine
    #[arg(long)]
    plain_http: bool,
}

/// A command, and what it is for.
struct Way {
    engine: &'static str,
    what: &'static str,
    commands: Vec<Vec<String>>,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    let image = pull::open_any(global, &args.image, args.plain_http)?;
    let platform = image
        .platforms
        .first()
        .ok_or_else(|| Problem::new(codes::BAD_IMAGE, format!("`{}` has no platform", image.name())))?;
    let ways = ways(args, &image, platform);
    if global.json {
        let rows = ways
            .iter()
            .map(|way| json!({ "engine": way.engine, "what": way.what, "commands": way.commands }));
        print::line(&Value::Array(rows.collect()).to_string());
        return Ok(());
    }
    for way in &ways {
        print::line(&format!("# {}: {}", way.engine, way.what));
        for command in &way.commands {
            let words: Vec<String> = command.iter().map(|word| quoted(&print::harmless(word))).collect();
            print::line(&words.join(" "));
        }
    }
    if !global.quiet && ways.iter().any(|way| way.what.contains("running")) {
        print::error(&format!("{:>12} the container's files are below /proc/1/root", "Then"));
    }
    Ok(())
}

fn ways(args: &Args, image: &Image, platform: &OpenPlatform) -> Vec<Way> {
    let wanted = |engine| args.engine.is_none_or(|asked| asked == engine);
    let user = platform.config.pointer("/config/User").and_then(Value::as_str).unwrap_or_default();
    let tools = Tools::of(args);
    let mut ways = Vec::new();
    for (engine, name) in [(Engine::Docker, "docker"), (Engine::Podman, "podman")] {
        if wanted(engine) {
            ways.push(beside_running(name, args, user, &tools));
            ways.push(beside_resting(name, args, image, &tools));
        }
    }
    if wanted(Engine::Kubernetes) {
        ways.push(in_kubernetes(args, &tools));
    }
    ways
}

/// The image with the shell: what loads it, if it lies on this machine, and its name.
struct Tools {
    load: Option<(String, String)>,
    name: String,
}

impl Tools {
    fn of(args: &Args) -> Self {
        let text = args.with.clone().unwrap_or_else(|| beside(&args.image));
        if host::exists(Path::new(&text)) {
            let name = local_name(&text, Image::open(Path::new(&text)).ok().as_ref());
            return Self { load: Some((text, name.clone())), name };
        }
        Self { load: None, name: text }
    }

    fn loading(&self, engine: &str) -> Vec<Vec<String>> {
        self.load.iter().map(|(from, name)| load(engine, from, name)).collect()
    }
}

/// Where the catalog's image with a shell is, if it was built or published as the image itself was.
fn beside(image: &str) -> String {
    let path = Path::new(image);
    if host::exists(path) {
        let sibling = path.parent().unwrap_or(Path::new("")).join(TOOLS);
        return if host::exists(&sibling) { sibling.display().to_string() } else { TOOLS.to_owned() };
    }
    let Ok(reference) = image.parse::<Reference>() else { return TOOLS.to_owned() };
    let name = reference.repository.to_string();
    name.rsplit_once('/').map_or_else(|| TOOLS.to_owned(), |(prefix, _)| format!("{prefix}/{TOOLS}:1"))
}

/// How an image that lies on this machine is called once it is loaded.
fn local_name(text: &str, image: Option<&Image>) -> String {
    let title = image.and_then(|image| image.annotation("org.opencontainers.image.title"));
    let file = Path::new(text).file_name().map(|name| name.to_string_lossy().into_owned());
    let tag = image.and_then(|image| image.tags.first()).map_or("latest", String::as_str);
    format!("{}:{tag}", title.map(ToOwned::to_owned).or(file).unwrap_or_else(|| "image".to_owned()))
}

fn load(engine: &str, from: &str, name: &str) -> Vec<String> {
    let tag = name.rsplit_once(':').map_or("latest", |(_, tag)| tag);
    let form = if host::is_dir(Path::new(from)) { "oci" } else { "oci-archive" };
    let to = if engine == "docker" { "docker-daemon:" } else { "containers-storage:localhost/" };
    words(&["skopeo", "copy", &format!("{form}:{from}:{tag}"), &format!("{to}{name}")])
}

fn beside_running(engine: &'static str, args: &Args, user: &str, tools: &Tools) -> Way {
    let container = args.container.as_deref().unwrap_or("CONTAINER");
    let mut command = words(&[engine, "run", "--rm", "-it"]);
    command.extend(words(&["--pid", &format!("container:{container}")]));
    command.extend(words(&["--network", &format!("container:{container}")]));
    if !user.is_empty() {
        command.extend(words(&["--user", user]));
    }
    command.extend(words(&["--entrypoint", "/bin/sh", &tools.name]));
    let commands = tools.loading(engine).into_iter().chain([command]).collect();
    Way { engine, what: "beside a running container, as its user", commands }
}

fn beside_resting(engine: &'static str, args: &Args, image: &Image, tools: &Tools) -> Way {
    let local = host::exists(Path::new(&args.image));
    let name = if local { local_name(&args.image, Some(image)) } else { args.image.clone() };
    let mut commands = tools.loading(engine);
    if local {
        commands.push(load(engine, &args.image, &name));
    }
    let target = if engine == "docker" { "target" } else { "destination" };
    let mount = format!("type=image,source={name},{target}=/image");
    let mut command = words(&[engine, "run", "--rm", "-it", "--mount", &mount]);
    command.extend(words(&["--entrypoint", "/bin/sh", &tools.name]));
    commands.push(command);
    Way { engine, what: "to look at the image, which is mounted at /image", commands }
}

fn in_kubernetes(args: &Args, tools: &Tools) -> Way {
    let place = args.container.as_deref().unwrap_or("POD/CONTAINER");
    let (pod, container) = place.split_once('/').unwrap_or((place, ""));
    let mut command = words(&["kubectl", "debug", "-it", pod, &format!("--image={}", tools.name)]);
    if !container.is_empty() {
        command.push(format!("--target={container}"));
    }
    command.extend(words(&["--profile=restricted", "--", "/bin/sh"]));
    Way {
        engine: "kubernetes",
        what: "beside a running container, as the pod's user",
        commands: vec![command],
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,@%+".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("out/x:1"), "out/x:1");
        assert_eq!(quoted("it's; rm"), r"'it'\''s; rm'");
    }
}
