"""`python -m autograd_ae` is `autograd-ae`."""

from autograd_ae.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
