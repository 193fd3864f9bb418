"""What a file is, by what is in it: never by its name, never by what the browser says of it."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

# A kind is known by its first bytes; text has none and is known by all of it.
ENOUGH = 32


@dataclass(frozen=True)
class Kind:
    """A kind of file that is taken. `can_be_shown`: a fresh copy of it can be made for looking at it."""

    code: str
    words: str
    extension: str
    can_be_shown: bool = False


# What a telephone or a camera makes, and what a letter is kept as. Nothing that runs, and nothing that holds files.
KINDS: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind("jpeg", "Picture (JPEG)", "jpg", can_be_shown=True),
        Kind("png", "Picture (PNG)", "png", can_be_shown=True),
        Kind("webp", "Picture (WebP)", "webp", can_be_shown=True),
        Kind("gif", "Picture (GIF)", "gif", can_be_shown=True),
        Kind("heif", "Picture (HEIF)", "heic"),
        Kind("pdf", "Document (PDF)", "pdf"),
        Kind("text", "Text", "txt"),
        Kind("mp4", "Video (MP4)", "mp4"),
        Kind("webm", "Video (WebM)", "webm"),
        Kind("mp3", "Sound (MP3)", "mp3"),
        Kind("m4a", "Sound (M4A)", "m4a"),
        Kind("ogg", "Sound (Ogg)", "ogg"),
        Kind("wav", "Sound (WAV)", "wav"),
    )
}
_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"%PDF-", "pdf"),
    (b"\x1aE\xdf\xa3", "webm"),
    (b"ID3", "mp3"),
    (b"\xff\xfb", "mp3"),
    (b"\xff\xf3", "mp3"),
    (b"OggS", "ogg"),
)
_IN_RIFF = {b"WEBP": "webp", b"WAVE": "wav"}
# The brands of ISO base media files (ISO/IEC 14496-12) that are no video.
_BRANDS = {
    brand: kind
    for kind, brands in {
        "heif": (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis"),
        "m4a": (b"M4A ", b"M4B "),
    }.items()
    for brand in brands
}


def kind_of(beginning: bytes) -> str | None:
    """The kind by the first ENOUGH bytes (or all, where there are fewer); None where they are text or not known."""
    if beginning[:4] == b"RIFF":
        return _IN_RIFF.get(beginning[8:12])
    if beginning[4:8] == b"ftyp":
        return _BRANDS.get(beginning[8:12], "mp4")
    return next((kind for start, kind in _BEGINNINGS if beginning.startswith(start)), None)


class TextLook:
    """Whether a stream of bytes is text, in UTF-8 and without control characters that no text has."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def is_text(self, piece: bytes, *, last: bool = False) -> bool:
        """Looks at the next piece; False once it is none."""
        try:
            self._decoder.decode(piece, last)
        except UnicodeDecodeError:
            return False
        return len(piece.translate(None, _CONTROLS)) == len(piece)


_CONTROLS = bytes(sorted(set(range(32)) - set(b"\t\n\r\f\x1b")))
