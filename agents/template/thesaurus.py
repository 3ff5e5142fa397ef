"""What buttons are called: words that mean the same, so that a recipe names a button once."""

from __future__ import annotations

from functools import lru_cache

from agents.page.matching import words

# The first word stands for all. What sites say besides English is Spanish more often than anything else.
_SAME = (
    "delete remove erase purge discard eliminate destroy expunge obliterate trash eliminar borrar quitar take unsave",
    "add put place include insert append move anadir añadir agregar",
    "edit modify update change revise amend adjust alter refine tweak editar",
    "view see show open display check explore access inspect examine reveal expand unfold ver mostrar abrir browse",
    "detail info information more overview detalle detalles",
    "cart basket bag trolley carrito cesta",
    "list watchlist wishlist favorite favourite favorites favourites collection lista favoritos library shelf",
    "share send compartir enviar recommend",
    "search find query lookup discover locate buscar",
    "confirm yes proceed finalize approve accept agree confirmar ok sí continue",
    "next forward siguiente advance later older",
    "trailer tráiler",
    "play watch reproducir",
    "filter filtro filtrar narrow",
    "apply run aplicar",
    "sort order arrange rank organize ordenar",
    "save store keep guardar bookmark",
    "all every everything entire todo todas todos full complete",
    "preview sample excerpt peek",
    "profile account perfil cuenta",
    "cancel abort cancelar",
    "reserve book reservar",
    "important priority",
    "increase raise increment plus grow",
    "decrease reduce decrement minus lessen",
    "spam junk",
)
_MEANT = {word: line.split()[0] for line in _SAME for word in line.split()}
# They tell nothing of what a button does.
_SMALL = frozenset("to from of the a an my your this that it now item on for and or at".split())  # noqa: SIM905 (words read best as words)


@lru_cache(maxsize=4096)
def meant(text: str) -> frozenset[str]:
    """The words of a text, each as the one that stands for those of its meaning; small words are left out unless there are no others."""
    said = words(text)
    told = frozenset(_MEANT.get(word, word) for word in said if word not in _SMALL)
    return told or frozenset(said)


def alike(wanted: str, said: str) -> float:
    """From 0 (nothing in common) to 1 (they mean the same)."""
    want, have = meant(wanted), meant(said)
    if not want or not have:
        return 0.0
    if want == have:
        return 1.0
    shared = len(want & have)
    return 0.7 * shared / len(want) + 0.2 * shared / len(have)
