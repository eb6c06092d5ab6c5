//! Chains of recipes: what one below holds and allows, and what one above hides.

use crate::support::{Deb, World};
use crate::{config, head};

/// Two recipes, `base` and `upper` over it.
fn two(base: &str, upper: &str) -> World {
    let world = World::new(&[
        Deb::new("shells", "1").file("/usr/bin/dash", "d", 0o755).symlink("/usr/bin/sh", "dash"),
        Deb::new("app", "1").file("/usr/bin/app", "a", 0o755),
    ]);
    write(&world, base, upper);
    world
}

fn write(world: &World, base: &str, upper: &str) {
    world.sandbox.write("base.toml", format!("{}{base}", head("base")));
    let upper_head = "name = \"upper\"\nextends = \"base\"\nplatforms = [\"linux/amd64\"]\ntags = [\"1\"]\n";
    world.sandbox.write("upper.toml", format!("{upper_head}{upper}"));
}

const SHELLS: &str = "[debian.packages]\nshells = \"all\"\n";
const APP: &str = "[debian.packages]\napp = \"all\"\n";

#[test]
fn what_a_recipe_below_holds_breaks_a_rule_above() {
    let world = two(SHELLS, APP);
    let out = world.run(&["build", "upper.toml"]).exits(6);
    assert!(out.stderr.contains("2 paths of package `shells`"), "{}", out.stderr);
    assert!(out.stderr.contains("in `base.toml`"), "{}", out.stderr);
}

#[test]
fn an_exception_below_holds_above_and_its_reason_is_in_both_images() {
    let world = two(&format!("{SHELLS}[policy.allow]\nshell = \"base runs hooks\"\n"), APP);
    world.run(&["build", "base.toml"]).ok();
    let out = world.run(&["build", "upper.toml"]).ok().says("Allowed shell: base runs hooks");
    assert!(!out.stderr.contains("warning[HP610]"), "{}", out.stderr);
    for image in ["out/base", "out/upper"] {
        assert_eq!(config(&world, image)["Labels"]["dev.hardpan.policy.shell"], "base runs hooks");
    }
    // The image below is the very one that the annotation of the one above names.
    let digest = |out: &str, at: &str| {
        let said = world.run(&["inspect", out, "--json"]).ok().stdout;
        let said: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        said.pointer(at).expect("a digest").clone()
    };
    assert_eq!(
        digest("out/upper", "/platforms/0/annotations/org.opencontainers.image.base.digest"),
        digest("out/base", "/platforms/0/digest")
    );
}

#[test]
fn an_exception_above_holds_for_what_is_below_in_its_own_image_only() {
    let world = two(SHELLS, &format!("{APP}[policy.allow]\nshell = \"upper runs hooks\"\n"));
    world.run(&["build", "upper.toml"]).ok();
    world.run(&["build", "base.toml"]).exits(6).says("HP610");
}

#[test]
fn reasons_of_both_stand_in_the_label_the_lower_first() {
    let base = format!("{SHELLS}[policy.allow]\nshell = \"z below\"\n");
    let world = two(&base, &format!("{APP}[policy.allow]\nshell = \"a above\"\n"));
    world.run(&["build", "upper.toml"]).ok();
    assert_eq!(config(&world, "out/upper")["Labels"]["dev.hardpan.policy.shell"], "z below; a above");
}

#[test]
fn a_secret_that_a_recipe_above_hides_is_still_in_the_image() {
    let key = crate::secrets::pem("EC PRIVATE KEY");
    let base = format!("[files]\n\"/etc/app.pem\" = \"\"\"\n{key}\"\"\"\n");
    let upper = "[files]\n\"/etc/app.pem\" = \"none\\n\"\n";
    let world = two(&base, upper);
    let out = world.run(&["build", "upper.toml"]).exits(6);
    assert!(
        out.stderr.contains("`/etc/app.pem` of recipe `base` holds what looks like a private key"),
        "{}",
        out.stderr
    );
    // And from the cache.
    assert_eq!(world.run(&["build", "upper.toml"]).exits(6).stderr.matches("error[HP610]").count(), 1);
}

#[test]
fn a_link_above_to_a_shell_below_is_found() {
    let base = format!("{SHELLS}[policy.allow]\nshell = {{ reason = \"r\", paths = [\"/usr/bin/sh\"] }}\n");
    let world = two(&base, "[links]\n\"/usr/bin/step\" = \"/bin/dash\"\n");
    let out = world.run(&["build", "upper.toml"]).exits(6);
    for words in [
        "`/usr/bin/dash` of package `shells` is a shell",
        "`/usr/bin/step` of recipe `upper` is a link to a shell",
    ] {
        assert!(out.stderr.contains(words), "{words}: {}", out.stderr);
    }
}

#[test]
fn accounts_are_those_of_the_whole_chain() {
    let owned = "[directories]\n\"/srv/data\" = { mode = \"0700\", owner = \"70:70\" }\n";
    let world = two(owned, "");
    world.run(&["build", "base.toml"]).exits(6).says("`/srv/data` of recipe `base` belongs to the user 70");
    write(&world, owned, "[users]\nseventy = 70\n");
    world.run(&["build", "upper.toml"]).ok();
    write(&world, &format!("{owned}[users]\nseventy = 70\n"), "");
    world.run(&["build", "upper.toml"]).ok();
}

#[test]
fn root_below_is_no_matter_where_the_recipe_above_says_another_user() {
    let base =
        head("base").replace("image.user = 65532\n", "policy.allow.root = \"it is only built upon\"\n");
    let world = two("", "[image]\nuser = 65532\n");
    world.sandbox.write("base.toml", base);
    let out = world.run(&["build", "upper.toml"]).ok();
    assert!(!out.stderr.contains("warning[HP610]"), "{}", out.stderr);
    assert!(config(&world, "out/upper")["Labels"]["dev.hardpan.policy.root"].is_null());
}
