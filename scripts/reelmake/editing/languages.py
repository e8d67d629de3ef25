"""The language that a text model is to answer in."""

USUAL = "en"
"""What models answer in where nothing is said of it, since the prompts are written in it."""


def to_answer_in(given: str | None, spoken: str | None) -> str | None:
    """The English name of the language to ask for; None: nothing needs to be said.

    given: the setting `text_model.language`. spoken: the film's. Both are ISO 639 codes.
    """
    if not given and spoken == USUAL:
        return None
    return name(given or spoken)


def name(code: str | None) -> str | None:
    """The English name of a language by its ISO 639 code; None where there is none."""
    if not code:
        return None
    import langcodes

    try:
        found: str = langcodes.Language.get(code).display_name()
    except ValueError:
        return None
    return None if found.startswith("Unknown") else found
