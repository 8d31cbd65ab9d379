//! Networks seen from outside: against PyTorch's golden files, as summaries, as files.

mod formula;
mod golden;
mod learning;
mod parity;
mod summaries;
mod trajectories;
mod weights;
