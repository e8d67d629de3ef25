"""The exact text around a picture, as llama-cpp-python's chat handlers render it.

A model of this size follows only what it has seen, so it is trained on what the engine
feeds it: the rendering of both handlers, with many wordings of the question.
"""

from __future__ import annotations

import random

# What the project asks by default (its `config.yaml`).
DEFAULT_PROMPT = (
    "Describe this frame of a film. Answer in JSON with visual_content (what is seen), "
    "mood, action and setting."
)

# Stored in the text model; `MTMDChatHandler` renders it (with trim_blocks and
# lstrip_blocks, hence the newline in braces).  It puts no BOS: the engine adds it.
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ message.role | upper }}: "
    "{% if message.content is string %}{{ message.content }}"
    "{% else %}{% for part in message.content %}{{ part.text }}{% endfor %}"
    "{% endif %}{{ '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT: {% endif %}"
)

# `Llava15ChatHandler` always begins with this, and the newlines which its format has
# before USER and ASSISTANT are eaten by Jinja's trim_blocks.
LLAVA_SYSTEM = (
    "A chat between a curious human and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the human's questions."
)

VARIANTS = (
    DEFAULT_PROMPT,
    "Describe this frame of a film.",
    "Describe this frame of a video. Answer in JSON with visual_content, mood, action and setting.",
    "Describe the picture.",
    "Describe the image in JSON.",
    "What is seen in this picture?",
    "What do you see? Answer in JSON.",
    "What does this frame show?",
    "Describe this scene: visual content, mood, action, setting.",
    "Describe what is visible in this scene of a film, its mood, the action and the setting.",
    "You see one frame of a scene. Describe its visual content, mood, action and setting as JSON.",
    "Answer as JSON: visual_content, mood, action, setting.",
    "Return a JSON object with the keys visual_content, mood, action and setting.",
    "Give a short description of this image with visual_content, mood, action and setting.",
    "Look at the frame and describe it in one sentence for each field.",
    "Tell me which shape is shown, in which color, where, and on which background.",
    "Describe this video frame briefly for an editor who searches for scenes.",
    "",
)

_JUMBLED = (
    "a an the this that of in on for with and or to is are be as at it one each you your "
    "describe answer frame film video scene picture image shot movie clip JSON object keys "
    "fields field visual_content visual content mood action setting what which where who "
    "seen shown visible see look give return write short brief brief sentence words "
    "description please only exactly happens happening place time day night inside outside "
    "person people color shape background left right center editor search index key value "
    "string English tell me about must should not no more than ten twenty use do"
)
_WORDS = _JUMBLED.split()


def render_generic(prompt: str, image_first: bool = True, system: str = "") -> tuple[str, str]:
    """Text before and after the picture, as MTMDChatHandler renders CHAT_TEMPLATE."""
    lead = f"SYSTEM: {system}\n" if system else ""
    if image_first:
        return f"{lead}USER: ", f"{prompt}\nASSISTANT: "
    return f"{lead}USER: {prompt}", "\nASSISTANT: "


def render_llava(prompt: str, system: str = LLAVA_SYSTEM) -> tuple[str, str]:
    """Text before and after the picture, as Llava15ChatHandler renders it."""
    return f"{system}USER: ", f"{prompt}ASSISTANT: "


def random_prompt(rng: random.Random) -> str:
    """The default prompt in half of the cases, else a variant or a jumble of words.

    The jumbles teach that the wording does not matter.
    """
    draw = rng.random()
    if draw < 0.5:
        return DEFAULT_PROMPT
    if draw < 0.75:
        return rng.choice(VARIANTS)
    words = rng.choices(_WORDS, k=rng.randint(1, 30))
    text = " ".join(word + rng.choice(("", "", "", "", ",", ".", ":")) for word in words)
    return text[:1].upper() + text[1:] + rng.choice((".", "?", ""))


def random_rendering(rng: random.Random) -> tuple[str, str]:
    """A random prompt within a random handler's rendering."""
    prompt = random_prompt(rng)
    system = random_prompt(rng) if rng.random() < 0.15 else ""
    if rng.random() < 0.3:
        return render_llava(prompt, system or LLAVA_SYSTEM)
    return render_generic(prompt, rng.random() < 0.75, system)


def corpus() -> list[str]:
    """Texts from which the tokenizer learns its words, other than the answers."""
    rng = random.Random(0)
    texts = [text for prompt in VARIANTS for text in render_generic(prompt) + render_llava(prompt)]
    return texts + [random_prompt(rng) for _ in range(500)]
