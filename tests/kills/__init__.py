"""The real program, killed by SIGKILL at random instants, resumed, and killed again, until its run ends.

    python -m tests.kills --kills 10000 --jobs 2

After each kill the checkpoint must open, hold all that had been reported saved, and go on from what it held before. In the
end the run must be what it would have been without a kill, with every order placed once.
"""
