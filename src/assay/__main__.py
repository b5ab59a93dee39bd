"""``python -m assay``."""

import sys

from assay.cli.entry import main

sys.exit(main())
