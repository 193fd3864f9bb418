"""Files that people send: small true ones, and the bytes of a form that brings some."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping

from PIL import Image

BOUNDARY = "a-line-that-no-file-holds"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
# A place north of nowhere, in what a camera writes beside a picture.
GPS = {1: "N", 2: (33.0, 25.0, 17.5), 3: "W", 4: (111.0, 56.0, 24.0)}


def picture(form: str = "PNG", size: tuple[int, int] = (40, 30), *, gps: bool = False) -> bytes:
    """A picture, with a camera's notes beside it where `gps`."""
    made, out = Image.new("RGB", size, (200, 30, 30)), io.BytesIO()
    notes = Image.Exif()
    if gps:
        notes[0x010E] = "kanarienvogel"
        notes.get_ifd(0x8825).update(GPS)
    made.save(out, form, exif=notes)
    return out.getvalue()


def body(fields: Mapping[str, str], files: Iterable[tuple[str, bytes]]) -> bytes:
    """What a browser sends of a form with files. Built here: a library's own would spool them to disk."""
    parts = [
        (f'Content-Disposition: form-data; name="{name}"', value.encode()) for name, value in fields.items()
    ]
    parts += [
        (f'Content-Disposition: form-data; name="files"; filename="{name}"\r\nContent-Type: image/png', sent)
        for name, sent in files
    ]
    line = f"--{BOUNDARY}"
    pieces = [f"{line}\r\n{head}\r\n\r\n".encode() + sent + b"\r\n" for head, sent in parts]
    return b"".join(pieces) + f"{line}--\r\n".encode()
