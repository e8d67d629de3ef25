"""The language that a text model is to answer in."""

from collections.abc import Iterable

from reelmake.foundation.errors import UserError

USUAL = "en"
"""What models answer in where nothing is said of it, since the prompts are written in it."""


def to_answer_in(given: str | None, spoken: str | None) -> str | None:
    """The English name of the language to ask for; None: nothing needs to be said.

    given: the setting `text_model.language`. spoken: the film's. Both are ISO 639 codes.
    """
    if not given and spoken == USUAL:
        return None
    return name(given or spoken)


def to_translate_into(codes: Iterable[str]) -> dict[str, str]:
    """The English names of the languages in `translations.languages`, by code.

    Raises UserError for a code that nobody knows, and for two that differ in case alone, whose
    files would have one name on some disks.
    """
    names, lower = {}, set()
    for code in codes:
        found = name(code)
        if found is None or code.lower() in lower:
            how = "nobody knows a language" if found is None else "there is twice"
            raise UserError(
                f"translations.languages: {how} '{code}'; name each once by its ISO 639 code, "
                "such as de, pt-BR or zh-Hant"
            )
        names[code] = found
        lower.add(code.lower())
    return names


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
