"""The records of tensors that all other folders exchange: batches of pictures, latents, and ground truth."""
