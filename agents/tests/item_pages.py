"""A small shop and its pages, for tests of tasks about items. Some attributes are only on the item's own page."""

NAV = "<nav><a href='/?seed=58'>Home</a><a href='/search?seed=58'>Search</a><a href='/cart?seed=58'>Carrito</a><a href='/login?seed=58'>Login</a></nav>"
LAMPS = (("Arc", "Kestrel", "4.5", "40"), ("Bow", "Nordlicht", "4.1", "60"), ("Cone", "Kestrel", "3.9", "80"))


def shop(*, put: str = "Save for later", off: str = "Take out") -> dict[str, str]:
    def cards(*brands: str) -> str:
        shown = [(at, lamp) for at, lamp in enumerate(LAMPS) if lamp[1] in brands]
        return "".join(
            f"<li><h3>{name} lamp</h3><p>★ {rating}</p><p>${price}</p><a href='/lamps/{at}?seed=58'>Ver detalles</a></li>"
            for at, (name, _, rating, price) in shown
        )

    pages = {
        "/": f"{NAV}<h1>Lamps for all</h1>",
        "/search": f"{NAV}<h1>Search</h1><button type=button data-goto='/search/k'>All</button>"
        f"<button type=button data-goto='/search/k'>Kestrel</button><button type=button data-goto='/search/n'>Nordlicht</button><ul>{cards('Kestrel', 'Nordlicht')}</ul>",
        "/search/k": f"{NAV}<h1>Results</h1><ul>{cards('Kestrel')}</ul>",
        "/search/n": f"{NAV}<h1>Results</h1><ul>{cards('Nordlicht')}</ul>",
        "/cart": f"{NAV}<h1>Cart</h1><ul><li><h3>Arc lamp</h3><p>$40</p><button type=button data-goto='/gone'>{off}</button></li></ul>",
        "/gone": f"{NAV}<h1>Cart</h1><p>Nothing here.</p>",
    }
    for at, (name, brand, rating, price) in enumerate(LAMPS):
        head = f"<h1>{name} lamp</h1><p>Brand</p><p>{brand}</p><p>★ {rating}</p><p>${price}</p>"
        pages[f"/lamps/{at}"] = (
            f"{NAV}<main>{head}<button type=button data-goto='/lamps/{at}/in'>{put}</button><button type=button data-goto='/lamps/{at}/open'>Reveal</button>"
            f"<button type=button data-goto='/lamps/{at}/added'>Add to bag</button><button type=button data-goto='/lamps/{at}/share'>Send</button></main>"
        )
        pages[f"/lamps/{at}/in"] = f"{NAV}<main>{head}<button type=button data-goto='/lamps/{at}/out'>Remove from list</button></main>"
        pages[f"/lamps/{at}/out"] = f"{NAV}<main>{head}<button type=button data-goto='/lamps/{at}/in'>{put}</button></main>"
        pages |= {f"/lamps/{at}/{suffix}": f"{NAV}<main>{head}<p>{suffix}</p></main>" for suffix in ("added", "open", "share")}
    return {path: f"<html><head><title>Shop</title></head><body>{body}</body></html>" for path, body in pages.items()}
