"""Vectors on the floor: the last axis holds x and y."""

import numpy as np


def squared_length(vectors: np.ndarray) -> np.ndarray:
    x = vectors[..., 0]
    y = vectors[..., 1]
    return x * x + y * y


def length(vectors: np.ndarray) -> np.ndarray:
    return np.sqrt(squared_length(vectors))


def inner(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1]


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def unit_vectors(vectors: np.ndarray) -> np.ndarray:
    return vectors / length(vectors)[..., None]


def rotated(vectors: np.ndarray, cosine: np.ndarray, sine: np.ndarray) -> np.ndarray:
    x = vectors[..., 0]
    y = vectors[..., 1]
    return np.stack([cosine * x - sine * y, sine * x + cosine * y], -1)
