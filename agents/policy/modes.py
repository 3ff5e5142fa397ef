"""What admins choose from."""

from agents.common.choice import Choice


class Mode(Choice):
    HYBRID = "hybrid", "Hybrid: LLM, else template"
    LLM = "llm", "LLM only: else a plain answer"
    TEMPLATE = "template", "Template only: no LLM"


class Use(Choice):
    ALWAYS = "always", "For every step"
    WHEN_UNSURE = "when_unsure", "Where the template is unsure"


class Pacing(Choice):
    FIXED = "fixed", "Fixed: the spacing"
    LEARNED = "learned", "Learned: the account's real limit"


class CallerState(Choice):
    ALLOWED = "allowed", "Allowed"
    BLOCKED = "blocked", "Blocked: template only"
    OTHER = "other", "Other: gets what is left"
