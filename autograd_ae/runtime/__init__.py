"""How a captured program is executed: from numbered lines to one call per training step.

    lines of a Program ── lowering.py ──> rows ── table.py ──> words ── interpreter.py ──> done
                              plan.py: where every value lies         instructions.py, formulas.py: the work

1. `capture.py`: `ae.capture` records a function once per tuple of shapes (`core/capture.py`) and prepares the program.
2. `plan.py` gives every value its place in one block before the first step; memory of dead values is used again.
3. `lowering.py` says how each line is written as rows: an instruction, addresses, sizes (`rows.py` has the words). A
   line it does not know is called back. `templates.py` makes an instruction of every formula in `formulas*.py`.
4. `updating.py` appends the optimiser's step, `gathering.py` puts the reading of the batch before all.
5. `table.py` turns rows into integers, with the addresses of the machine code of the instructions that occur.
6. `interpreter.py` is one small loop: call the code, next row. `compiled.py` holds all this together.
7. Small networks: `small.py` puts the instructions of `lanes.py` in place of the rows of dense layers of a few units;
   `entering.py` lets a step, or many, begin without a detour through Python; `straight.py` writes a table out as one
   function, on request (`step.compile()`).

Where a program is a stack of dense layers with work enough, `fused.py` replaces these rows by three, made for it:

    chains.py: which lines      stack_plan.py: its memory      phases.py: what is done, in order      shares.py: by whom
    gemm.py: products by register tiles, from emitter.py's vectors and panels.py's layout      stack.py: with all fused
    choosing.py: tiles or BLAS, as measured on this machine      team.py, pace.py: threads

Eager mode has machine code too, for programs that record a great deal: `eager.py` puts it in place,
`eager_recording.py` and `eager_sweep.py` are the kernels, `eager_words.py` is what they know.

The machine code of instructions is made by Numba once per machine and loaded from disk without it afterwards
(`core/object_code.py`). Nothing is compiled per network.

What differs from `runtime="replay"`, the same lines run one by one from Python: sums of many terms are added in
float64, several chains at once; products below 4,096 multiplications are plain loops, those of small dense layers
chains of fused multiply-adds (`lanes.py`). What is built on exp, tanh, sin and cos, which are polynomials, is within
4 ulp of NumPy's value, entry by entry, what comes from the C library within 2 (`tests/runtime/test_lowering.py`). All
else has the same bits.
"""
