"""Images by their patches: a mixture of natural patches as the prior, and denoising with it."""
