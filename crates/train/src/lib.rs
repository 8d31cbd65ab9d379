//! From a recipe to a trained, evaluated run
