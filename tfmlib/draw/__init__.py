"""Pictures for the page: SVG that stands in the HTML itself, so that it follows the light and the dark theme.

A picture is text, the same on every machine, and a test compares it byte for byte. Its words are drawn by the page
(and so Chinese words too); it carries a title that says what to see and an alternative text that says what it shows.

Numbers are drawn by `matrix`, `strips` and `attention`; curves by `figure` and `plot`; the machine by `transformer`,
the map, its parts by `flow`, a batch in the loss by `shifted`, and a search by `tree`. `attention_view`, `softmax_view`
and `live_translator` answer the reader's hand.
"""

from .curves import figure, plot
from .flow import Box, Branches, Layer, Plus, Shortcut, Words, flow
from .heat_map import attention, matrix
from .live import live_translator
from .picture import PAGE, PALETTE, Picture
from .shift import shifted
from .softmax import softmax_view
from .source import Source
from .strips import strips
from .transformer import transformer
from .tree import Branch, tree
from .view import attention_view

__all__ = [
    "PAGE",
    "PALETTE",
    "Box",
    "Branch",
    "Branches",
    "Layer",
    "Picture",
    "Plus",
    "Shortcut",
    "Source",
    "Words",
    "attention",
    "attention_view",
    "figure",
    "flow",
    "live_translator",
    "matrix",
    "plot",
    "shifted",
    "softmax_view",
    "strips",
    "transformer",
    "tree",
]
