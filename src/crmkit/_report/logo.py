"""A logo, read from a picture file and put into the page itself."""

from __future__ import annotations

import base64
from typing import Any

from crmkit._checks import quoted
from crmkit._files import file_to_read
from crmkit.errors import InputError

__all__ = ["logo_address"]

_LARGEST = 200_000
_BEGINS = {
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
    b"<svg": "image/svg+xml",
    b"<?xml": "image/svg+xml",
}


def logo_address(logo: Any) -> str:
    """Return a picture as an address that needs no network; "" for none."""
    if logo is None:
        return ""
    content = file_to_read(logo, "logo").read_bytes()
    kind = next((kind for sign, kind in _BEGINS.items() if content.startswith(sign)), None)
    if kind is None:
        raise InputError(f"`logo` {quoted(str(logo))} is no PNG, JPEG, GIF, WebP or SVG picture.")
    if len(content) > _LARGEST:
        raise InputError(
            f"`logo` {quoted(str(logo))} has {len(content):,} bytes, which makes the page heavy. "
            f"Give a picture of at most {_LARGEST:,}."
        )
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
