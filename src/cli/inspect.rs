//! `hardpan inspect`: what an image is and holds.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Global, print, pull};
use crate::attest::kind_name;
use crate::diag::Result;
use crate::host::size;
use crate::image::{Contents, Image, OpenPlatform, contents};
use crate::recipe::EXCEPTION_LABEL;
use crate::verify::annotated_kind;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An OCI layout folder, an archive file, or a reference
    #[arg(value_name = "IMAGE")]
    image: String,
    /// How many of the biggest files to show
    #[arg(long, value_name = "N", default_value = "10")]
    files: usize,
    /// Speak plain http with registries that are not on this machine
    #[arg(long)]
    plain_http: bool,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<()> {
    let image = pull::open_any(global, &args.image, args.plain_http)?;
    let mut shown = Vec::new();
    for platform in &image.platforms {
        shown.push((platform, contents(&image, platform)?));
    }
    if global.json {
        print::line(&whole_json(&image, &shown, args.files).to_string());
    } else {
        print::line(&head(&image));
        for (platform, contents) in &shown {
            print::line(&one(platform, contents, args.files));
        }
    }
    Ok(())
}

fn head(image: &Image) -> String {
    let mut rows = vec![
        vec!["image".to_owned(), image.name().to_owned()],
        vec!["tags".to_owned(), image.tags.join(", ")],
    ];
    if let Some((digest, _)) = image.index {
        rows.push(vec!["digest".to_owned(), digest.to_string()]);
    }
    let said = statements(image);
    if !said.is_empty() {
        rows.push(vec!["said of it".to_owned(), said.into_iter().collect::<Vec<_>>().join(", ")]);
    }
    print::columns(&rows)
}

/// What kinds of statements refer to the image, as they say themselves.
fn statements(image: &Image) -> BTreeSet<&str> {
    image.referrers.iter().filter_map(annotated_kind).map(kind_name).collect()
}

fn biggest(contents: &Contents, count: usize) -> Vec<(&String, u64)> {
    let files = contents.files.iter().filter(|(_, facts)| facts.kind == "file");
    let mut files: Vec<(&String, u64)> = files.map(|(path, facts)| (path, facts.size)).collect();
    files.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    files.truncate(count);
    files
}

fn one(platform: &OpenPlatform, contents: &Contents, files: usize) -> String {
    let config = |name: &str| {
        platform.config.pointer(&format!("/config/{name}")).map(ToString::to_string).unwrap_or_default()
    };
    let total: u64 = platform.layers.iter().map(|(_, size, _)| size).sum();
    let unpacked: u64 = contents.files.values().map(|facts| facts.size).sum();
    let mut rows = vec![
        vec!["  manifest".to_owned(), platform.digest.map(|digest| digest.to_string()).unwrap_or_default()],
        vec!["  config".to_owned(), platform.config_digest.to_string()],
        vec![
            "  created".to_owned(),
            platform.config.get("created").and_then(Value::as_str).unwrap_or_default().to_owned(),
        ],
        vec!["  user".to_owned(), config("User")],
        vec!["  entrypoint".to_owned(), config("Entrypoint")],
        vec!["  cmd".to_owned(), config("Cmd")],
        vec![
            "  size".to_owned(),
            format!("{} packed, {} of files, {} paths", size(total), size(unpacked), contents.files.len()),
        ],
    ];
    let allowed = exceptions(platform);
    rows.extend(allowed.iter().map(|(rule, why)| vec!["  allowed".to_owned(), format!("{rule}: {why}")]));
    rows.retain(|row| !row[1].is_empty());
    let mut text = format!("\n{}\n{}\n\n  layers\n", platform.platform, print::columns(&rows));
    let history = platform.config.get("history").and_then(Value::as_array).cloned().unwrap_or_default();
    let layers: Vec<Vec<String>> = platform
        .layers
        .iter()
        .enumerate()
        .map(|(at, (member, bytes, digest))| {
            let name = history
                .get(at)
                .and_then(|entry| entry.get("created_by"))
                .and_then(Value::as_str)
                .unwrap_or_default();
            let digest = digest.map_or_else(|| member.clone(), |digest| digest.to_string());
            vec![format!("    {digest}"), size(*bytes), name.trim_start_matches("hardpan: ").to_owned()]
        })
        .collect();
    text.push_str(&print::columns(&layers));
    let _ = write!(text, "\n\n  packages ({})\n", contents.packages.len());
    let packages: Vec<Vec<String>> = contents
        .packages
        .iter()
        .map(|(name, facts)| vec![format!("    {name}"), facts.version.clone(), facts.source.clone()])
        .collect();
    text.push_str(&print::columns(&packages));
    text.push_str("\n\n  biggest files\n");
    let files: Vec<Vec<String>> = biggest(contents, files)
        .into_iter()
        .map(|(path, bytes)| vec![format!("    {}", size(bytes)), format!("/{path}")])
        .collect();
    text.push_str(&print::columns(&files));
    text
}

/// The exceptions to the contents policy that a platform's labels name, and why.
fn exceptions(platform: &OpenPlatform) -> BTreeMap<&str, &str> {
    let labels = platform.config.pointer("/config/Labels").and_then(Value::as_object);
    let labels = labels.into_iter().flatten();
    labels.filter_map(|(name, why)| Some((name.strip_prefix(EXCEPTION_LABEL)?, why.as_str()?))).collect()
}

fn whole_json(image: &Image, shown: &[(&OpenPlatform, Contents)], files: usize) -> Value {
    let platform = |(platform, contents): &(&OpenPlatform, Contents)| {
        let layers: Vec<Value> = platform
            .layers
            .iter()
            .map(|(member, size, digest)| json!({ "member": member, "size": size, "digest": digest }))
            .collect();
        let packages: Vec<Value> = contents
            .packages
            .iter()
            .map(|(name, facts)| json!({ "name": name, "version": facts.version, "architecture": facts.architecture, "source": facts.source }))
            .collect();
        let files: Vec<Value> = biggest(contents, files)
            .into_iter()
            .map(|(path, size)| json!({ "path": format!("/{path}"), "size": size }))
            .collect();
        json!({
            "platform": platform.platform,
            "digest": platform.digest,
            "config_digest": platform.config_digest,
            "config": platform.config,
            "annotations": platform.annotations,
            "exceptions": exceptions(platform),
            "layers": layers,
            "size": platform.layers.iter().map(|(_, size, _)| size).sum::<u64>(),
            "paths": contents.files.len(),
            "packages": packages,
            "biggest_files": files,
        })
    };
    json!({
        "image": image.name(),
        "tags": image.tags,
        "digest": image.index.map(|(digest, _)| digest),
        "platforms": shown.iter().map(platform).collect::<Vec<_>>(),
    })
}
