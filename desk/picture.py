"""A picture made anew for looking at, in a process of its own: pixels go in, pixels come out, and nothing else.

Started by `desk.previews` as a script, with an empty environment. It imports nothing of ours: whoever takes over a
decoder by a drawn file finds no key, no settings and no code that asks a database. The original's notes (place, time,
camera, comments, hidden thumbnails) stay in the original.
"""

from __future__ import annotations

import io
import resource
import sys
import warnings

from PIL import Image, ImageOps

# What is decoded: these and no other of Pillow's readers.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
# The largest photographs of telephones; more is a bomb.
_MOST_PIXELS = 60_000_000
# As wide as a page shows, and long enough for a screenshot of a whole conversation.
_WIDTH, _PIXELS = 1_600, 12_000_000
# Kinds of dots that can be averaged; a palette's numbers cannot.
_PLAIN = ("RGB", "RGBA", "L", "LA")
_MEMORY, _SECONDS = 1024**3, 15


def confine() -> None:
    """From here on no more memory and time than a picture takes, and no way out: nothing that is not open by now can
    be opened any more, neither a file nor a connection, and no child is made."""
    for kind, most in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CPU, _SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def redrawn(original: bytes) -> bytes:
    """A JPEG of what the first frame shows, upright, with no note of the original. Raises whatever Pillow raises."""
    Image.MAX_IMAGE_PIXELS = _MOST_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    opened = Image.open(io.BytesIO(original), formats=_FORMATS)
    opened.draft("RGB", (2 * _WIDTH, 2 * _WIDTH))
    ImageOps.exif_transpose(opened, in_place=True)
    size = fitting(*opened.size)
    plain = opened if opened.mode in _PLAIN else opened.convert("RGBA")
    # Halved first as far as that goes: a large picture is read whole once, and everything after it is small.
    small = plain.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0).convert("RGBA")
    # What is transparent would hide words in black on black.
    fresh = Image.new("RGB", size, "white")
    fresh.paste(small, mask=small.getchannel("A"))
    out = io.BytesIO()
    fresh.save(out, "JPEG", quality=85)
    return out.getvalue()


def fitting(width: int, height: int) -> tuple[int, int]:
    """The size at which it is shown: never larger than it is."""
    scale = min(1.0, _WIDTH / width, (_PIXELS / (width * height)) ** 0.5)
    return max(round(width * scale), 1), max(round(height * scale), 1)


def warm_up() -> None:
    """Loads whatever decoding loads late, since nothing can be loaded afterwards."""
    for form in _FORMATS:
        made = io.BytesIO()
        Image.new("RGB", (2, 2)).save(made, form)
        redrawn(made.getvalue())


if __name__ == "__main__":
    warm_up()
    confine()
    try:
        sys.stdout.buffer.write(redrawn(sys.stdin.buffer.read()))
    except Exception:
        # Each decoder has its own ways to say that bytes make no sense; a traceback could hold some of them.
        sys.exit(1)
