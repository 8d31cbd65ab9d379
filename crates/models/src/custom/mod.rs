//! A network whose layers are listed by its user: `custom`.
//!
//! Parameters are named by place, as `torch.nn.Sequential` names them: `0.weight`, and in a block `4.0.weight`. The last
//! layer, from numbers in a row to the classes, comes by itself.

mod build;
mod layer;
mod list;
mod table;

pub use build::Custom;
pub use layer::{Layer, Window};
pub use list::{Layers, LayersError};
pub use table::{LAYERS, LayerOption, LayerRow};
