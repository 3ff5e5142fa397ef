"""Whether a prompt is a question."""

import re

from agents.template.prompt.task_kinds import ASKING

# As in: In the list below, who … – Tell me what … – Is it sold out?
_ABOUT = r"(?:(?:in|on|from|at|for|among|of|using|according to|based on|by) [^?,.]{1,60}, ?)?"
_TELL = r"(?:(?:tell me|find out|let me know|answer|say)[:,]? )?"
_PREPOSITION, _HOW = "in|on|at|from|to|for|by|of|with|under|since", "many|much|long|old|far|tall|big|often|large|high"
_WHAT = rf"(?:(?:{_PREPOSITION}) )?(?:who(?:se|m)?|what|which)\b|how (?:{_HOW})\b"
_WHETHER = r"(?:when|where|why|how|is|are|was|were|does|did|has|have)\b[^?]*\?\s*$"
_SAID = r"(?:one|an?|the|any) (?!details?\b|page\b|list\b)[a-z][a-z ]{1,40} (?:of|for|who|that|in)\b"
_SAY = rf"(?:tell me|report|state|extract|return|name|identify) {_SAID}"
_QUESTION = re.compile(rf"{ASKING}{_ABOUT}(?:{_TELL}(?:{_WHAT}|{_WHETHER})|{_SAY})", re.I)


def is_question(text: str) -> bool:
    """`text`: with its quoted values masked."""
    return _QUESTION.match(text) is not None
