//! Layers as they are: what takes away, what links, what would climb out.

use serde_json::json;

use super::Stage;
use crate::support::{Tarball, sha256_hex};

/// Puts a layer on the image, as hostile as it may be.
fn add_layer(stage: &Stage, tar: Tarball) {
    let (layout, bytes) = (stage.layout(), tar.build());
    let digest = layout.put(&bytes);
    let diff_id = format!("sha256:{}", sha256_hex(&bytes));
    layout.change_config("amd64", true, |config| {
        config["rootfs"]["diff_ids"].as_array_mut().expect("a list").push(json!(diff_id));
    });
    let kind = "application/vnd.oci.image.layer.v1.tar";
    layout.change_manifest("amd64", true, |manifest| {
        let layer = json!({ "mediaType": kind, "digest": digest, "size": bytes.len() });
        manifest["layers"].as_array_mut().expect("a list").push(layer);
    });
}

/// Something outside, which must stay as it is.
fn canary(stage: &Stage) -> String {
    let folder = stage.world.sandbox.path("outside");
    std::fs::create_dir_all(&folder).expect("ours");
    std::fs::write(folder.join("canary"), "alive").expect("ours");
    folder.display().to_string()
}

fn is_alive(stage: &Stage) {
    let folder = stage.world.sandbox.path("outside");
    assert_eq!(std::fs::read_to_string(folder.join("canary")).expect("there"), "alive");
    assert_eq!(std::fs::read_dir(folder).expect("there").count(), 1);
}

fn with(stage: &Stage, facts: &str) {
    stage.passes(&format!("[[test]]\nname = \"facts\"\nrun = [\"BOX\", \"true\"]\nfiles = {{ {facts} }}\n"));
    stage.is_tidy();
}

#[test]
#[ignore = "needs runc and busybox"]
fn whiteouts_take_away_what_is_below_and_nothing_else() {
    let stage = Stage::new();
    let lower = Tarball::new().dir("a", 0o755).file("a/one", "1", 0o644).file("a/two", "2", 0o644);
    let lower =
        lower.dir("a/deep", 0o755).file("a/deep/x", "x", 0o644).dir("b", 0o755).file("b/one", "1", 0o644);
    add_layer(&stage, lower);
    let upper = Tarball::new().file("a/.wh.one", "", 0o644).file("a/three", "3", 0o644);
    add_layer(&stage, upper.file("b/new", "new", 0o644).file("b/.wh..wh..opq", "", 0o644));
    let facts = r#""/a/one" = false, "/a/two" = "2", "/a/three" = "3", "/a/deep/x" = "x", "/b/one" = false, "/b/new" = "new""#;
    with(&stage, facts);
    add_layer(
        &stage,
        Tarball::new().file(".wh.a", "", 0o644).file("b/.wh.new", "", 0o644).file("b/new", "n", 0o644),
    );
    with(&stage, r#""/a" = false, "/b/new" = "n""#);
}

#[test]
#[ignore = "needs runc and busybox"]
fn links_lead_to_where_they_would_inside() {
    let stage = Stage::new();
    let outside = canary(&stage);
    let inside = outside.trim_start_matches('/');
    let layer = Tarball::new().dir(inside, 0o755).symlink("absolute", &outside);
    let layer = layer
        .symlink("climbing", "../../../../../../../../etc")
        .file("hard", "h", 0o644)
        .hardlink("harder", "hard");
    add_layer(&stage, layer);
    let layer = Tarball::new().file("absolute/canary", "dead", 0o644).file("climbing/planted", "p", 0o644);
    add_layer(&stage, layer.file("harder", "changed", 0o644));
    with(
        &stage,
        r#""/absolute/canary" = "dead", "/etc/planted" = "p", "/hard" = "h", "/harder" = "changed""#,
    );
    is_alive(&stage);
    assert!(!std::path::Path::new("/etc/planted").exists());
}

#[test]
#[ignore = "needs runc and busybox"]
fn a_layer_that_would_climb_out_is_refused() {
    for (name, tar) in [
        ("up", Tarball::new().file("../../../../../../outside/canary", "dead", 0o644)),
        ("hard", Tarball::new().hardlink("taken", "../../outside/canary")),
        ("dangling", Tarball::new().symlink("way", "/nowhere").file("way/x", "x", 0o644)),
        ("whiteout", Tarball::new().file(".wh...", "", 0o644)),
    ] {
        let stage = Stage::new();
        canary(&stage);
        add_layer(&stage, tar);
        let out = stage.test("[[test]]\nname = \"x\"\n", &[]).exits(5);
        assert!(out.says("HP509").stderr.contains("can't be unpacked"), "{name}");
        is_alive(&stage);
        stage.is_tidy();
    }
}

#[test]
#[ignore = "needs runc and busybox"]
fn whiteouts_and_links_in_the_way_of_whiteouts_remove_nothing_outside() {
    let stage = Stage::new();
    let outside = canary(&stage);
    add_layer(&stage, Tarball::new().symlink("way", &outside));
    let removes = Tarball::new().file(".wh.way", "", 0o644).dir("way", 0o755).file("way/x", "x", 0o644);
    add_layer(&stage, removes);
    with(&stage, r#""/way/x" = "x", "/way/canary" = false"#);
    is_alive(&stage);
}

#[test]
#[ignore = "needs runc and busybox"]
fn devices_are_left_out_and_set_id_bits_bring_nothing() {
    let stage = Stage::new();
    let program = std::fs::read("/usr/bin/busybox").expect("busybox");
    let layer = Tarball::new().device("dev/sda").device("disk").fifo("pipe").file(
        "usr/bin/busybox-root",
        program,
        0o4755,
    );
    add_layer(&stage, layer);
    stage.passes(
        r#"
[[test]]
name   = "set-id"
run    = ["/usr/bin/busybox-root", "sh", "-c", "id -u; cat /proc/self/status"]
stdout = ["65532\n", "Uid:\t65532\t65532\t65532"]
files  = { "/disk" = false, "/pipe" = false }
"#,
    );
}

#[test]
#[ignore = "needs runc and busybox"]
fn owners_modes_and_times_are_those_of_the_layers() {
    let stage = Stage::new();
    let layer = Tarball::new().dir("d", 0o751).owner(5, 6).mtime(1_000_000_000);
    let layer =
        layer.file("d/f", "f", 0o640).owner(7, 8).mtime(1_100_000_000).symlink("d/l", "f").owner(9, 10);
    add_layer(&stage, layer);
    stage.passes(
        r#"
[[test]]
name   = "facts"
run    = ["BOX", "stat", "-c", "%n %a %u:%g %Y", "/d", "/d/f", "/d/l"]
stdout = ["/d 751 5:6 1000000000\n", "/d/f 640 7:8 1100000000\n", "/d/l 777 9:10 "]
"#,
    );
}

#[test]
#[ignore = "needs runc and busybox"]
fn a_layer_whose_bytes_changed_is_not_run() {
    let stage = Stage::new();
    let layout = stage.layout();
    let manifest = layout.json(&layout.platform("amd64"));
    let digest = manifest["layers"][0]["digest"].as_str().expect("a digest").to_owned();
    layout.flip(&digest, 40);
    stage.test("[[test]]\nname = \"x\"\n", &[]).exits(5);
    stage.is_tidy();
}
