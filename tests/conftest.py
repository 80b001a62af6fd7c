"""What every test shares. The fixtures `pieces_server` and `pieces` come from the plugin `pieces_orm.testing`."""

from hypothesis import settings

# A machine under load must not fail a property, and a run in CI draws the same examples every time.
settings.register_profile("pieces_orm", deadline=None, derandomize=True, database=None)
settings.load_profile("pieces_orm")
