from typing import Any

from agents.common.text import storable
from monitoring.palette.entries import search
from monitoring.web.access import PanelRequest
from monitoring.web.pages import page

MOST_CHARACTERS = 100


@page("palette/palette")
def palette(request: PanelRequest) -> dict[str, Any]:
    text = storable(request.GET.get("go", ""))[:MOST_CHARACTERS]
    kinds = search(request.user, text)
    return {"text": text, "kinds": kinds, "count": sum(len(entries) for _, entries in kinds)}
