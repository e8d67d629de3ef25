"""`python -m reelmake.reel`: the command `reel` where it is not on the PATH."""

import sys

from reelmake.reel.main import main

sys.exit(main())
