//! One tree, one layer, from which the biggest packages are split off within the recipe's budget: a
//! package that changes seldom is then not sent again when a small one changes.

use std::collections::BTreeMap;

use super::tree::{Node, Origin, Tree};
use crate::ident::{ImagePath, PackageName};

/// A package of fewer bytes than this is not worth a layer.
const WORTH: u64 = 8 << 20;

/// What goes into one layer.
#[derive(Debug, Clone)]
pub struct LayerPlan {
    /// What it is called: the recipe, or the recipe and a package.
    pub name: String,
    /// Its entries.
    pub tree: Tree,
}

/// The layers of a recipe's tree, at most `budget`, in the order in which they lie on each other.
pub fn split(name: &str, tree: &Tree, budget: usize) -> Vec<LayerPlan> {
    let mut sizes: BTreeMap<&PackageName, u64> = BTreeMap::new();
    for node in tree.nodes.values() {
        if let Origin::Package(name) = &node.origin {
            *sizes.entry(name).or_default() += node.size();
        }
    }
    let mut big: Vec<(&PackageName, u64)> = sizes.into_iter().filter(|(_, size)| *size >= WORTH).collect();
    big.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    big.truncate(budget.saturating_sub(1));
    let mut names: Vec<&PackageName> = big.into_iter().map(|(name, _)| name).collect();
    names.sort();
    let mut emitted: BTreeMap<ImagePath, Node> = BTreeMap::new();
    let mut plans = Vec::new();
    for package in &names {
        let own = |node: &Node| node.origin == Origin::Package((*package).clone());
        plans.push(plan(format!("{name} {package}"), tree, &mut emitted, own));
    }
    let rest = |node: &Node| !matches!(&node.origin, Origin::Package(name) if names.contains(&name));
    plans.push(plan(name.to_owned(), tree, &mut emitted, rest));
    plans.retain(|plan| !plan.tree.nodes.is_empty());
    plans
}

/// The nodes that belong here, and the folders above them that no layer of this tree has yet.
fn plan(
    name: String,
    tree: &Tree,
    emitted: &mut BTreeMap<ImagePath, Node>,
    own: impl Fn(&Node) -> bool,
) -> LayerPlan {
    let mut nodes: BTreeMap<ImagePath, Node> = BTreeMap::new();
    for (path, node) in tree.nodes.iter().filter(|(path, node)| own(node) && !emitted.contains_key(*path)) {
        for above in path.ancestors() {
            if let Some(folder) = tree.nodes.get(&above).filter(|_| !emitted.contains_key(&above)) {
                nodes.insert(above, folder.clone());
            }
        }
        nodes.insert(path.clone(), node.clone());
    }
    emitted.extend(
        nodes.iter().filter(|(_, node)| node.is_directory()).map(|(path, node)| (path.clone(), node.clone())),
    );
    LayerPlan { name, tree: Tree { nodes } }
}
