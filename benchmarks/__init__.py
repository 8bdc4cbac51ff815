"""Benchmarks that can be believed: `python -m benchmarks`, or `make bench`.

How it is measured, and why:

- Each contender runs in a process of its own, so that no library slows another one. The processes are visited in turn,
  A B C A B C …, for about 150 ms each. A neighbour on the machine, or a clock that drops as the chip warms, then slows
  all contenders of one round alike, and the *ratio* of two times of one round remains; of the ratios of all rounds the
  median and the range are reported.
- One CPU, pinned, and one thread, unless `--threads` says otherwise.
- Contenders must compute the same thing: their results at step 0 and after 20 steps are compared before anything is
  timed, and who disagrees is not timed.
- Importing, building and compiling are reported apart from the time per step, which starts when they are over.

A script describes one workload and lists its contenders: `training_step.py`, `eager_overhead.py`, `pca.py`. The harness
is `workload.py` (what a script says), `worker.py` (a contender's process), `harness.py` (the visits), `summary.py` (the
statistics and the table) and `environment.py` (threads, and the header). Contenders use public interfaces only, ours
too.

Two commands measure something else than time: `python -m benchmarks.checkers` (faults that gradient checkers catch) and
`python -m benchmarks.paper_tables` (published reconstruction errors, reproduced on the whole of MNIST).
"""
