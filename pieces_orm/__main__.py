"""`python -m pieces_orm` is `pieces-orm`."""

from .tools.cli import main

if __name__ == "__main__":
    main()
