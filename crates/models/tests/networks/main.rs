//! Networks seen from outside: against PyTorch's golden files, as summaries, as files.

#![allow(clippy::print_stdout, reason = "how far from its bound a number is, for `--nocapture`")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod backbones;
mod case;
mod custom;
mod formula;
mod fusion;
mod golden;
mod heads;
mod imagenet;
mod learning;
mod level;
mod light_blocks;
mod live;
mod parity;
mod positions;
mod summaries;
mod trajectories;
mod weights;
