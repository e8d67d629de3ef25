"""Pages to look at a library: written by `reel page`, or answered by `reel serve`."""
