"""What admins choose from."""

from agents.common.choice import Choice


class Mode(Choice):
    HYBRID = "hybrid", "Hybrid: LLM, else template"
    LLM = "llm", "LLM only: else a plain answer"
    TEMPLATE = "template", "Template only: no LLM"


class Use(Choice):
    ALWAYS = "always", "For every step"
    WHEN_UNSURE = "when_unsure", "Where the template is unsure"
    AFTER_TEMPLATE = "after_template", "Once a step was unsure or failed"


class Pacing(Choice):
    FIXED = "fixed", "Fixed: the spacing"
    AUTO = "auto", "Automatic: by the answers"


class Risk(Choice):
    """The weight of a minute that is lost by a refusal, relative to one that is gained."""

    CAUTIOUS = "cautious", "Cautious: few refusals"
    BALANCED = "balanced", "Balanced"
    EAGER = "eager", "Eager: most answers by the LLM"

    @property
    def weight(self) -> float:
        return {"cautious": 3.0, "balanced": 1.0, "eager": 1 / 3}[self]


class CallerState(Choice):
    ALLOWED = "allowed", "Allowed"
    BLOCKED = "blocked", "Blocked: template only"
    OTHER = "other", "Other: gets what is left"
