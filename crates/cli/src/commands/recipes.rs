//! `avizor recipes`.

use std::io::Write;

use avizor_data::transforms::{TRANSFORM_SETS, TRANSFORMS};
use avizor_models::LAYERS;
use avizor_train::Recipe;

use crate::args;
use crate::failure::Failure;

/// The recipes that come along: name, first lines for the list, text.
const RECIPES: &[(&str, &str)] = &[
    ("backbones", include_str!("../../../../recipes/backbones.toml")),
    ("caltech6", include_str!("../../../../recipes/caltech6.toml")),
    ("cifar10", include_str!("../../../../recipes/cifar10.toml")),
    ("fundus", include_str!("../../../../recipes/fundus.toml")),
    ("learning-curves", include_str!("../../../../recipes/learning-curves.toml")),
    ("pokedex", include_str!("../../../../recipes/pokedex.toml")),
    ("simpsons", include_str!("../../../../recipes/simpsons.toml")),
];

pub(crate) fn run(args: &args::Recipes) -> Result<(), Failure> {
    let mut out = anstream::stdout();
    if args.options {
        return options(&mut out);
    }
    if args.transforms {
        return transforms(&mut out);
    }
    if args.layers {
        return layers(&mut out);
    }
    match &args.name {
        None => list(&mut out),
        Some(name) => match RECIPES.iter().find(|(have, _)| have == name) {
            Some((_, text)) => Ok(write!(out, "{text}")?),
            None => {
                let names: Vec<&str> = RECIPES.iter().map(|(name, _)| *name).collect();
                Err(Failure::usage(format!("there is no recipe \"{name}\""))
                    .help(format!("there are {}", names.join(", "))))
            }
        },
    }
}

fn list(out: &mut impl Write) -> Result<(), Failure> {
    for (name, text) in RECIPES {
        let about = text.lines().next().unwrap_or_default().trim_start_matches("# ");
        writeln!(out, "{name:<15} {about}")?;
    }
    writeln!(out, "\nShow one with `avizor recipes NAME`; every option with `avizor recipes --options`.")?;
    Ok(())
}

fn options(out: &mut impl Write) -> Result<(), Failure> {
    let mut section = "";
    for option in Recipe::options() {
        if option.section != section {
            section = option.section;
            writeln!(out, "[{section}]")?;
        }
        let default = if option.default.is_empty() { String::new() } else { format!(" = {}", option.default) };
        writeln!(out, "{}{default}\n    {}", option.name, option.doc)?;
    }
    Ok(())
}

fn transforms(out: &mut impl Write) -> Result<(), Failure> {
    for row in TRANSFORMS {
        writeln!(out, "{}\n    {}", row.op, row.doc)?;
        for option in row.options {
            writeln!(out, "    {} = {}\n        {}", option.name, option.default, option.doc)?;
        }
    }
    writeln!(out, "\nSets, by name: transforms.train = \"{}\"", TRANSFORM_SETS[0].name)?;
    for set in TRANSFORM_SETS {
        writeln!(out, "{}\n    {}\n    {}", set.name, set.doc, set.as_recipe())?;
    }
    Ok(())
}

fn layers(out: &mut impl Write) -> Result<(), Failure> {
    for row in LAYERS {
        writeln!(out, "{}\n    {}", row.op, row.doc)?;
        for option in row.options {
            let default = if option.default.is_empty() { String::new() } else { format!(" = {}", option.default) };
            writeln!(out, "    {}{default}\n        {}", option.name, option.doc)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_that_comes_along_is_one() {
        for (name, text) in RECIPES {
            Recipe::parse(text, name).unwrap();
        }
    }
}
