//! What a program needs around it: its user, its folders, its ports.

use std::collections::BTreeSet;

use super::ports::{self, Port};
use super::program::Program;
use super::subject::Subject;
use super::unit;
use super::wanting::configured;
use super::world::{World, is_program};
use crate::ident::ImagePath;
use crate::source::Kind;

/// The largest configuration file that is read, in bytes.
const MAX_CONFIG: u64 = 1 << 18;

/// More ports than a service would really listen on: then the configuration is about something else.
const MAX_PORTS: usize = 8;

/// Folders of configurations that are made: more would be about something else.
const MAX_FOLDERS: usize = 12;

/// Accounts that every image has.
const KNOWN_USERS: [&str; 3] = ["root", "nobody", "nonroot"];

/// What a service needs around it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Service {
    /// Folders that it writes to.
    pub(super) folders: BTreeSet<ImagePath>,
    /// Those of them that are kept.
    pub(super) volumes: BTreeSet<ImagePath>,
    /// Names of its account, and their homes.
    pub(super) users: Vec<(String, String)>,
    /// Ports.
    pub(super) ports: Vec<Port>,
    /// The signal that was seen to end it.
    pub(super) signal: Option<String>,
    /// Its configuration files.
    pub(super) configs: Vec<ImagePath>,
}

/// Looks for what the subject needs around it.
pub(super) fn look(world: &World, subject: &Subject, program: &Program) -> Service {
    let mut service = Service::default();
    let mut users: Vec<(String, Option<String>)> =
        program.unit.iter().filter_map(|unit| unit.user.clone()).map(|user| (user, None)).collect();
    for package in subject.family.iter().filter_map(|name| world.package(name.as_str())) {
        for entry in &package.parcel.index.entries {
            let path = entry.path.as_str();
            let text = || world.text(&entry.path, MAX_CONFIG).unwrap_or_default();
            if path.starts_with("/usr/lib/tmpfiles.d/") {
                service.folders.extend(unit::tmpfiles(&text()).iter().filter_map(|path| path.parse().ok()));
            } else if path.starts_with("/usr/lib/sysusers.d/") {
                users.extend(unit::sysusers(&text()));
            } else if path.starts_with("/usr/lib/systemd/system/") && path.ends_with(".socket") {
                service.ports.extend(unit::listens(&text()));
            } else if path.starts_with("/etc/")
                && is_config(entry.path.file_name())
                && super::runtime::is_wanted(&entry.path)
            {
                if matches!(entry.kind, Kind::File(_)) {
                    service.configs.push(entry.path.clone());
                }
            } else if entry.kind == Kind::Directory && is_written(world, &entry.path) {
                service.folders.insert(entry.path.clone());
            }
        }
    }
    if program.unit.is_some() {
        let texts = service.configs.iter().filter_map(|path| world.text(path, MAX_CONFIG));
        let written: Vec<ImagePath> = texts.flat_map(|text| configured(world, &text).folders).collect();
        service.folders.extend(written.into_iter().take(MAX_FOLDERS));
    }
    if let Some(unit) = &program.unit {
        for (folder, keep) in &unit.folders {
            let Ok(path) = folder.parse::<ImagePath>() else { continue };
            if *keep {
                service.volumes.insert(path.clone());
            }
            service.folders.insert(path);
        }
    }
    service.folders.retain(|path| is_written_place(path.as_str()));
    let state: Vec<ImagePath> = service.folders.iter().filter(|path| is_state(path)).cloned().collect();
    service.volumes.extend(state);
    service.add_users(users);
    service.add_ports(world, subject, program);
    service
}

impl Service {
    /// Adds names of its account that accounts can have.
    pub(super) fn add_users(&mut self, users: Vec<(String, Option<String>)>) {
        for (name, home) in users {
            let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
            let is_new = self.users.iter().all(|(known, _)| *known != name);
            if plain
                && is_new
                && !name.is_empty()
                && !KNOWN_USERS.contains(&name.as_str())
                && !name.starts_with(|letter: char| letter.is_ascii_digit())
            {
                self.users.push((name, home.unwrap_or_else(|| "/nonexistent".to_owned())));
            }
        }
    }

    fn add_ports(&mut self, world: &World, subject: &Subject, program: &Program) {
        let is_service = program.unit.is_some() || !self.ports.is_empty();
        if !is_service {
            return;
        }
        if self.ports.is_empty() {
            self.ports = ports::of_arguments(&program.arguments);
        }
        if self.ports.is_empty() {
            let texts = self.configs.iter().filter_map(|path| world.text(path, MAX_CONFIG));
            let said: Vec<Port> = texts.flat_map(|text| ports::of_config(&text)).collect();
            let different: BTreeSet<Port> = said.iter().copied().collect();
            if different.len() <= MAX_PORTS {
                self.ports = said;
            }
        }
        if self.ports.is_empty() {
            let services: Option<ImagePath> = "/etc/services".parse().ok();
            let text = services.and_then(|path| world.text(&path, 1 << 20)).unwrap_or_default();
            let names = [subject.asked.as_str(), subject.main.as_str(), program.path.file_name()];
            let bare: Vec<&str> = names.iter().flat_map(|name| [*name, name.trim_end_matches('d')]).collect();
            self.ports = ports::of_services(&text, &bare);
        }
        self.ports.sort_unstable();
        self.ports.dedup();
    }
}

fn is_config(name: &str) -> bool {
    let ending = name.rsplit('.').next().unwrap_or_default();
    matches!(ending, "conf" | "cf" | "cfg" | "ini" | "yml" | "yaml" | "toml" | "json" | "config")
        || !name.contains('.')
}

/// An empty folder of a package where programs write.
fn is_written(world: &World, path: &ImagePath) -> bool {
    is_written_place(path.as_str()) && world.below(path).next().is_none() && !is_program(path)
}

fn is_written_place(path: &str) -> bool {
    let deep = path.matches('/').count() >= if path.starts_with("/run/") { 2 } else { 3 };
    let places = ["/var/lib/", "/var/cache/", "/var/log/", "/var/spool/", "/run/"];
    deep && places.iter().any(|place| path.starts_with(place))
        && !path.starts_with("/var/lib/dpkg")
        && !path.starts_with("/run/systemd")
}

fn is_state(path: &ImagePath) -> bool {
    let text = path.as_str();
    (text.starts_with("/var/lib/") || text.starts_with("/var/spool/")) && text.matches('/').count() == 3
}
