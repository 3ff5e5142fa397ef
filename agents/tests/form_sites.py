"""Small sites with forms, for tests. Ids, labels, placeholders, the order of fields, wrappers and decoys differ by seed."""

from collections.abc import Sequence
from random import Random

SEEDS = (1, 2, 3, 4)

# Each field: its name when sent, its possible labels, its markup. `{how}` is replaced by ids, placeholders and the like.
Field = tuple[str, tuple[str, ...], str]
LINE = "<input data-field='{name}' value='' {how}>"
LONG = "<textarea data-field='{name}' rows=4 {how}></textarea>"


class Site:
    """Builds a site's pages for one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.chance = Random(seed)

    def pick(self, *texts: str) -> str:
        return self.chance.choice(texts)

    def page(self, body: str, title: str = "A site") -> str:
        links = [("/", "Home"), ("/about", "About us"), ("/contact", self.pick("Contact", "Contact us", "Get in touch"))]
        links += [("/profile", "Ann"), ("/search", "Search"), ("/new", self.pick("Add film", "New film", "Create film"))]
        nav = "".join(f"<a href='{to}?seed={self.seed}'>{text}</a>" for to, text in links)
        return f"<html><head><title>{title}</title></head><body><nav>{nav}</nav><main>{body}</main></body></html>"

    def form(self, action: str, fields: Sequence[Field], button: str, after: str = "/done", *, keep_order: bool = False) -> str:
        order = list(fields)
        if not keep_order:
            self.chance.shuffle(order)
        inside = "".join(self.field(*field) for field in order)
        cancel = "<button type='button' data-goto='/'>Cancel</button>"
        send = f"<button type='submit' class='c{self.seed}'>{button}</button>"
        buttons = self.pick(send + cancel, cancel + send, send)
        return f"{self.decoy()}<form action='{action}' data-goto='{after}'>{inside}<div>{buttons}</div></form>"

    def field(self, name: str, labels: Sequence[str], markup: str) -> str:
        label = self.pick(*labels)
        ident = f"f-{self.chance.randrange(100, 999)}"
        manner = self.chance.randrange(4)
        if manner == 0:
            return f"<div><label for='{ident}'>{label}</label>{markup.format(name=name, how=f'id={ident!r}')}</div>"
        if manner == 1:
            return f"<label><span>{label}</span>{markup.format(name=name, how='')}</label>"
        if manner == 2:
            return f"<div>{markup.format(name=name, how=f'placeholder={label!r}')}</div>"
        return f"<div><p>{label}</p>{self.decoy()}<span class='w'>{markup.format(name=name, how=f'id={ident!r}')}</span></div>"

    def decoy(self) -> str:
        return self.pick("", f"<span hidden aria-hidden='true' class='d{self.seed}'></span>")

    def pages(self, **bodies: str) -> dict[str, str]:
        """The site's pages by path; `start` is the start page, `a_b` the page at /a/b."""
        made = {"/": self.page(bodies.pop("start", "<h1>Welcome</h1>")), "/done": self.page("<h1>Thank you</h1><p>It has been saved.</p>")}
        return made | {"/" + path.replace("_", "/"): self.page(body) for path, body in bodies.items()}


def contact(seed: int) -> dict[str, str]:
    site = Site(seed)
    fields: list[Field] = [
        ("name", ("Name", "Your name", "Full name"), LINE),
        ("email", ("Email", "E-mail address", "Your email"), "<input type='email' data-field='{name}' value='' {how}>"),
        ("subject", ("Subject", "Topic"), LINE),
        ("message", ("Message", "Your message", "Comment"), LONG),
    ]
    newsletter = "<form action='/newsletter'><input type='email' placeholder='Your email' value=''><button>Subscribe</button></form>"
    form = site.form("/messages", fields, site.pick("Send message", "Send", "Submit"))
    return site.pages(contact=f"<h1>Contact</h1>{site.pick(newsletter + form, form + newsletter)}")


def films(seed: int) -> dict[str, str]:
    """A form for a new film, with a select, a number, and a row of buttons for the genre."""
    site = Site(seed)
    genres = "".join(f"<button type='button' data-sets='genre={genre}'>{genre}</button>" for genre in ("Drama", "Horror", "Comedy"))
    fields: list[Field] = [
        ("title", ("Title", "Name", "Film title"), LINE),
        ("director", ("Director", "Directed by"), LINE),
        ("year", ("Year", "Release year"), "<input type='number' min='1900' max='2030' data-field='{name}' value='' {how}>"),
        ("rating", ("Rating", "Score"), "<input type='number' min='0' max='10' step='0.1' data-field='{name}' value='' {how}>"),
        (
            "language",
            ("Language",),
            "<select data-field='{name}' {how}><option>Choose</option><option>English</option><option>French</option></select>",
        ),
    ]
    chips = f"<div><p>Genre</p><div>{genres}</div><input type='hidden' name='genre' value=''></div>"
    form = site.form("/films", fields, site.pick("Add film", "Save", "Create")).replace("</form>", f"{chips}</form>")
    return site.pages(new=f"<h1>New film</h1>{form}")


def profile(seed: int) -> dict[str, str]:
    """The user's profile, filled in already; a tab opens another form."""
    site = Site(seed)
    filled_in = "<input data-field='{name}' value='{value}' {{how}}>"
    fields: list[Field] = [
        ("first", ("First name", "Given name"), filled_in.format(name="{name}", value="Ann")),
        ("last", ("Last name", "Surname"), filled_in.format(name="{name}", value="Lee")),
        ("location", ("Location", "City"), filled_in.format(name="{name}", value="Oslo")),
        ("website", ("Website", "Homepage"), filled_in.format(name="{name}", value="https://ann.example")),
        ("bio", ("Bio", "About you"), LONG),
    ]
    form = site.form("/me", fields, site.pick("Save profile", "Save changes", "Update profile"))
    return site.pages(
        profile=f"<h1>Hello Ann</h1><button role='tab'>Profile</button><button role='tab' data-goto='/new'>Add film</button>{form}"
    )


def reviews(seed: int) -> dict[str, str]:
    """A film's page with a form for a review: stars, a name, a text."""
    site = Site(seed)
    stars = site.pick(
        "<fieldset><legend>Rating</legend>"
        + "".join(f"<label><input type='radio' name='rating' data-field='rating' value='{n}'>{n}</label>" for n in range(1, 6))
        + "</fieldset>",
        "<div><span>Rating</span>"
        + "".join(f"<button type='button' aria-label='{n} stars' data-sets='rating={n}'>\u2605</button>" for n in range(1, 6))
        + "<input type='hidden' name='rating' value=''></div>",
        "<div><label for='r'>Rating</label><select id='r' data-field='rating'><option>-</option>"
        + "".join(f"<option>{n}</option>" for n in range(1, 6))
        + "</select></div>",
    )
    fields: list[Field] = [
        ("who", ("Name", "Your name", "Display name"), LINE),
        ("text", ("Comment", "Your review", "Share your thoughts"), LONG),
    ]
    form = site.form("/reviews", fields, site.pick("Post comment", "Submit review", "Share feedback"))
    form = form.replace("<div><button", f"{stars}<div><button", 1) if "<div><button" in form else form
    cards = "".join(
        f"<li><a href='/films/{at}?seed={seed}'>{name}</a><p>{2000 + at}</p></li>" for at, name in enumerate(("Her", "Arrival", "Alien"))
    )
    pages = site.pages(start=f"<h1>Films</h1><ul>{cards}</ul>")
    return pages | {
        f"/films/{at}": site.page(f"<h1>{name}</h1><p>Year: {2000 + at}</p>{form}") for at, name in enumerate(("Her", "Arrival", "Alien"))
    }


def bookings(seed: int) -> dict[str, str]:
    """A table is booked by day, time and number of guests; name and telephone number are required."""
    site = Site(seed)
    fields: list[Field] = [
        ("date", ("Date", "Day"), "<input type='date' data-field='{name}' value='' {how}>"),
        ("time", ("Time", "At"), "<input type='time' data-field='{name}' value='' {how}>"),
        (
            "guests",
            ("Guests", "People", "Party size"),
            "<select data-field='{name}' {how}><option>1 person</option><option>2 people</option><option>4 people</option></select>",
        ),
        ("name", ("Full name", "Name"), "<input data-field='{name}' required value='' {how}>"),
        ("phone", ("Phone", "Telephone"), "<input type='tel' data-field='{name}' required value='' {how}>"),
        ("note", ("Special requests", "Notes"), LONG),
    ]
    form = site.form("/bookings", fields, site.pick("Book now", "Reserve", "Confirm booking"))
    return site.pages(start="<h1>Tables</h1><a href='/book'>Book a table</a>", book=f"<h1>Book a table</h1>{form}")


def mail(seed: int) -> dict[str, str]:
    """A window for a message that is not a form: fields and buttons in blocks, and a button for drafts."""
    site = Site(seed)
    fields: list[Field] = [
        ("to", ("To", "Recipient"), LINE),
        ("subject", ("Subject",), LINE),
        ("body", ("Message", "Type your message..."), LONG),
    ]
    site.chance.shuffle(fields)
    inside = "".join(site.field(*field) for field in fields)
    buttons = site.pick("<button type='button'>Save draft</button>{}", "{}<button type='button'>Save draft</button>").format(
        "<button>Send</button>"
    )
    window = f"<form action='/mails' data-goto='/done'><div role='dialog' aria-modal='true'><h2>New message</h2>{inside}<div>{buttons}</div></div></form>"
    inbox = "<h1>Inbox</h1><button type='button' data-goto='/compose'>{}</button><p>2 new</p>".format(site.pick("Compose", "New message"))
    return site.pages(start=inbox, compose=f"{inbox}{window}")


def matters(seed: int) -> dict[str, str]:
    """A lawyer's list: its own section, a window with a button outside of the form, options whose values differ from their labels."""
    site = Site(seed)
    shown = site.pick("Live", "Running", "In force")
    fields: list[Field] = [
        ("name", ("Case name", "Name of the case", "Name"), LINE),
        ("client", ("Client", "Customer"), LINE),
        (
            "status",
            ("Status", "State"),
            f"<select data-field='{{name}}' {{how}}><option value='Closed'>Shut</option><option value='Active'>{shown}</option></select>",
        ),
    ]
    form = site.form("/cases", fields, "Save case")
    narrowing = "<div><input placeholder='Search cases' value=''><select><option>All states</option><option>Live</option></select></div>"
    rows = "".join(
        f"<tr><td><a href='/matters/{at}'>{name}</a></td><td>{state}</td><td><button type='button' data-goto='/edit/{at}'>Edit case</button></td></tr>"
        for at, (name, state) in enumerate((("Will", "Active"), ("Lease", "Pending"), ("Merger", "Active")))
    )
    add = f"<button type='button' data-goto='/window'>{site.pick('New case', 'Add matter', 'Create project')}</button>"
    listed = f"<h1>Matters</h1>{add}{narrowing}<table><tr><th>Name</th><th>Status</th><th></th></tr>{rows}</table>"
    held = "<input data-field='name' value='Lease'><input data-field='client' value='Ann'>"
    edited = f"<h2>Case</h2><form action='/edited' data-goto='/done'><label>Name</label>{held}<button>Save changes</button></form>"
    return site.pages(start="<h1>Overview</h1><a href='/matters'>Files</a>", matters=listed, window=listed + form, edit_1=listed + edited)


def members_only(seed: int) -> dict[str, str]:
    """Comments are disabled until the user is logged in."""
    site = Site(seed)
    fields: list[Field] = [("who", ("Name", "Your name"), LINE), ("text", ("Comment", "Your comment"), LONG)]
    form = site.form("/reviews", fields, site.pick("Post comment", "Share comment"))
    shut = form.replace("data-goto='/done'>", "data-goto='/done'><fieldset disabled>").replace("</form>", "</fieldset></form>")
    login = (
        "<form action='/session' data-goto='/home'><label>Username <input data-field='username' value=''></label>"
        "<label>Password <input type='password' data-field='password' value=''></label><button>Log in</button></form>"
    )
    names = ("Her", "Arrival", "Alien")
    outside, inside = (
        "".join(f"<li><a href='/{where}/{at}'>{name}</a><p>{2000 + at}</p></li>" for at, name in enumerate(names))
        for where in ("films", "own")
    )
    log_in, log_out = "<a href='/login'>Log in</a>", "<a href='/bye'>Log out</a>"
    pages = site.pages(start=f"{log_in}<ul>{outside}</ul>", login=login, home=f"{log_out}<ul>{inside}</ul>")
    for at, name in enumerate(names):
        about = f"<h1>{name}</h1><p>Year: {2000 + at}</p>"
        pages |= {f"/films/{at}": site.page(about + log_in + shut), f"/own/{at}": site.page(about + log_out + form)}
    return pages


def tasks(seed: int) -> dict[str, str]:
    site = Site(seed)
    done = site.pick("Mark complete", "Complete", "Mark as done")
    rows = "".join(
        f"<li><span>{name}</span><em>{day}</em><button type='button' data-goto='/done/{at}'>{done}</button><button type='button'>Edit</button></li>"
        for at, (name, day) in enumerate((("Write report", "2026-05-01"), ("Call Ann", "2026-06-01"), ("Pay rent", "2026-07-01")))
    )
    pages = site.pages(start=f"<h1>Today</h1><ul>{rows}</ul>")
    return pages | {f"/done/{at}": site.page(f"<h1>Well done {at}</h1>") for at in range(3)}
