"""The classification of contents: by what the client says, the file's name, the content."""

from __future__ import annotations

from .content import from_content
from .names import canonical_name, classification, from_filename, is_image

# First bytes of image files.
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"\0\0\1\0", "ico"),
)


def classify(text: str | None, data: bytes, *, ext: object = None, name: str = "") -> dict[str, str]:
    """Classify contents; `text` is None when they are not text.

    Raises:
        RequestError: 400, `ext` is no language.
    """
    stated = canonical_name(ext) if isinstance(ext, str) and ext else None
    image = image_type(data)
    if image:
        # An image's first bytes know better than whoever sent it.
        return classification(stated if stated and is_image(stated) else image)
    if text is None:
        return classification(stated) if stated else {"generic": "FILE", "specific": "bin"}
    # A text is no image, whatever its sender or its name says.
    told = (each for each in (stated, from_filename(name)) if each and not is_image(each))
    return classification(next(told, None) or from_content(text) or "txt")


def image_type(data: bytes) -> str | None:
    """Recognize the kind of image that bytes are, None when they are no image."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return next((ext for magic, ext in _MAGIC if data.startswith(magic)), None)
