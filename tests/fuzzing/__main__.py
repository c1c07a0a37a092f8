"""Fuzz for a while: `python -m tests.fuzzing --cpu-minutes 30`. Its last line is the summary; it exits with 1 if it found any.

--target NAME            only this one; may be given several times
--input NUMBER           only this input of --target, here and now: its error is shown in full
--file PATH              the same for an input that is in a file
--keep DIR               where each input that failed is written
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.fuzzing.targets import TARGETS
from tests.fuzzing.watching import Watch
from tests.fuzzing.worker import Finding, made


def main() -> int:
    """Return 0 where nothing was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description=__doc__.partition("\n")[0])
    parser.add_argument("--cpu-minutes", type=float, default=30, help="processor time, of all jobs together")
    parser.add_argument("--jobs", type=int, choices=(1, 2), default=2)
    parser.add_argument("--target", action="append", choices=list(TARGETS), dest="names")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--input", type=int, help="only this input of --target")
    one.add_argument("--file", type=Path, help="only this file, as an input of --target")
    given = parser.parse_args()
    names = given.names or list(TARGETS)
    if given.input is not None or given.file is not None:
        if len(names) != 1:
            parser.error("say which --target")
        target = TARGETS[names[0]]
        content = given.file.read_bytes() if given.file else made(target, given.seed, given.input)
        print(f"{content[:2_000]!r}", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            target.run(content, Path(folder))
        return 0
    watch = Watch(
        names, given.seed, given.jobs, given.cpu_minutes * 60, lambda finding: _report(finding, given.seed, given.keep)
    )
    watch.run()
    kinds = [finding.kind for finding in watch.findings]
    summary = {
        "cpu_minutes": round(watch.cpu_s / 60, 2),
        "inputs": {name: watch.inputs[name] for name in names},
        "crashes": kinds.count("crash"),
        "hangs": kinds.count("hang"),
    }
    print(json.dumps(summary))
    return 1 if kinds else 0


def _report(finding: Finding, seed: int, keep: Path | None) -> None:
    print(f"{finding.kind} of {finding.target}: {finding.words}")
    print(f"  python -m tests.fuzzing --target {finding.target} --seed {seed} --input {finding.number}", flush=True)
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        (keep / f"{finding.target}-{seed}-{finding.number}").write_bytes(finding.content)


if __name__ == "__main__":
    sys.exit(main())
