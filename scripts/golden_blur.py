"""The blur of a picture made by formula, by scikit-image: `python scripts/golden_blur.py` prints the table in
crates/data/src/scan/blur.rs. Needs scikit-image."""

import numpy
from skimage.measure import blur_effect


def picture(height, width):
    """Squares and a slope, the same as in the test."""
    y, x = numpy.mgrid[0:height, 0:width]
    luma = (y // 7 + x // 5) % 3 * 60 + x * 50 // width + y * y * 20 // (height * height)
    return numpy.stack([luma] * 3, 2).astype(numpy.uint8)


def luma(pixels):
    red, green, blue = (pixels[..., channel].astype(numpy.float64) for channel in range(3))
    plane = (red * 19595 + green * 38470 + blue * 7471) / 65536
    factor = max(1, min(plane.shape) // 192)
    height, width = (side // factor for side in plane.shape)
    blocks = plane[: height * factor, : width * factor].reshape(height, factor, width, factor)
    return blocks.mean((1, 3))


for height, width, radius in [(40, 64, 0), (40, 64, 2), (64, 40, 2), (11, 11, 0), (395, 500, 0), (395, 500, 6)]:
    pixels = picture(height, width)
    if radius:
        padded = numpy.pad(pixels.astype(numpy.int64), ((radius, radius), (radius, radius), (0, 0)), mode="edge")
        side = 2 * radius + 1
        sums = sum(padded[dy : dy + height, dx : dx + width] for dy in range(side) for dx in range(side))
        pixels = (sums // side**2).astype(numpy.uint8)
    print(f"({height}, {width}, {radius}, {blur_effect(luma(pixels), h_size=11):.5f}),")
