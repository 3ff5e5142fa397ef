"""What a desktop shows of what class names show or hide by the screen's width."""

from agents.page.screens import hides
from agents.tests.rows import rows


@rows(
    "names",
    [
        "hidden", "flex hidden", "d-none", "md:hidden", "block lg:hidden", "hidden md:flex lg:hidden", "d-md-none", "d-flex d-xl-none",
        "d-none d-sm-block d-lg-none", "hidden dark:block", "hidden max-md:block", "hidden print:block", "hidden min-[900px]:block md:hidden xl:hidden",
        "d-none d-print-block", "visible-xs", "visible-xs visible-sm", "hidden-lg", "is-hidden-desktop", "uk-hidden@m", "hide-for-large", "!hidden",
    ],
)  # fmt: skip
def test_hidden_on_a_desktop(names: str) -> None:
    assert hides(names.split())


@rows(
    "names",
    [
        "", "flex", "hidden sm:block", "hidden xl:inline-flex", "d-none d-md-block", "max-lg:hidden", "dark:hidden", "print:hidden", "hidden-xs",
        "hidden 2xl:block", "2xl:hidden", "d-xxl-none", "d-none d-xxl-block", "hidden group-hover:block", "hidden min-[900px]:flex", "max-[800px]:hidden",
        "visible-xs visible-lg", "visible-lg-block", "is-hidden-mobile", "overflow-hidden", "user-select-none", "d-print-none", "hidden-md",
        "sm:hidden md:flex", "hidden data-[state=open]:grid",
    ],
)  # fmt: skip
def test_shown_on_a_desktop(names: str) -> None:
    assert not hides(names.split())
