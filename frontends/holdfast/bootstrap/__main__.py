"""`python -m holdfast.bootstrap`, for where the console script is not on the path."""

import sys

from holdfast.bootstrap import main

sys.exit(main())
