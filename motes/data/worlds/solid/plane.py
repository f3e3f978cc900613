"""Operations on vectors on the floor, whose last axis holds x and y."""

import numpy as np

from motes.data.worlds.portable import Array


def squared_length(vectors: Array) -> Array:
    x = vectors[..., 0]
    y = vectors[..., 1]
    return x * x + y * y


def length(vectors: Array) -> Array:
    return np.sqrt(squared_length(vectors))


def inner(a: Array, b: Array) -> Array:
    return a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1]


def cross(a: Array, b: Array) -> Array:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def unit_vectors(vectors: Array) -> Array:
    return vectors / length(vectors)[..., None]


def rotated(vectors: Array, cosine: Array, sine: Array) -> Array:
    x = vectors[..., 0]
    y = vectors[..., 1]
    return np.stack([cosine * x - sine * y, sine * x + cosine * y], -1)
