"""`reel serve`: the pages of `reelmake.pages`, live, with search, films and the state of a run."""
