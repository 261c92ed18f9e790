"""Scripts that draw the sample pictures: one module a picture, each with `render(long_side_px, seed)`."""
