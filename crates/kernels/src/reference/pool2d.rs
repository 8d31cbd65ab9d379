//! Pooling by its definition.

use crate::pool2d::Pool2dShape;

/// The largest of every window, and which place it has: the first of equals, and the last NaN.
pub fn max_pool2d(shape: &Pool2dShape, x: &[f64]) -> (Vec<f64>, Vec<u8>) {
    let mut y = vec![f64::NEG_INFINITY; shape.output_len()];
    let mut places: Vec<Option<u8>> = vec![None; shape.output_len()];
    for_each_place(shape, |out, place, input| {
        if let Some(input) = input
            && (places[out].is_none() || x[input] > y[out] || x[input].is_nan())
        {
            y[out] = x[input];
            places[out] = Some(place as u8);
        }
    });
    (y, places.into_iter().map(|place| place.unwrap_or(0)).collect())
}

/// Every `dy` to the place that won.
pub fn max_pool2d_backward(shape: &Pool2dShape, places: &[u8], dy: &[f64]) -> Vec<f64> {
    let mut dx = vec![0.0; shape.input_len()];
    for_each_place(shape, |out, place, input| {
        if let Some(input) = input
            && usize::from(places[out]) == place
        {
            dx[input] += dy[out];
        }
    });
    dx
}

/// The mean of every window, zeros in the padding included, but nothing of what hangs over the end.
pub fn avg_pool2d(shape: &Pool2dShape, x: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; shape.output_len()];
    for_each_place(shape, |out, _, input| y[out] += input.map_or(0.0, |input| x[input]) / places(shape, out));
    y
}

/// An equal share of `dy` to every place.
pub fn avg_pool2d_backward(shape: &Pool2dShape, dy: &[f64]) -> Vec<f64> {
    let mut dx = vec![0.0; shape.input_len()];
    for_each_place(shape, |out, _, input| {
        if let Some(input) = input {
            dx[input] += dy[out] / places(shape, out);
        }
    });
    dx
}

/// The mean of every map.
pub fn global_avg_pool(batch: usize, pixels: usize, channels: usize, x: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; batch * channels];
    for (i, x) in x.iter().enumerate() {
        y[i / (pixels * channels) * channels + i % channels] += x / pixels as f64;
    }
    y
}

/// An equal share of `dy` to every pixel.
pub fn global_avg_pool_backward(batch: usize, pixels: usize, channels: usize, dy: &[f64]) -> Vec<f64> {
    (0..batch * pixels * channels)
        .map(|i| dy[i / (pixels * channels) * channels + i % channels] / pixels as f64)
        .collect()
}

/// Places in the input and the padding of the window that gives a number.
fn places(shape: &Pool2dShape, out: usize) -> f64 {
    let pixel = out / shape.channels;
    let window = [pixel / shape.out_width() % shape.out_height(), pixel % shape.out_width()];
    let along = |axis: usize, size: usize| {
        let first = window[axis] * shape.stride[axis];
        (first..first + shape.kernel[axis]).filter(|&place| place < size + 2 * shape.padding[axis]).count()
    };
    (along(0, shape.height) * along(1, shape.width)) as f64
}

/// Calls `each(output, place, input)` for all places of all windows; the input is `None` outside it.
fn for_each_place(shape: &Pool2dShape, mut each: impl FnMut(usize, usize, Option<usize>)) {
    let Pool2dShape { batch, height, width, channels, kernel, stride, padding, trailing: _ } = *shape;
    let (out_height, out_width) = (shape.out_height(), shape.out_width());
    for out in 0..batch * out_height * out_width {
        let (b, oh, ow) = (out / out_width / out_height, out / out_width % out_height, out % out_width);
        for place in 0..kernel[0] * kernel[1] {
            let h = (oh * stride[0] + place / kernel[1]).checked_sub(padding[0]).filter(|&h| h < height);
            let w = (ow * stride[1] + place % kernel[1]).checked_sub(padding[1]).filter(|&w| w < width);
            let pixel = h.zip(w).map(|(h, w)| (b * height + h) * width + w);
            for c in 0..channels {
                each(out * channels + c, place, pixel.map(|pixel| pixel * channels + c));
            }
        }
    }
}
