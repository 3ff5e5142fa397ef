"""What was done in a task so far, for the LLM's prompt: a line an action, as it was when it happened."""

from collections.abc import Sequence

from agents.common.text import shorten
from agents.contract.action_types import CATALOGUE
from agents.contract.actions import InvalidAction, validate
from agents.contract.protocol import PastAction
from agents.page.nodes import one_line
from agents.page.past import NOTHING, action_in_words
from agents.prompting.page_prompt import tokens

_MOST_ERROR, _MOST_WORDS, _MOST_SHORT = 100, 160, 60
# Of the tokens, for the actions before the newest ones.
_FOR_EARLIER = 0.4


def done_so_far(history: Sequence[PastAction], most: int) -> str:
    """In at most `most` tokens: the newest actions in full, those before in few words. Waits of our own are left out."""
    said = [(past, words) for past in history if (words := _words(past))]
    lines, left = list[str](), most
    for past, words in reversed(said):
        line = f"- {shorten(words, _MOST_WORDS)}: {_outcome(past)}"
        if tokens(line) > left - most * _FOR_EARLIER:
            line = f"- {shorten(words, _MOST_SHORT)}: {_outcome(past).split()[0]}"
        left -= tokens(line) + 1
        if left < 0:
            lines.append(f"({len(said) - len(lines)} earlier actions not shown)")
            break
        lines.append(line)
    return "\n".join(reversed(lines)) or "nothing yet"


def _words(past: PastAction) -> str:
    if past.words:
        return past.words
    if past.type == "WaitAction" and past.succeeded is not False:
        return "wait" if past.effect not in {"", NOTHING} else ""
    try:
        return action_in_words(validate({"type": past.type, **past.fields}), None)
    except InvalidAction:
        return _unseen(past)


def _unseen(past: PastAction) -> str:
    """Of an entry that does not say where."""
    if past.type not in CATALOGUE:
        return "an action"
    verb, text = CATALOGUE[past.type].tool.removeprefix("browser.").replace("_", " "), past.fields.get("text")
    return f'{verb} "{one_line(text, _MOST_SHORT)}"' if isinstance(text, str) else verb


def _outcome(past: PastAction) -> str:
    changed = f" → {past.effect}" if past.effect else ""
    if past.succeeded is None and not past.error:
        return f"outcome not reported{changed}"
    if past.succeeded:
        return f"worked{changed}"
    error = shorten(past.error.strip().partition("\n")[0], _MOST_ERROR)
    return f"failed {error}".strip() + ("" if past.effect == NOTHING else changed)
