"""Small sites with markup like that of demo sites, for tests. Ids, classes and texts differ by seed."""

HEAD = "<html><head><title>{title}</title></head><body>{nav}"
FILMS = ("The Matrix", "Arrival", "Pulp Fiction", "Interstellar")


def cinema(seed: int = 58) -> dict[str, str]:
    """Markup as by React: labels beside their fields, no names, ids and texts by seed, some wrappers."""
    ids = {58: ("login-box", "pw-input"), 7: ("field-7a1b2c3d", ":r1:"), 301: ("usr", "u-301")}.get(seed, ("x", "y"))
    go = {58: "Sign in", 7: "Access Account", 301: "Login"}.get(seed, "Enter")
    find = {58: "Find films, directors...", 7: "Type movie name, genre...", 301: "Query movies, titles..."}.get(seed, "Titles")
    nav = (
        f"<nav><a href='/?seed={seed}'>Home</a><a href='/about?seed={seed}'>About</a><a href='/contact?seed={seed}'>Contact</a>"
        f"<a href='/register?seed={seed}'>Register</a><a href='/login?seed={seed}'>Login</a></nav><span class='hidden' aria-hidden='true'></span>"
    )
    inside = f"<nav><a href='/?seed={seed}'>Home</a><a href='/profile?seed={seed}'>Ann</a><button type='button' data-goto='/bye'>Logout</button></nav>"
    search = f"<form action='/search'><div><input data-field='query' class='c{seed}' placeholder='{find}' value=''></div><button type='submit'>Go</button></form>"
    cards = "".join(
        f"<div class='card'><img src='p.jpg' alt=''><h3>{film}</h3><p>{2000 + at}</p><a href='/movies/{at}?seed={seed}'>View Details</a></div>"
        for at, film in enumerate(FILMS)
    )
    login = (
        f"<form action='/session' data-goto='/home' class='space-y-6'><div><label>Username</label><span><input data-field='username' id='{ids[0]}'"
        f" value=''></span></div><div><label>Password</label><input data-field='password' type='password' id='{ids[1]}' value=''></div>"
        f"<button type='submit'>{go}</button></form><p>Need an account? <a href='/register?seed={seed}'>Create one</a></p>"
    )
    register = (
        "<form action='/accounts' data-goto='/home'><label>Username</label><input data-field='username' value=''>"
        "<label>Email</label><input data-field='email' type='email' value=''><label>Password</label><input data-field='password' type='password' value=''>"
        "<label>Confirm password</label><input data-field='confirm' type='password' value=''><button type='submit'>Create account</button></form>"
    )
    pages = {
        "/": nav + search + cards,
        "/login": nav + login,
        "/register": nav + register,
        "/home": inside + search + cards,
        "/search": nav + search + cards,
    }
    pages |= {f"/movies/{at}": nav + f"<h1>{film}</h1>" for at, film in enumerate(FILMS)}
    pages |= {"/contact": nav + "<h1>Contact</h1>" + CONTACT, "/about": nav + "<h1>About us</h1>", "/bye": nav + "<h1>Goodbye</h1>"}
    return {path: HEAD.format(title="Autocinema", nav="") + body for path, body in pages.items()}


CONTACT = (
    "<form action='/messages'><input name='name' placeholder='Your name' value=''><input name='email' type='email' placeholder='Email' value=''>"
    "<select name='topic'><option>Choose</option><option>Billing</option><option>Support</option></select>"
    "<textarea name='message' placeholder='Message'></textarea><button>Send message</button></form>"
)


def shop() -> dict[str, str]:
    """Server-rendered markup: names, labels by for, a search in the header of every page, an account button instead of a link."""
    head = (
        "<header><form action='/search' role='search'><input type='hidden' name='seed' value='58'><label for='q'>Search products</label>"
        "<input id='q' type='search' name='q' value=''><button type='submit' aria-label='Search'></button></form>"
        "<button type='button' data-goto='/account/signin'>Sign in</button><a href='/account/signup?seed=58'>Join now</a></header>"
    )
    inside = "<header><button type='button' data-goto='/menu'>My account</button></header>"
    login = (
        "<form action='/session' data-goto='/home'><label for='e'>E-mail or username</label><input id='e' name='username' type='text' value=''>"
        "<label for='p'>Password</label><input id='p' name='password' type='password' value=''><input type='submit' value='Continue'></form>"
    )
    register = (
        "<form action='/accounts' data-goto='/home'><input name='username' placeholder='Name of your choice' aria-label='User name' value=''>"
        "<input name='email' type='email' value=''><input name='password' type='password' value=''>"
        "<label><input type='checkbox' name='terms'> I accept the terms</label><button>Join</button></form>"
    )
    things = "".join(
        f"<li><a href='/p/{at}?seed=58'>{name}</a><span>${price}</span><button type='button' data-goto='/cart/{at}'>Add to cart</button></li>"
        for at, (name, price) in enumerate((("Espresso Machine", 120), ("Smart Watch", 80), ("Stand Mixer", 200)))
    )
    pages = {
        "/": head + f"<ul>{things}</ul>",
        "/account/signin": head + login,
        "/account/signup": head + register,
        "/home": inside + "<h1>Hello</h1>",
        "/menu": inside + "<div><a href='/bye'>Sign out</a></div>",
        "/bye": head + "<h1>Signed out</h1>",
        "/search": head + f"<ul>{things}</ul>",
    }
    pages |= {f"/cart/{at}": head + "<h1>In your cart</h1>" for at in range(3)} | {f"/p/{at}": head + "<h1>Product</h1>" for at in range(3)}
    return {path: HEAD.format(title="Shop", nav="") + body for path, body in pages.items()}
