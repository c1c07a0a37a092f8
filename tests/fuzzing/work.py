"""`python -m tests.fuzzing.work ARGUMENTS`: what `watching` starts."""

import json
import os
import sys
from pathlib import Path

from tests.fuzzing.worker import work

if __name__ == "__main__":
    # What the program itself prints gets not between what is told here.
    told = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = os.fdopen(told, "w", encoding="utf-8")
    names, seed, job, jobs, cpu_s, note, starts = json.loads(sys.argv[1])
    work(names, seed, job, jobs, cpu_s, Path(note), starts)
