//! `/etc/passwd` and `/etc/group` (passwd(5), group(5)) of the accounts that a chain declares. There
//! is no `/etc/shadow`: nobody logs in. Home folders that nobody made are made, and `/tmp`.

use std::collections::{BTreeMap, BTreeSet};

use super::{Node, insert};
use crate::diag::{Result, codes};
use crate::ident::ImagePath;
use crate::layer::compose::Work;
use crate::layer::tree::merged_path;

/// Writes both files where the recipe declares accounts.
pub(super) fn add(work: &mut Work) -> Result<()> {
    if work.recipe.users.is_empty() && work.recipe.groups.is_empty() {
        return Ok(());
    }
    let recipes = work.upto();
    let mut users = BTreeMap::new();
    let mut groups: BTreeMap<&str, u32> = BTreeMap::new();
    for recipe in recipes {
        users.extend(recipe.users.iter().map(|user| (user.name.as_str(), user)));
        groups.extend(recipe.groups.iter().map(|group| (group.name.as_str(), group.gid)));
    }
    for user in users.values() {
        if !groups.values().any(|gid| *gid == user.gid) {
            groups.insert(&user.name, user.gid);
        }
    }
    let mut members: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for user in users.values() {
        for group in &user.groups {
            if !groups.contains_key(group.value.as_str()) {
                let message = format!("there is no group `{}`", group.value);
                return Err(group
                    .place
                    .problem(codes::UNKNOWN_USER, message, "not a declared group")
                    .help("declare it in `[groups]`")
                    .into());
            }
            members.entry(&group.value).or_default().insert(&user.name);
        }
    }
    let mut users: Vec<_> = users.into_values().collect();
    users.sort_by_key(|user| (user.uid, user.name.clone()));
    let line = |user: &&crate::recipe::User| {
        format!("{}:x:{}:{}:{}:{}:{}\n", user.name, user.uid, user.gid, user.comment, user.home, user.shell)
    };
    let passwd: String = users.iter().map(line).collect();
    let mut by_number: Vec<_> = groups.iter().map(|(name, gid)| (*gid, *name)).collect();
    by_number.sort_unstable();
    let line = |(gid, name): &(u32, &str)| {
        let members: Vec<&str> = members.get(name).into_iter().flatten().copied().collect();
        format!("{name}:x:{gid}:{}\n", members.join(","))
    };
    let group: String = by_number.iter().map(line).collect();
    homes(work);
    insert(work, "/etc/passwd", Node::generated(passwd.into_bytes()));
    insert(work, "/etc/group", Node::generated(group.into_bytes()));
    Ok(())
}

/// Where the kernel or the container's runtime puts what is there.
const NOT_OURS: [&str; 4] = ["/dev", "/proc", "/sys", "/nonexistent"];

/// Home folders of this recipe's users, for them alone, and `/tmp`, which programs of any user expect.
fn homes(work: &mut Work) {
    for user in &work.recipe.users {
        let Ok(home) = user.home.parse::<ImagePath>() else { continue };
        let home = merged_path(&home);
        let ours = !NOT_OURS.iter().any(|path| {
            let path: ImagePath = path.parse().expect("a path of ours");
            home == path || home.is_under(&path)
        });
        if ours && !home.is_root() && work.view().get(&home).is_none() {
            let node = Node { mode: 0o700, uid: user.uid, gid: user.gid, ..Node::directory() };
            insert(work, home.as_str(), node);
        }
    }
    let tmp: ImagePath = "/tmp".parse().expect("a path of ours");
    if work.view().get(&tmp).is_none() {
        insert(work, tmp.as_str(), Node { mode: 0o1777, ..Node::directory() });
    }
}
