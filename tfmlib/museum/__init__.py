"""The bug museum: the classic mistakes of the catalogue, as exhibits, in wings by what one sees of them.

right, trials = museum.try_out(), museum.try_all()  # a small model is trained without a mistake, and with each
exhibits = museum.exhibits(trials, right)           # those, and all that have a classic's name in `tfmlib.checks`
museum.guide(exhibits)                              # what do you see? → what it may be
museum.wing(exhibits, "good")                       # the loss is too good to be true
"""

from .exhibits import WINGS, Exhibit, exhibits
from .planting import PLANTS, Plant, Trial, leaks, school, try_all, try_out
from .showing import curves, guide, wing

__all__ = [
    "PLANTS",
    "WINGS",
    "Exhibit",
    "Plant",
    "Trial",
    "curves",
    "exhibits",
    "guide",
    "leaks",
    "school",
    "try_all",
    "try_out",
    "wing",
]
