"""The colours: one accent, and status in four of them that always stand beside a shape and a word."""

from __future__ import annotations

from typing import Final

from textual.theme import BUILTIN_THEMES, Theme

_COLOURS: Final = {
    "accent": ("#a3aeff", "#4353c9"),
    "secondary": ("#7f89d8", "#6a76d4"),
    "warning": ("#f2c14e", "#8a5a00"),
    "error": ("#ff9a8f", "#b3261e"),
    "success": ("#74cf95", "#1b7340"),
    "working": ("#7cc7e8", "#0b6a8f"),
    "foreground": ("#e9e7e2", "#1d1c1a"),
    "dim": ("#a5a19a", "#625e57"),
    "faint": ("#74716b", "#827d75"),
    "background": ("#16161a", "#faf9f6"),
    "surface": ("#1d1d22", "#f2f0eb"),
    "panel": ("#26262d", "#e8e5de"),
    "rule": ("#34343c", "#d8d4cb"),
    "edge": ("#4a4a55", "#b9b4a9"),
    "cursor": ("#2a2c40", "#e2e5fa"),
    "marked": ("#3d4270", "#c3caf5"),
    "selection": ("#a3aeff 30%", "#4353c9 25%"),
    "added": ("#1c3325", "#e3f5e8"),
    "removed": ("#3a2223", "#fdeae8"),
}
"""Each on dark ground and on light."""


def _theme(name: str, *, dark: bool) -> Theme:
    """Return the colours of one ground, under the names that Textual and the lists have for them."""
    colour = {each: on_dark if dark else on_light for each, (on_dark, on_light) in _COLOURS.items()}
    ground, accent, rule, edge = (colour[each] for each in ("background", "accent", "rule", "edge"))
    grounds = ("footer-background", "scrollbar-corner-color")
    return Theme(
        name=name,
        dark=dark,
        primary=accent,
        secondary=colour["secondary"],
        accent=accent,
        warning=colour["warning"],
        error=colour["error"],
        success=colour["success"],
        foreground=colour["foreground"],
        background=ground,
        surface=colour["surface"],
        panel=colour["panel"],
        variables={
            "text-dim": colour["dim"],
            "text-faint": colour["faint"],
            "row-cursor": colour["cursor"],
            **{each: colour[each] for each in ("working", "rule", "marked", "added", "removed")},
            "border": edge,
            "border-blurred": rule,
            "scrollbar": rule,
            "scrollbar-hover": edge,
            "scrollbar-active": accent,
            "input-selection-background": colour["selection"],
            **dict.fromkeys(
                (*grounds, *(f"scrollbar-background{state}" for state in ("", "-hover", "-active"))), ground
            ),
        },
    )


DARK = _theme("holdfast-dark", dark=True)
LIGHT = _theme("holdfast-light", dark=False)
PLAIN = Theme(
    name="holdfast-16",
    ansi=True,
    dark=True,
    primary="ansi_blue",
    secondary="ansi_cyan",
    accent="ansi_cyan",
    warning="ansi_yellow",
    error="ansi_red",
    success="ansi_green",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    variables={
        **BUILTIN_THEMES["ansi-dark"].variables,
        "ansi-background": "ansi_default",
        "ansi-foreground": "ansi_default",
        "text-dim": "ansi_default",
        "text-faint": "ansi_default",
        "working": "ansi_cyan",
        "rule": "ansi_bright_black",
        "row-cursor": "ansi_blue",
        "marked": "ansi_blue",
        "added": "ansi_green",
        "removed": "ansi_red",
        "border": "ansi_bright_black",
        "border-blurred": "ansi_bright_black",
        "scrollbar": "ansi_bright_black",
        "scrollbar-hover": "ansi_white",
        "scrollbar-active": "ansi_cyan",
        "scrollbar-background": "ansi_default",
        "scrollbar-background-hover": "ansi_default",
        "scrollbar-background-active": "ansi_default",
        "scrollbar-corner-color": "ansi_default",
        "block-cursor-foreground": "ansi_black",
        "block-cursor-background": "ansi_white",
        "input-cursor-background": "ansi_white",
        "input-cursor-foreground": "ansi_black",
        "input-selection-background": "ansi_bright_blue",
        "input-selection-foreground": "ansi_black",
        "screen-selection-background": "ansi_bright_blue",
        "screen-selection-foreground": "ansi_black",
    },
)
