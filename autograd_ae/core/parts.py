"""How kernels that only other kernels call are compiled: as far as LLVM's instructions, no farther.

Numba turns every function into machine code, optimised, as soon as it is compiled, also where it is only going to be
merged into its caller, which is optimised and turned into machine code again, and so on upwards: three levels of calls
are three times the work. A part is merged only, so it needs neither: its library hands its instructions on as they are,
and LLVM optimises the whole once. (`pipeline_class` is Numba's documented way to say how to compile.)
"""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any


@functools.cache
def pipeline_of_parts() -> Any:
    """The pipeline, or Numba's own where this version of Numba is built otherwise."""
    from numba.core import compiler

    try:
        return _pipeline()
    except (ImportError, AttributeError):
        return compiler.Compiler


def _pipeline() -> Any:
    from numba.core.codegen import JITCodeLibrary
    from numba.core.compiler import CompilerBase, DefaultPassBuilder
    from numba.core.compiler_machinery import FunctionPass, register_pass
    from numba.core.typed_passes import NopythonTypeInference

    class Merged(JITCodeLibrary):
        """A library without machine code."""

        @property
        def codegen(self) -> Any:  # asked only to note the environment of the machine code
            return SimpleNamespace(set_env=lambda *_arguments: None)

        def _optimize_final_module(self) -> None:
            """Its callers will be."""

        def _finalize_final_module(self) -> None:
            self._finalize_dynamic_globals()
            self._finalized = True

        def get_pointer_to_function(self, name: str) -> int:
            self._ensure_finalized()
            return 0

    @register_pass(mutates_CFG=False, analysis_only=True)
    class KeepInstructions(FunctionPass):
        _name = "keep_instructions"

        def __init__(self) -> None:
            super().__init__()

        def run_pass(self, state: Any) -> bool:
            state.library = Merged(state.targetctx.codegen(), state.func_id.func_qualname)
            return False

    class Pipeline(CompilerBase):
        def define_pipelines(self) -> list[Any]:
            passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
            passes.add_pass_after(KeepInstructions, NopythonTypeInference)
            passes.finalize()
            return [passes]

    for name in ("_optimize_final_module", "_finalize_final_module", "_finalize_dynamic_globals", "_ensure_finalized"):
        getattr(JITCodeLibrary, name)  # AttributeError where Numba calls it otherwise
    return Pipeline
