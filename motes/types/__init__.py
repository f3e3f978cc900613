"""What travels between rooms: pictures, latents, truth. Plain records of tensors."""
