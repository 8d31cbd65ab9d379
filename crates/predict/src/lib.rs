//! A model folder and pictures to predictions
