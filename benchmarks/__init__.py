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

A script describes workloads and lists their contenders: `training_step.py` (S, H, T: what a step costs),
`eager_overhead.py` (E), `pca.py` (P), `processes.py` (Start and Memory) and `accuracy.py` (A: seconds until a test
error is reached). The harness is `workload.py` (what a script says), `worker.py` (a contender's process), `harness.py`
(the visits), `summary.py` (the statistics of a workload), `environment.py` (threads, and the header), `bars.py` (what
is aimed at, and whether it is reached), `tables.py` and `figure.py`. Contenders use public interfaces only, ours too;
only the race of A asks our engine for its initial weights, so that its peers can start from them.

    python -m benchmarks --json run.json                 measure everything; Ctrl-C keeps the workloads that are done
    python -m benchmarks S T --rounds 21 --json s.json   some of them
    python -m benchmarks --from run.json s.json --table --plot run.png

Two commands measure something else than time: `python -m benchmarks.checkers` (faults that gradient checkers catch) and
`python -m benchmarks.paper_tables` (published reconstruction errors, reproduced on the whole of MNIST).
"""
