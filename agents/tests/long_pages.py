"""Pages of any length like a demo site's list, for tests of bounds."""

GENRES = ("Drama", "Sci-Fi", "Comedy", "Action")
CARD = (
    '<div class="group relative overflow-hidden rounded-xl border border-white/10 bg-neutral-900 shadow transition-all duration-300">'
    '<img src="/media/posters/{n}.jpg" alt="Poster" class="h-full w-full object-cover"><div class="p-4 space-y-2">'
    '<h3 class="text-lg font-semibold text-white">Film number {n}</h3><p class="text-sm">Directed by <span>Person {m}</span></p>'
    '<div class="flex gap-2"><span class="badge">{year}</span><span class="badge">{genre}</span><span>Rating: {rating}</span></div>'
    '<a class="btn btn-primary" href="/films/{n}?seed=58">View details</a><button type="button" class="btn">Add to watchlist</button>'
    "</div></div>"
)


def films(count: int) -> str:
    """A list of `count` films with a search, filters and navigation; about 650 characters a film."""
    nav = "".join(
        f'<a class="nav-link px-3" href="/{name}?seed=58">{name.title()}</a>' for name in ("home", "films", "about", "contact", "login")
    )
    options = "".join(f"<option>{genre}</option>" for genre in GENRES)
    form = f'<form action="/search"><input name="q" placeholder="Search films"><label>Genre<select name="genre">{options}</select></label><button>Search</button></form>'
    cards = "".join(
        CARD.format(n=n, m=n % 37, year=1950 + n % 70, genre=GENRES[n % 4], rating=f"{n % 50 / 10 + 5:.1f}") for n in range(count)
    )
    away = '<a href="https://elsewhere.example/films">Our friends</a>'
    return f"<html><head><title>Films</title></head><body><nav>{nav}</nav><main>{form}<div class='grid'>{cards}</div></main><footer>{away}</footer></body></html>"
