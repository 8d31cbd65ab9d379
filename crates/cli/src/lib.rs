//! From a folder of pictures to a classifier that its owner can trust
