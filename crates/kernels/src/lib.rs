//! Arithmetic on slices: f32 kernels, and sums of pixels, for every CPU level, the thread pool that runs them, the memory they work in,
//! and the f64 references they are tested against.
//!
//! Activations are NHWC, convolution weights HWIO (`[kernel height][kernel width][in / groups][out]`), linear weights
//! `[in][out]`. A kernel is named `family_type_tile_level`, without the tile where there are several: `depthwise_f32_c8_avx2`. Every family is a table; the first
//! row whose level the machine has and whose shape fits is used. Knows nothing of graphs, files or pictures' meaning.
//!
//! All unsafe code of the project is in this crate. Results do not depend on the number of threads: work is cut into
//! chunks fixed by the shape, any thread takes the next one, and sums over chunks go in chunk order.
//!
//! ```
//! use avizor_kernels::{Cpu, Level};
//!
//! let cpu = Cpu::new(2, Level::best());
//! let mut squares = vec![0u32; 10];
//! cpu.pool().for_each_chunk(&mut squares, 3, |chunk, part| {
//!     for (i, square) in part.iter_mut().enumerate() {
//!         *square = (chunk as u32 * 3 + i as u32).pow(2);
//!     }
//! });
//! assert_eq!(squares[9], 81);
//! ```

#[cfg(test)]
mod agreement;
pub mod attention;
pub mod batch_norm;
mod column_sums;
pub mod concat;
pub mod conv2d;
mod cpu;
pub mod dropout;
pub mod elementwise;
mod exponential;
mod floats;
pub mod gate;
mod gemm;
#[cfg(test)]
mod golden;
pub mod layer_norm;
mod level;
pub mod linear;
pub mod loss;
mod memory;
pub mod optimizer;
mod parts;
mod peak;
mod per_element;
mod per_level;
pub mod pixels;
mod pool;
pub mod pool2d;
pub mod reference;
pub mod resample;
mod simd;
pub mod stochastic_depth;
pub mod tokens;
pub mod unary;
mod workers;

pub use cpu::Cpu;
pub use floats::{Bf16, Element, Floats, FloatsMut, Precision, convert, elements, elements_mut};
pub use level::{Level, UnknownLevel};
pub use memory::{Memory, Place, Space};
pub use peak::peak_flops;
pub use pool::Pool;
