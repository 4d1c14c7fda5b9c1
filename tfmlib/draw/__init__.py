"""Pictures for the page: SVG that stands in the HTML itself, so that it follows the light and the dark theme.

A picture is text, the same on every machine, and a test compares it byte for byte. Its words are drawn by the page
(and so Chinese words too); it carries a title that says what to see and an alternative text that says what it shows.
"""

from .curves import figure, plot
from .heat_map import attention, matrix
from .picture import PAGE, PALETTE, Picture
from .source import Source
from .strips import strips
from .transformer import transformer
from .view import attention_view

__all__ = [
    "PAGE",
    "PALETTE",
    "Picture",
    "Source",
    "attention",
    "attention_view",
    "figure",
    "matrix",
    "plot",
    "strips",
    "transformer",
]
