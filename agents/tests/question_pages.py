"""Pages of several kinds to answer questions from: cards, tables, rows, definition lists, details, a thread of texts."""


def _page(title: str, body: str) -> str:
    menu = "<nav><a href='/'>Home</a><a href='/about'>About</a><a href='/contact'>Contact</a></nav>"
    return f"<html><head><title>{title}</title></head><body><header>{menu}</header><main>{body}</main><footer>© 2026</footer></body></html>"


_FILMS = (
    ("The Glass Harbour", "Ines Marlow", 1999, 7.4, 118, "Drama", "Tom Reyes, Ada Quill"),
    ("Northern Static", "Per Halvorsen", 2008, 8.1, 96, "Thriller", "Mina Okafor, Leo Brandt"),
    ("Salt and Cinders", "Ruth Adeyemi", 2014, 6.9, 131, "Western", "Jon Vale, Cleo Marsh"),
    ("A Quiet Orbit", "Ines Marlow", 2021, 8.6, 142, "Science Fiction", "Priya Nair, Sam Oduya"),
)
FILMS = _page(
    "Films",
    "<h1>All films</h1><div class='grid'>"
    + "".join(
        f"<article class='card'><h3><a href='/films/{at}'>{name}</a></h3><p>Directed by {director}</p><p>{genre} • {year} • {minutes} min</p>"
        f"<span class='rating'>★ {rating}</span><p>Starring: {cast}</p><a href='/films/{at}'>View details</a></article>"
        for at, (name, director, year, rating, minutes, genre, cast) in enumerate(_FILMS, 1)
    )
    + "</div>",
)
FILM = _page(
    "Northern Static",
    "<h1>Northern Static</h1><p>When a radio tower goes quiet, a technician drives north alone.</p><dl><dt>Director</dt><dd>Per Halvorsen</dd>"
    "<dt>Release year</dt><dd>2008</dd><dt>Duration</dt><dd>96 minutes</dd><dt>Genres</dt><dd>Thriller, Mystery</dd>"
    "<dt>Cast</dt><dd>Mina Okafor, Leo Brandt</dd><dt>Rating</dt><dd>8.1</dd></dl><button>Add to watchlist</button>",
)
_GOODS = (
    ("Halden Kettle", "Halden", "Kitchen", "$49.90", "4.6", "In stock"),
    ("Orbit Desk Lamp", "Lumo", "Office", "$31.50", "4.2", "Out of stock"),
    ("Trail Bottle 1L", "Halden", "Outdoor", "$18.00", "4.8", "In stock"),
    ("Linen Throw", "Vasa", "Home", "$75.25", "3.9", "In stock"),
)
GOODS = _page(
    "Products",
    "<h1>Products</h1><table><thead><tr><th>Product</th><th>Brand</th><th>Category</th><th>Price</th><th>Rating</th><th>Availability</th>"
    "<th></th></tr></thead><tbody>"
    + "".join(
        f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}<td><a href='/products/{at}'>Open</a></td></tr>"
        for at, row in enumerate(_GOODS, 1)
    )
    + "</tbody></table>",
)
_MEALS = (
    ("Quay House", "Seafood", "4.7", "212 reviews", "Old Port", "25-35 min", "555-0143"),
    ("Saffron Lane", "Indian", "4.4", "98 reviews", "Riverside", "30-40 min", "555-0188"),
    ("Piccolo Forno", "Italian", "4.9", "341 reviews", "Castle Hill", "15-25 min", "555-0172"),
)
MEALS = _page(
    "Restaurants",
    "<h2>Restaurants near you</h2><ul>"
    + "".join(
        f"<li><h4>{name}</h4><div><span>{cuisine}</span><span>{area}</span></div><div><span>{rating}</span><span>({reviews})</span></div>"
        f"<div>Delivery time: {time}</div><div>Phone: {phone}</div><a href='/r/{at}'>Book a table</a></li>"
        for at, (name, cuisine, rating, reviews, area, time, phone) in enumerate(_MEALS, 1)
    )
    + "</ul>",
)
_MAILS = (
    ("Ola Berg", "ola.berg@post.example", "Budget for the spring fair", "I attached the new figures, please check row nine.", "Mar 4"),
    ("Tess Nwosu", "tess@atelier.example", "Re: Window display", "The blue velvet has arrived and it is gorgeous.", "Mar 6"),
    ("Harbour Library", "desk@library.example", "Your loan is due", "Three items are due on Friday.", "Mar 7"),
)
MAILS = _page(
    "Inbox",
    "<h1>Inbox</h1><div role='list'>"
    + "".join(
        f"<div role='listitem' class='mail'><input type='checkbox' aria-label='Select'><strong class='sender'>{name}</strong>"
        f"<span class='from-email'>{address}</span><a class='subject' href='/mail/{at}'>{subject}</a><span class='snippet'>{snippet}</span>"
        f"<time>{day}</time></div>"
        for at, (name, address, subject, snippet, day) in enumerate(_MAILS, 1)
    )
    + "</div>",
)
_MATTERS = (
    ("Estate of Brandt", "Lena Brandt", "Active", "2026-02-11", "$12,400"),
    ("Ferro v. Union Rail", "Ferro Works", "On hold", "2026-01-30", "$88,000"),
    ("Orchard lease", "Golden Orchard Ltd", "Closed", "2025-11-05", "$3,150"),
)
MATTERS = _page(
    "Matters",
    "<h1>Matters</h1><div class='rows'>"
    + "".join(
        f"<div class='row'><h3>{name}</h3><p><b>Client:</b> {client}</p><p><b>Status:</b> {status}</p><p><b>Updated:</b> {day}</p>"
        f"<p><b>Budget:</b> {money}</p><button>Open</button></div>"
        for name, client, status, day, money in _MATTERS
    )
    + "</div>",
)
HOTEL = _page(
    "Cliff Hotel Maro",
    "<h1>Cliff Hotel Maro</h1><p>Nerja, Spain</p><p>★ 4.8 (155 reviews)</p><p>6 guests · 3 bedrooms · 4 beds · 2 baths</p><p>$240 / night</p>"
    "<p>Hosted by Carmen Ruiz</p><h2>Amenities</h2><ul><li>Pool</li><li>Wifi</li><li>Parking</li></ul><button>Reserve</button>",
)
PROFILE = _page(
    "Sana Iqbal",
    "<h1>Sana Iqbal</h1><p>Industrial designer</p><p>Makes chairs that outlive their owners.</p><table><tr><th>Location</th><td>Lahore</td></tr>"
    "<tr><th>Followers</th><td>1,204</td></tr><tr><th>Username</th><td>sana.makes</td></tr><tr><th>Member since</th><td>2017</td></tr></table>"
    "<button>Follow</button>",
)
VALIDATORS = _page(
    "Validators",
    "<h1>Validators</h1><table><tr><th>Rank</th><th>Hotkey</th><th>Coldkey</th><th>Stake</th></tr>"
    + "".join(
        f"<tr><td>{at}</td><td><a href='/v/{at}'>{hot}</a></td><td>{cold}</td><td>{stake}</td></tr>"
        for at, (hot, cold, stake) in enumerate(
            (("5Hq9aWd", "5Cz7kLm", "962,431"), ("5Bt2fXe", "5Dy8nPq", "811,090"), ("5Gm4rTy", "5Ek1oUv", "377,252")), 1
        )
    )
    + "</table>",
)
VISITS = _page(
    "Appointments",
    "<h1>My appointments</h1><section>"
    + "".join(
        f"<div class='appointment'><h3>Dr. {doctor}</h3><p>{field}</p><p>Date: {day}</p><p>Time: {time}</p><button>Cancel</button></div>"
        for doctor, field, day, time in (
            ("Amara Sele", "Cardiology", "2026-09-01", "11:00 AM"),
            ("Nils Roth", "Dermatology", "2026-09-14", "8:30 AM"),
        )
    )
    + "</section>",
)
CONTACT = _page(
    "Contact",
    "<h1>Contact us</h1><p>Email: hello@cinderpress.example</p><p>Phone: +44 20 5550 1177</p><p>Address: 9 Kiln Row, Leeds</p>"
    "<p>Opening hours: Mon-Fri 9:00-17:00</p><form><label>Name<input name='name'></label><button>Send</button></form>",
)
PAGES = {
    "films": FILMS,
    "film": FILM,
    "goods": GOODS,
    "meals": MEALS,
    "mails": MAILS,
    "matters": MATTERS,
    "hotel": HOTEL,
    "profile": PROFILE,
    "validators": VALIDATORS,
    "visits": VISITS,
    "contact": CONTACT,
}
