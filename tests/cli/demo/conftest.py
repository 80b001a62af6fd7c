import pytest


@pytest.fixture
def folder(tmp_path):
    """Three texts in two folders, and what the demo leaves out."""
    project = tmp_path / "tides"
    (project / "docs").mkdir(parents=True)
    (project / "__pycache__").mkdir()
    (project / "__pycache__" / "app.pyc").write_bytes(b"\0")
    (project / "app.py").write_text("import math\n\n\ndef height(moon):\n    return math.sin(moon)\n")
    (project / "tide.py").write_text(
        "# see https://example.org/moon, and (https://example.org/sun)\nfrom app import height\n"
    )
    (project / "docs" / "read.md").write_text("# Tides\n\nThe [moon](https://example.org/moon).\n")
    (project / "logo.png").write_bytes(b"\x89PNG\0\xff")
    (project / "empty.txt").write_text("\n")
    (project / ".secret").write_text("hidden")
    return project
