"""Home: what lazy training is, on runs that ship with the program."""

from pages.home.shelf import alpha_control
from pages.widgets.declared import Page

PAGE = Page(
    title="Home",
    icon=":material/home:",
    order=1,
    controls=alpha_control,
    parameters=("at",),
    is_home=True,
)
