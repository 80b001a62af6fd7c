"""Run `python -m pieces_orm` as `pieces-orm`."""

from .cli.main import main

if __name__ == "__main__":
    main()
