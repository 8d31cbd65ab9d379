//! How the tiles of a convolution lie in its tensors, and how their transforms lie in the workspace.

use super::algorithm::Sizes;
use crate::conv2d::Conv2dShape;
use crate::gemm::L2_BYTES;

/// A 3×3 convolution of stride 1 or 2 in tiles of outputs.
///
/// The gradient of the input is one too: dy is its source, dx its target, and its weight is turned round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Geometry {
    pub(super) batch: usize,
    /// Rows and columns of source and target.
    pub(super) source: [usize; 2],
    pub(super) target: [usize; 2],
    /// Rows above and columns before the source that the first window reaches over.
    before: [usize; 2],
    /// Channels of the source, and of the target.
    pub(super) depth: usize,
    pub(super) columns: usize,
    /// Of a tile along each axis.
    pub(super) sizes: Sizes,
}

impl Geometry {
    /// Whether a shape is such a convolution of a stride, and its gradient of the input too.
    pub(super) fn fits(shape: &Conv2dShape, stride: usize) -> bool {
        let is_padded_alike = match stride {
            1 => shape.padding.iter().all(|&p| p <= 2),
            _ => shape.padding == [1, 1],
        };
        let is_even = shape.trailing == [0, 0] && is_padded_alike;
        shape.kernel == [3, 3] && shape.stride == [stride; 2] && shape.groups == 1 && is_even
    }

    pub(super) fn forward(shape: &Conv2dShape, tile: usize) -> Self {
        Self {
            batch: shape.batch,
            source: [shape.height, shape.width],
            target: [shape.out_height(), shape.out_width()],
            before: shape.padding,
            depth: shape.in_channels,
            columns: shape.out_channels,
            sizes: Sizes::forward(shape.stride[0], tile),
        }
    }

    pub(super) fn grad_input(shape: &Conv2dShape, tile: usize) -> Self {
        Self {
            batch: shape.batch,
            source: [shape.out_height(), shape.out_width()],
            target: [shape.height, shape.width],
            // At stride 2 the first number of dx meets only the first of dy, by the middle tap.
            before: if shape.stride == [1, 1] { shape.padding.map(|padding| 2 - padding) } else { [0, 0] },
            depth: shape.out_channels,
            columns: shape.in_channels,
            sizes: Sizes::grad_input(shape.stride[0], tile),
        }
    }

    /// Places of a transformed tile.
    pub(super) fn places(&self) -> usize {
        self.sizes.places * self.sizes.places
    }

    /// Tiles of a picture, down and across.
    fn grid(&self) -> [usize; 2] {
        self.target.map(|size| size.div_ceil(self.sizes.outputs))
    }

    /// Tiles of all pictures.
    pub(super) fn tiles(&self) -> usize {
        self.batch * self.grid()[0] * self.grid()[1]
    }

    /// The picture of a tile, and its row and column among the tiles of that.
    pub(super) fn place_of(&self, tile: usize) -> (usize, [usize; 2]) {
        let [down, across] = self.grid();
        (tile / (down * across), [tile / across % down, tile % across])
    }

    /// The picture of a tile, and the row and column of its first output.
    pub(super) fn first_output(&self, tile: usize) -> (usize, [usize; 2]) {
        let (picture, at) = self.place_of(tile);
        (picture, at.map(|at| at * self.sizes.outputs))
    }

    /// What tiles of the source are read from.
    pub(super) fn source_view(&self) -> View {
        View { size: self.source, channels: self.depth, before: self.before, step: self.sizes.step }
    }

    /// What tiles of the target's gradient are read from.
    pub(super) fn target_view(&self) -> View {
        View { size: self.target, channels: self.columns, before: [0, 0], step: self.sizes.outputs }
    }
}

/// A tensor whose tiles are read: zeros stand around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    pub(super) size: [usize; 2],
    pub(super) channels: usize,
    /// Rows above and columns before the tensor that the first window reaches over.
    before: [usize; 2],
    /// Rows or columns from one window to the next.
    step: usize,
}

impl View {
    /// Where pixel (i, j) of a tile's window starts; `None` outside.
    pub(super) fn pixel(&self, picture: usize, tile: [usize; 2], [i, j]: [usize; 2]) -> Option<usize> {
        let y = (tile[0] * self.step + i).checked_sub(self.before[0]).filter(|&y| y < self.size[0])?;
        let x = (tile[1] * self.step + j).checked_sub(self.before[1]).filter(|&x| x < self.size[1])?;
        Some(((picture * self.size[0] + y) * self.size[1] + x) * self.channels)
    }
}

/// Numbers of a cache line.
pub(super) const LINE: usize = 16;

/// How transformed tiles lie: for every place of a tile a matrix of rows (tiles or channels) and channels, cut into
/// chunks of neighbouring channels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// From one place of a tile to the next.
    pub(super) place_step: usize,
    pub(super) row_step: usize,
    /// Channels of a chunk, and from one chunk to the next.
    pub(super) chunk: usize,
    pub(super) chunk_step: usize,
}

impl Layout {
    /// Every row with all its channels: left factors. An odd number of cache lines where a power of two would put all
    /// rows into a few sets of the first cache.
    pub(super) fn rows(rows: usize, channels: usize) -> Self {
        let lines = channels.div_ceil(LINE);
        let lines = if lines.is_multiple_of(16) { lines + 1 } else { lines };
        let row_step = lines * LINE;
        Self { place_step: rows * row_step + LINE, row_step, chunk: channels, chunk_step: 0 }
    }

    /// Panels of `width` channels: right factors and products. One more line than needed, lest the places of a tile
    /// meet in the same sets.
    pub(super) fn panels(rows: usize, channels: usize, width: usize) -> Self {
        let chunk_step = rows * width;
        Self { place_step: channels.div_ceil(width) * chunk_step + LINE, row_step: width, chunk: width, chunk_step }
    }

    /// Numbers that all places take.
    pub(super) fn len(&self, places: usize) -> usize {
        places * self.place_step
    }

    /// Whether the places of a tile are so far from each other that all of them do not fit the second cache: then lines
    /// are asked for before they are written.
    pub(super) fn is_far(&self) -> bool {
        self.place_step * 16 > L2_BYTES / 4
    }

    /// Where a row and channel of the first place lie.
    pub(super) fn at(&self, row: usize, channel: usize) -> usize {
        channel / self.chunk * self.chunk_step + row * self.row_step + channel % self.chunk
    }
}
