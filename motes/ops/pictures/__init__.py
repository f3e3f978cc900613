"""Operations on whole pictures: losses, corruption, texture synthesis."""
