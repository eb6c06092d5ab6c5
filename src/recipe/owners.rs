//! Whose things are: names of users and groups to numbers, looked up in a chain of recipes.

use super::model::{Chain, Owner, Place};
use super::model_test::TestSpec;
use crate::diag::{Problem, codes};

impl Chain {
    /// The numbers of an owner: `uid` and `gid`. A user without a group is in its own, a number
    /// without one in the group of the same number.
    pub fn owner_numbers(&self, owner: &Owner, place: &Place) -> Result<(u32, u32), Problem> {
        let (users, groups) = (self.users(), self.groups());
        let unknown = |what: &str, name: &str, known: Vec<&str>| {
            let near = crate::diag::nearest(name, known.iter().copied());
            let help = near.map_or_else(
                || format!("declare it in `[{what}s]`, or write its number"),
                |near| format!("did you mean `{near}`?"),
            );
            place
                .problem(
                    codes::UNKNOWN_USER,
                    format!("there is no {what} `{name}`"),
                    format!("not a declared {what}"),
                )
                .help(help)
        };
        let named = users.get(owner.user.as_str());
        let uid = match owner.user.parse::<u32>() {
            Ok(uid) => uid,
            Err(_) => named.ok_or_else(|| unknown("user", &owner.user, users.keys().copied().collect()))?.uid,
        };
        let by_number = users.values().find(|user| user.uid == uid);
        let gid = match owner.group.as_deref().map(|group| (group, group.parse::<u32>())) {
            None => by_number.map_or(uid, |user| user.gid),
            Some((_, Ok(gid))) => gid,
            Some((name, Err(_))) => match (groups.get(name), users.get(name)) {
                (Some(gid), _) => *gid,
                (None, Some(user)) => user.gid,
                (None, None) => return Err(unknown("group", name, groups.keys().copied().collect())),
            },
        };
        Ok((uid, gid))
    }

    /// All owners that the chain's last recipe names and nobody declares.
    pub(super) fn unknown_owners(&self) -> Vec<Problem> {
        let recipe = self.last();
        let user = recipe.image.user.iter().map(|at| (&at.value, &at.place));
        let folders =
            recipe.directories.values().filter_map(|at| Some((at.value.owner.as_ref()?, &at.place)));
        let texts = recipe.texts.values().filter_map(|at| Some((at.value.owner.as_ref()?, &at.place)));
        let files = recipe.files.values().filter_map(|at| Some((at.value.owner.as_ref()?, &at.place)));
        let downloads =
            recipe.downloads.values().filter_map(|at| Some((at.value.owner.as_ref()?, &at.place)));
        let rules = recipe.owners.iter().map(|at| (&at.value.1, &at.place));
        let tests = recipe.tests.iter().flat_map(TestSpec::users).map(|at| (&at.value, &at.place));
        let all = user.chain(folders).chain(texts).chain(files).chain(downloads).chain(rules).chain(tests);
        all.filter_map(|(owner, place)| self.owner_numbers(owner, place).err()).collect()
    }
}
