"""Families of hostile pages. Each takes a random source and the page's size in characters, and returns the HTML.

A family repeats what could make a parser or a reader of pages do work that grows faster than the page.
"""

from collections.abc import Callable
from itertools import accumulate, takewhile
from random import Random

Page = Callable[[Random, int], str]

BLOCKS = ("div", "p", "section", "li", "td", "span", "b", "a", "font", "form", "ul", "table", "tr", "button", "label", "fieldset")
WORDS = ("film", "year", "name", "rating", "equals", "not", "contains", "director", "1994", "price", "$5", "search", "login", "delete")
ODD = (
    "\0",
    "\u200b",
    "\ufeff",
    "\ufffe",
    "\u202e",
    "e\u0301\u0301\u0301",
    "\U0001f469\u200d\U0001f4bb",
    "\u1e9e",
    "\u0130",
    "\x0c",
    "\x85",
    "\ud800",
)


def repeated(size: int, piece: Callable[[int], str]) -> str:
    """`piece(0)`, `piece(1)`, … up to `size` characters."""
    pieces = [piece(0)]
    pieces += [piece(number) for number in range(1, size // max(1, len(pieces[0])) + 1)]
    total = accumulate(map(len, pieces))
    return "".join(text for text, _ in zip(pieces, takewhile(lambda length: length <= size, total), strict=False)) or pieces[0]


def attributes_of_one_tag(rng: Random, size: int) -> str:
    name = rng.choice(("a", "data-x", "aria-", "class", "x:y"))
    return f"<{rng.choice(BLOCKS)} {repeated(size, lambda at: f'{name}{at}=1 ')}>x</div>"


def attributes_of_many_tags(rng: Random, size: int) -> str:
    each = repeated(rng.choice((500, 5_000, 20_000)), lambda at: f"a{at} ")
    return repeated(size, lambda _: f"<input {each}>")


def the_same_attribute_again(rng: Random, size: int) -> str:
    quote = rng.choice(("", "'", '"'))
    return f"<a {repeated(size, lambda at: f'href={quote}/x{at % 3}{quote} ')}>x</a>"


def one_huge_attribute(rng: Random, size: int) -> str:
    name = rng.choice(("class", "href", "aria-label", "style", "id", "placeholder", "value", "aria-labelledby", "title", "name"))
    word = rng.choice(("x", "a b ", "x1-", "'\"", "&amp;", "/", "1 "))
    return f"<form><input {name}='{repeated(size // 2, lambda _: word)}'><a {name}=\"{repeated(size // 2, lambda _: word)}\">x</a></form>"


def names_without_end(rng: Random, size: int) -> str:
    kind = rng.choice(("<{0}>", "<div {0}=1>", "</{0}>", "<{0}", "<div a='{0}", "<{0}:{0}>"))
    return "<p>x</p>" + kind.format(rng.choice(("x", "ab-", "a:", "é")) * (size // 6))


def deep(rng: Random, size: int) -> str:
    tag = rng.choice(BLOCKS)
    return repeated(size, lambda _: f"<{tag}>") + "<h3>x</h3><a href=/x>y</a>"


def deep_and_mixed(rng: Random, size: int) -> str:
    return repeated(size, lambda _: f"<{rng.choice(BLOCKS)}>") + "<input>"


def ends_without_start(rng: Random, size: int) -> str:
    start, end = rng.choice(BLOCKS), rng.choice(("x", *BLOCKS))
    return repeated(size // 2, lambda _: f"<{start}>") + repeated(size // 2, lambda _: f"</{end}>")


def crossed_formatting(rng: Random, size: int) -> str:
    first, second = rng.sample(("b", "i", "font", "a", "u", "p", "table", "form"), 2)
    return repeated(size, lambda at: f"<{first} id=a{at}><{second}>x</{first}>")


def texts_in_deep_blocks(rng: Random, size: int) -> str:
    piece = rng.choice(("<div><p>Year</p>", "<div>1994<a href=/x>y</a>", "<ul><li>x", "<div><h3>x</h3>", "<div class=card>x", "<label>x"))
    return repeated(size, lambda _: piece) + "<input>"


def entities(rng: Random, size: int) -> str:
    kinds = ("&amp;", "&#x1F600;", "&unknown;", "&", "&#99999999999;", "&#0;", "&lt", "&#xD800;", "&nbsp;", "&NotEqualTilde;", "&a" * 9)
    entity = rng.choice(kinds)
    return f"<p>{repeated(size // 2, lambda _: entity)}</p><a title='{repeated(size // 2, lambda _: entity)}'>x</a>"


def comments_and_declarations(rng: Random, size: int) -> str:
    kinds = (
        "<!--",
        "<!-->",
        "<!-- -- ->",
        "<![CDATA[",
        "<!doctype html>",
        "<!DOCTYPE a [<!ENTITY b '&c;&c;'>]>",
        "<?php ",
        "<!",
        "</",
        "<!--x-->",
    )
    return repeated(size, lambda _: rng.choice(kinds[:1]) if size % 2 else rng.choice(kinds)) + "<a href=/x>x</a>"


def raw_texts(rng: Random, size: int) -> str:
    tag = rng.choice(("script", "style", "textarea", "title", "noscript", "template", "iframe", "xmp", "plaintext", "noembed"))
    piece = rng.choice((f"<{tag}>", f"<{tag}></{tag[:-1]} ", f"<{tag}><!--</{tag}>", f"<{tag}>x</{tag}>", "</" + tag[:3]))
    return f"<{tag}>{repeated(size, lambda _: piece)}<input>"


def odd_characters(rng: Random, size: int) -> str:
    odd = "".join(rng.choices(ODD, k=4))
    return repeated(size, lambda at: f"<a href='/{odd}'>{odd}{at}</a>{odd}")


def less_than_signs(rng: Random, size: int) -> str:
    return repeated(size, lambda _: rng.choice(("<", "< ", "<>", "<<a ", "<1>", "<'", '<"', ">", "<a/", "<a =", "<a '")))


def inputs(rng: Random, size: int) -> str:
    kinds = (
        "<input name=x>",
        "<input name=n{0} id=i{0} placeholder='Field {0}'><label for=i{0}>Field {0}</label>",
        "<label>Year<input type=number min=1 max=9></label>",
        "<p>Year</p><input>",
        "<input type=radio name=r value={0}>",
        "<label><input type=checkbox name=c{0}>{0}</label>",
        "<textarea name=t{0}></textarea>",
        "<fieldset><legend>Group {0}</legend><input type=radio></fieldset>",
    )
    kind = rng.choice(kinds)
    return f"<form>{repeated(size, kind.format)}<button>Save</button></form>"


def forms(rng: Random, size: int) -> str:
    field = rng.choice(("<input name=q>", "<input type=password>", "<select><option>a<option>b</select>", "<div role=combobox>x</div>"))
    return repeated(size, lambda at: f"<form id=f{at}><h2>Form {at % 7}</h2>{field}<button>Send</button></form>")


def options(rng: Random, size: int) -> str:
    word = rng.choice(WORDS)
    per = rng.choice((1, 3, 200, 10**9))
    return repeated(size, lambda at: ("" if at % per else "</select><select name=s>") + f"<option value={at}>{word} {at}")


def references(rng: Random, size: int) -> str:
    name = rng.choice(("aria-labelledby", "aria-describedby", "aria-controls", "aria-owns", "for", "form", "list"))
    count = max(3, int((size / 12) ** 0.5)) if rng.random() < 0.5 else 200
    ids = " ".join(f"i{at}" for at in range(count))
    return repeated(size, lambda at: f"<div id=i{at}>label {at}</div><input {name}='{ids if at < count else 'i0'}' aria-invalid=true>")


def the_same_id(rng: Random, size: int) -> str:
    return repeated(size, lambda at: f"<label for=x>Name</label><input id=x name=x aria-labelledby=x class='a b {at % 2}'>")


def dialogs(rng: Random, size: int) -> str:
    close = rng.choice(("", "</div>"))
    mark = rng.choice(("role=dialog", "aria-modal=true role=dialog", "role=menu id=m{0}", "role=listbox", "role=alertdialog"))
    return repeated(
        size, lambda at: f"<div {mark.format(at)}><h2>Confirm {at}</h2><button aria-expanded=true aria-controls=m{at}>OK</button>{close}"
    )


def list_items(rng: Random, size: int) -> str:
    kinds = (
        "<li><a href=/f/{0}>Film {0}</a></li>",
        "<li><a href=/f>Film</a></li>",
        "<li><h3>Film {0}</h3><p>Year: 1994</p><p data-price=5>x</p><a href='/f/{0}'>View</a></li>",
        "<article><h2>x</h2><span>★ 4.5</span><button>Delete</button></article>",
        "<li>x",
        "<dt>Cast<dd>D{0}",
    )
    return f"<ul>{repeated(size, rng.choice(kinds).format)}</ul>"


def cells(rng: Random, size: int) -> str:
    row = rng.choice((1, 2, 3, 40, 10**9))
    cell = rng.choice(("<td>{0}", "<td><a href=/x>{0}</a>", "<th>Year<td>1994", "<td><input>", "<td rowspan=9999 colspan=9999>x"))
    return "<table>" + repeated(size, lambda at: ("" if at % row else "<tr>") + cell.format(at))


def grid(rng: Random, size: int) -> str:
    row = rng.choice((1, 3, 30, 10**9))
    return "<div role=grid>" + repeated(
        size, lambda at: ("" if at % row else "</div><div role=row>") + f"<div role=gridcell>{at % 50}</div>"
    )


def nested_tables(rng: Random, size: int) -> str:
    width = rng.randrange(1, 5)
    return repeated(size, lambda _: "<table><tr>" + "<td>a<a href=/x>b</a>" * width + "<td>")


def nested_lists(rng: Random, size: int) -> str:
    piece = rng.choice(("<ul><li>x<a href=/x>y</a>", "<ul><li><h3>x</h3>", "<ol><li>x<li>y"))
    return repeated(size, lambda _: piece)


def a_tree_of_blocks(rng: Random, size: int) -> str:
    width, leaf = rng.choice((2, 3, 8)), "<div><h3>Film</h3><p>Year: 1994</p><a href=/x>y</a></div>"
    page = leaf
    while len(page) * width < size:
        page = f"<div>{page * width}</div>"
    return page


def wrappers(rng: Random, size: int) -> str:
    depth = rng.choice((10, 100, 200))
    return repeated(size, lambda at: "<div>" * depth + f"<a href=/{at}>x</a>y" + "</div>" * depth)


def links(rng: Random, size: int) -> str:
    href = rng.choice(("/same", "/f/{0}", "/" + "x" * 2_000 + "{0}", "javascript:void({0})", "http://other.example/{0}?a=1&b=2", "'\""))
    text = rng.choice(("same", "Film {0}", "", "x" * 500, "<b>x</b>" * 5))
    return repeated(size, lambda at: f'<a href="{href.format(at)}">{text.format(at)}</a>')


def drawings(rng: Random, size: int) -> str:
    piece = rng.choice(("<svg>", "<svg><a>x</a>", "<svg><foreignObject>", "<math>", "<svg><g>", "<svg></svg>"))
    return repeated(size // 2, lambda _: piece) + repeated(size // 2, lambda _: "<a href=/x>x</a>")


def headings(rng: Random, size: int) -> str:
    piece = rng.choice(("<h1>x</h1><h2>1994</h2>", "<h2>x</h2><input><a href=/x>y</a>", "<h3>", "<h2>x</h2><button>Delete</button>"))
    return repeated(size, lambda _: piece)


def tiny_elements(rng: Random, size: int) -> str:
    piece = rng.choice(("<b>", "<br>", "<i></i>", "<p>", "<hr>", "<img>", "<a>", "<wbr>", "<li>", "<x>", "<td>", "</p>", "<s>1</s>"))
    return repeated(size, lambda _: piece)


def one_text(rng: Random, size: int) -> str:
    kinds = (
        "x",
        "1",
        "1,",
        "1-1-",
        "a@",
        "word ",
        "$1.",
        "(",
        "'",
        '"',
        " ",
        "\n",
        "1994 • 4.5/5 $5 — ",
        "2024-01-01 ",
        "a.b/",
        "★",
        "é ",
        "0x",
    )
    tag = rng.choice(("p", "h1", "h3", "button", "li", "label", "td", "option", "title", "legend", "div role=alert"))
    piece = rng.choice(kinds)
    return f"<div><{tag}>{repeated(size, lambda _: piece)}</{tag.partition(' ')[0]}><a href=/x>y</a></div>"


def texts(rng: Random, size: int) -> str:
    tag = rng.choice(("p", "span", "h3", "div", "dd", "strong", "p class=error", "div role=alert"))
    text = " ".join(rng.choices(WORDS, k=rng.randrange(1, 30)))
    return repeated(size, lambda at: f"<{tag}>{text}{at % 3 or ''}: {text[::-1]}</{tag.partition(' ')[0]}>")


def long_class_lists(rng: Random, size: int) -> str:
    names = " ".join(f"c{at}" for at in range(rng.choice((30, 1_000))))
    return repeated(size, lambda at: f"<button class='{names}' data-testid=b{at}>Delete</button>")


def hidden_parts(rng: Random, size: int) -> str:
    mark = rng.choice(("hidden", "style='display:none'", "style='" + "color:red;" * 50 + "'", "aria-hidden=true", "inert", "class=hidden"))
    close = rng.choice(("", "</div>"))
    return repeated(size, lambda _: f"<div {mark}><a href=/x>y</a>{close}")


def huge_numbers(rng: Random, size: int) -> str:
    digits = "9" * rng.choice((30, 5_000))
    return repeated(
        size, lambda _: f"<input type=number maxlength={digits} min={digits} max=-{digits} tabindex={digits}><p>Price: {digits}</p>"
    )


def pieces_at_random(rng: Random, size: int) -> str:
    some = [
        *(f"<{tag}>" for tag in BLOCKS),
        *(f"</{tag}>" for tag in BLOCKS),
        *WORDS,
        *ODD,
        "<h3>",
        "<input>",
        "<!--",
        "-->",
        "&amp;",
        "<a href=/x>",
    ]
    return "".join(rng.choices(some, k=size // 5))


FAMILIES: tuple[Page, ...] = (
    attributes_of_one_tag, attributes_of_many_tags, the_same_attribute_again, one_huge_attribute, names_without_end, deep, deep_and_mixed,
    ends_without_start, crossed_formatting, texts_in_deep_blocks, entities, comments_and_declarations, raw_texts, odd_characters,
    less_than_signs, inputs, forms, options, references, the_same_id, dialogs, list_items, cells, grid, nested_tables, nested_lists,
    a_tree_of_blocks, wrappers, links, drawings, headings, tiny_elements, one_text, texts, long_class_lists, hidden_parts, huge_numbers,
    pieces_at_random,
)  # fmt: skip
