"""The chapter, one experiment per section; `demo` runs them and reports."""
