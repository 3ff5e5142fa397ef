"""What admins choose from."""

from agents.common.choice import Choice


class Mode(Choice):
    """Who answers: the LLM with the template behind it, the LLM with only a plain answer behind it, or the template alone."""

    HYBRID = "hybrid", "Hybrid: LLM, else template"
    LLM = "llm", "LLM only: else a plain answer"
    TEMPLATE = "template", "Template only: no LLM"


class Use(Choice):
    ALWAYS = "always", "For every step"
    WHEN_UNSURE = "when_unsure", "Where the template is unsure"


class Pacing(Choice):
    """What sets the distance between requests: the spacing alone, or what was learned of the account."""

    FIXED = "fixed", "Fixed: the spacing"
    LEARNED = "learned", "Learned: the account's real limit"


class CallerState(Choice):
    ALLOWED = "allowed", "Allowed"
    BLOCKED = "blocked", "Blocked: template only"
    OTHER = "other", "Other: gets what is left"
