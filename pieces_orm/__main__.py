"""`python -m pieces_orm` is `pieces-orm`."""

from .cli.main import main

if __name__ == "__main__":
    main()
