//! Logits and features: one tensor a file, rows as in the predictions beside it.

use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::{StoreError, file};

/// Numbers in rows of equal length.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    columns: usize,
    values: Vec<f32>,
}

impl Matrix {
    /// `None` unless the values are whole rows.
    pub fn new(columns: usize, values: Vec<f32>) -> Option<Self> {
        (columns > 0 && values.len().is_multiple_of(columns)).then_some(Self { columns, values })
    }

    /// Length of a row; at least 1.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Rows in order.
    pub fn rows(&self) -> std::slice::ChunksExact<'_, f32> {
        self.values.chunks_exact(self.columns)
    }
}

/// The one tensor's name in its file.
const NAME: &str = "rows";

/// Writes the matrix as safetensors, one f32 tensor named `rows`.
///
/// # Errors
/// What the file system says.
pub fn write_matrix(path: &Path, matrix: &Matrix) -> Result<(), StoreError> {
    let bytes: Vec<u8> = matrix.values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let shape = vec![matrix.values.len() / matrix.columns, matrix.columns];
    let file = TensorView::new(Dtype::F32, shape, &bytes)
        .and_then(|view| safetensors::serialize([(NAME, view)], None))
        .map_err(|error| tensor_error(path, &error))?;
    file::write_bytes(path, &file)
}

/// Reads a matrix.
///
/// # Errors
/// The file is not there, cannot be read, or holds no f32 matrix named `rows`.
pub fn read_matrix(path: &Path) -> Result<Matrix, StoreError> {
    let bytes = file::read_bytes(path)?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| tensor_error(path, &error))?;
    let view = file.tensor(NAME).map_err(|error| tensor_error(path, &error))?;
    let &[_, columns] = view.shape() else { return Err(tensor_error(path, &"it is no matrix")) };
    if view.dtype() != Dtype::F32 {
        return Err(tensor_error(path, &format!("it is of type {:?}, not F32", view.dtype())));
    }
    let values = view.data().as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    Matrix::new(columns, values).ok_or_else(|| tensor_error(path, &"it has no columns"))
}

fn tensor_error(path: &Path, what: &dyn std::fmt::Display) -> StoreError {
    StoreError::Tensor { path: path.to_owned(), what: what.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_and_damage_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.logits.safetensors");
        for values in [vec![], vec![1.5, -0.0, f32::INFINITY, 3e-42, 5.0, 6.0]] {
            let matrix = Matrix::new(3, values).unwrap();
            write_matrix(&path, &matrix).unwrap();
            assert_eq!(read_matrix(&path).unwrap(), matrix);
        }
        let whole = std::fs::read(&path).unwrap();
        for cut in [0, 4, 20, whole.len() - 1] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(matches!(read_matrix(&path), Err(StoreError::Tensor { .. })), "cut at {cut}");
        }
        assert!(Matrix::new(0, vec![]).is_none() && Matrix::new(2, vec![1.0]).is_none());
    }
}
