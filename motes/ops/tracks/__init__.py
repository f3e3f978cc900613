"""Particles over time: which particle of a frame is which thing of the frames before, for any model of particles."""
