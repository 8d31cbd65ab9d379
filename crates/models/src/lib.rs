//! Networks by name, their summaries, weights in and out
