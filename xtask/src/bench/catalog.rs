//! A catalog of images, built cold: what it costs follows the distinct packages, not the number of
//! images times what each holds.
//!
//! ```text
//! one       all packages in one image
//! standing  that image, and as many again that stand on it and add a file of their own
//! repeated  as many images, each of which names all packages by itself
//! ```

use super::ground::recipe_of;

/// How many images stand on the one, or repeat it.
const IMAGES: usize = 12;

/// Forms of a catalog over the same packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folder {
    /// One image.
    One,
    /// One image, and others that stand on it.
    Standing,
    /// Images that share no recipe.
    Repeated,
}

impl Folder {
    /// All forms.
    pub const ALL: [Self; 3] = [Self::One, Self::Standing, Self::Repeated];

    /// The name of its folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Standing => "standing",
            Self::Repeated => "repeated",
        }
    }

    /// Its recipes: names and texts.
    pub fn recipes(self, packages: &[String]) -> Vec<(String, String)> {
        let whole = |name: &str| (name.to_owned(), recipe_of(name, packages));
        match self {
            Self::One => vec![whole("whole")],
            Self::Standing => std::iter::once(whole("whole")).chain((0..IMAGES).map(standing)).collect(),
            Self::Repeated => (0..IMAGES).map(|number| whole(&image(number))).collect(),
        }
    }
}

fn image(number: usize) -> String {
    format!("image{number:02}")
}

fn standing(number: usize) -> (String, String) {
    let name = image(number);
    let text = format!(
        "name = \"{name}\"\nextends = \"whole\"\nplatforms = [\"linux/amd64\"]\n\n\
         [files]\n\"/etc/image\" = \"{name}\"\n"
    );
    (name, text)
}
