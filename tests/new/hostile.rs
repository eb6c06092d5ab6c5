//! Packages that would like to write the recipe themselves.

use super::made::{draft, drafted, elf, read, tool, world};
use crate::support::Deb;

/// What would end a string or a comment, or talk to a terminal.
const EVIL: &str = "x\u{1b}[2J\r\"'''\u{7f}\u{85}\u{b} # ]\u{2028}extends = \"evil\"";

fn service(unit: &str) -> Deb {
    Deb::new("srv", "1.2-1").file("/usr/sbin/srv", elf(&[]), 0o755).file(
        "/usr/lib/systemd/system/srv.service",
        unit,
        0o644,
    )
}

/// Drafts it; the text must be TOML, without the key that the package wanted in it, and without
/// anything that a terminal would obey.
fn harmless(deb: Deb) -> (String, toml::Table) {
    let world = world(&[deb]);
    let out = drafted(&world, "srv", &[]).ok();
    let text = world.sandbox.text("srv.toml");
    for said in [&text, &out.stderr, &out.stdout] {
        assert!(!said.chars().any(|letter| letter.is_control() && letter != '\n'), "{said:?}");
    }
    let recipe = read(&text);
    assert_eq!(recipe["extends"].as_str(), Some("base"), "{text}");
    (text, recipe)
}

#[test]
fn a_unit_can_not_break_out_of_the_recipe() {
    let unit = format!(
        "[Service]\nExecStart=/usr/sbin/srv --name={EVIL}\nEnvironment=A={EVIL}\nUser={EVIL}\n\
         KillSignal=SIG{EVIL}\nWorkingDirectory=/{EVIL}\nStateDirectory={EVIL}\nPIDFile=/run/{EVIL}/x\n"
    );
    let (text, recipe) = harmless(service(&unit));
    assert!(recipe["image"].get("stop-signal").is_none(), "{text}");
    assert!(recipe.get("users").is_none(), "a name that no account can have: {text}");
}

#[test]
fn a_description_can_not_break_out_of_the_recipe() {
    let deb = service("[Service]\nExecStart=/usr/sbin/srv\n").field("Section", "a\"]b");
    let deb = deb.field("Description", "a \u{1b}[31m \"\"\" # \u{7f} end\\");
    let (_, recipe) = harmless(deb);
    assert!(recipe["summary"].as_str().expect("a text").contains("\"\"\" #"));
}

#[test]
fn files_with_odd_names_and_ports_that_are_none_do_no_harm() {
    let deb = service("[Service]\nExecStart=/usr/sbin/srv\n")
        .file("/usr/share/srv/it's \"quoted\"", "", 0o644)
        .file("/etc/srv/# {a,b}*?.conf", "port 99999\nlisten 70000\nport 8080\n", 0o644);
    let (text, recipe) = harmless(deb);
    assert_eq!(recipe["image"]["ports"].to_string(), "[8080]", "{text}");
}

#[test]
fn a_unit_that_is_too_large_is_not_read() {
    let unit = format!("[Service]\nExecStart=/usr/sbin/srv --yes\n#{}\n", "x".repeat(1 << 17));
    let (text, _) = harmless(service(&unit));
    assert!(!text.contains("--yes"), "{text}");
}

#[test]
fn accounts_with_odd_names_are_not_made() {
    let deb = service("[Service]\nExecStart=/usr/sbin/srv\n").file(
        "/usr/lib/sysusers.d/srv.conf",
        "u 0root - - /\nu root - - /\nu \"a b\" - - /\nu good_one - - \"/var/lib/a b\"\nu ../x - - /\n",
        0o644,
    );
    let (_, recipe) = harmless(deb);
    let names: Vec<&String> = recipe["users"].as_table().expect("a table").keys().collect();
    assert_eq!(names, ["good_one"]);
}

#[test]
fn links_that_lead_in_a_circle_are_not_followed_for_ever() {
    let deb = tool("tool").symlink("/usr/bin/other", "another").symlink("/usr/bin/another", "other");
    assert!(draft(&world(&[deb]), "tool").contains("/usr/bin/tool"));
}
