"""HTML that the parser reads in linear time: it compares each attribute of a tag with all before it.

Ordinary markup is passed over by one regular expression; a tag that is not plain is read as browsers do and written anew within the
limits. All patterns are possessive: nothing is tried twice at the same place.
"""

import re
from dataclasses import dataclass

from agents.contract.limits import MAX_ATTRIBUTE, MAX_ATTRIBUTES, MAX_BROKEN_ATTRIBUTES, MAX_BROKEN_TAGS, MAX_PAGE, MAX_TAG, MAX_TAGS

# White space as HTML has it: Unicode has more, which browsers take for letters.
_W = r"[ \t\n\f\r]"
_NO_W = r" \t\n\f\r"
# Elements whose inside is text to a parser, up to their own end tag. Those of the second kind have entities inside.
_RAW, _RAW_WITH_ENTITIES = ("style", "iframe", "noembed", "noframes", "xmp"), ("textarea", "title")
_NOT_PLAIN = "|".join(("script", "plaintext", *_RAW, *_RAW_WITH_ENTITIES))
# A plain tag has few and short attributes: together no more than a tag may have. Any other is read attribute by attribute.
_MOST_PLAIN = 40
_LONGEST_PLAIN = MAX_TAG // _MOST_PLAIN - 100
_ATTRIBUTE = (
    rf"(?:{_W}++|(?<=[\"']))[^{_NO_W}\"'<>/=`]{{1,90}}+"
    rf"(?:{_W}*+={_W}*+(?:\"[^\"]{{0,{_LONGEST_PLAIN}}}+\"|'[^']{{0,{_LONGEST_PLAIN}}}+'|[^{_NO_W}\"'<>=`]{{1,{_LONGEST_PLAIN}}}+))?+"
)
_ATTRIBUTES = rf"(?:{_ATTRIBUTE}){{0,{_MOST_PLAIN}}}+{_W}*+"
# With one of these letters the names of elements begin that are no plain tags.
_FIRST = "".join(sorted({name[0] for name in _NOT_PLAIN.split("|")}))
_PLAIN = re.compile(
    rf"(?:[^<]*+(?:</[a-z][a-z0-9:._-]{{0,40}}+{_W}*+>"
    rf"|<(?:[a-z](?<![{_FIRST}])|(?!(?:{_NOT_PLAIN})[{_NO_W}/>])[{_FIRST}])[a-z0-9:._-]{{0,40}}+(?:>|{_ATTRIBUTES}/?+>)"
    r"|<(?![a-z/!?])"
    r"|<!--(?!-?>)(?:[^-]++|-(?!-))*+-->"
    rf"|<script{_ATTRIBUTES}>(?:[^<]++|<(?!/script|!--))*+</script{_W}*+>"
    + "".join(rf"|<{tag}{_ATTRIBUTES}>(?:[^<]++|<(?!/{tag}))*+</{tag}{_W}*+>" for tag in (*_RAW, *_RAW_WITH_ENTITIES))
    + rf"|<(?:{_NOT_PLAIN}){_ATTRIBUTES}/>"
    rf"|<!doctype{_W}++html(?:[^>\"']++|\"[^\">]*+\"|'[^'>]*+')*+>"
    r"))*+[^<]*+",
    re.IGNORECASE | re.ASCII,
)
# One attribute as browsers read it: the tag's end; or a name, and its value in quotes, which the page's end may leave open, or bare.
_NEXT = re.compile(
    rf"[{_NO_W}/]*+(?:(?P<end>>)|(?P<name>[^{_NO_W}/>][^{_NO_W}/>=]*+)"
    rf"(?:{_W}*+={_W}*+(?:\"(?P<double>[^\"]*+)(?:\"|\Z)|'(?P<single>[^']*+)(?:'|\Z)|(?P<bare>[^{_NO_W}>\"'][^{_NO_W}>]*+)?))?+)"
)
_REST_OF_TAG = re.compile(rf"(?:[^>=]++|={_W}*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))?+)*+>")
_TAG = re.compile(rf"<(?P<end>/?)(?P<name>[a-z][^{_NO_W}/>]*+)", re.IGNORECASE | re.ASCII)
_PLAIN_NAME = re.compile(r"[a-z][a-z0-9:._-]{0,40}", re.IGNORECASE | re.ASCII)
_ATTRIBUTE_NAME = re.compile(r"[^\"'<=`]{1,90}")
_COMMENT_END = re.compile(r"--(?:>|(?<!<!--)!>)")
_IN_SCRIPT = re.compile(rf"<!--|-->|<(?P<end>/)?script(?=[{_NO_W}/>])", re.IGNORECASE)
_RAW_END = {tag: re.compile(rf"</{tag}(?=[{_NO_W}/>])", re.IGNORECASE) for tag in (*_RAW, *_RAW_WITH_ENTITIES)}


def bounded(html: str) -> tuple[str, tuple[str, ...]]:
    """The page within the limits, the same text where it keeps to them, and a sentence for each part that was left out."""
    cuts = list[str]()
    if len(html) > MAX_PAGE:
        cuts.append(f"Page: its first {MAX_PAGE:,} of {len(html):,} characters were read.")
        html = html[:MAX_PAGE]
    html = html.replace("\0", "")
    if html.count("<") > MAX_TAGS:
        cuts.append(f"Page: its first {MAX_TAGS:,} tags were read.")
        html = html[: len(html) - len(html.split("<", MAX_TAGS + 1)[-1]) - 1]
    if _end_of_plain(html, 0) == len(html):
        return html, tuple(cuts)
    written, further = _Rewriting(html).written()
    return written, (*cuts, *further)


def _end_of_plain(html: str, at: int) -> int:
    plain = _PLAIN.match(html, at)
    return plain.end() if plain else at


@dataclass
class _Rewriting:
    html: str
    at: int = 0
    attributes_read: int = 0
    too_many: int = 0
    too_long: int = 0

    def written(self) -> tuple[str, tuple[str, ...]]:
        parts, is_broken = list[str](), False
        while self.at < len(self.html) and not is_broken:
            start, self.at = self.at, _end_of_plain(self.html, self.at)
            parts.append(self.html[start : self.at])
            if self.at < len(self.html):
                is_broken = len(parts) > MAX_BROKEN_TAGS * 2 or self.attributes_read > MAX_BROKEN_ATTRIBUTES
                parts.append("" if is_broken else self._next())
        many = f"attributes of {self.too_many:,} tags beyond the first {MAX_ATTRIBUTES}, or {MAX_TAG:,} characters, were left out"
        long = f"{self.too_long:,} attributes of more than {MAX_ATTRIBUTE:,} characters were left out"
        broken = f"its markup is broken in more than {MAX_BROKEN_TAGS:,} places, or {MAX_BROKEN_ATTRIBUTES:,} attributes"
        cuts = ((self.too_many, many), (self.too_long, long), (is_broken, f"{broken}; what comes before was read"))
        return "".join(parts), tuple(f"Page: {cut}." for count, cut in cuts if count)

    def _next(self) -> str:
        if tag := _TAG.match(self.html, self.at):
            self.at = tag.end()
            # A name with signs in it stands for no element that is selected.
            name = tag["name"] if _PLAIN_NAME.fullmatch(tag["name"]) else "span"
            if not tag["end"]:
                return self._element(name)
            self._pass_tag()
            return f"</{name}>"
        if self.html.startswith("<!--", self.at):
            self._pass(_COMMENT_END.search(self.html, self.at + 2))
        else:
            self.at = self.html.find(">", self.at) + 1 or len(self.html)
        return "<!---->"  # so that what is before and after it does not become one tag

    def _pass(self, match: re.Match[str] | None) -> None:
        self.at = match.end() if match else len(self.html)

    def _pass_tag(self) -> None:
        self._pass(_REST_OF_TAG.match(self.html, self.at))

    def _element(self, name: str) -> str:
        attributes = self._attributes()
        if attributes is None:
            self.at = len(self.html)  # a tag without an end is none
            return ""
        kind, tag = name.lower(), f"<{name}{attributes}>"
        if kind not in {"script", "plaintext", *_RAW_END} or attributes.endswith("/"):
            return tag
        start, end = self.at, None
        if kind != "plaintext":
            end = self._end_of_script(start) if kind == "script" else _RAW_END[kind].search(self.html, start)
        self._pass(end)
        if end:
            self._pass_tag()
        text = self.html[start : end.start() if end else None].replace("<", "&lt;")
        return text if kind == "plaintext" else f"{tag}{text if kind in _RAW_WITH_ENTITIES else ''}</{name}>"

    def _attributes(self) -> str | None:
        kept, size = dict[str, str](), 0
        while (match := _NEXT.match(self.html, self.at)) and not match["end"]:
            if len(kept) >= MAX_ATTRIBUTES or size > MAX_TAG:
                self.too_many += 1
                self._pass_tag()
                return "".join(kept.values())
            self.at = match.end()
            self.attributes_read += 1
            name, value = match["name"].lower(), match["double"] or match["single"] or match["bare"] or ""
            if len(value) > MAX_ATTRIBUTE:
                self.too_long += 1
            elif _ATTRIBUTE_NAME.fullmatch(name) and name not in kept:
                kept[name] = f' {name}="{value.replace(chr(34), "&quot;")}"'
                size += len(kept[name])
        if not match:
            return None
        self.at = match.end()
        # The parser takes any tag that ends so for an empty element, which browsers do not.
        return "".join(kept.values()) + ("/" if match[0].endswith("/>") else "")

    def _end_of_script(self, at: int) -> re.Match[str] | None:
        """The end tag that ends a script. Inside of a comment in it, a script of its own may begin and end."""
        in_comment = is_inner = False
        while match := _IN_SCRIPT.search(self.html, at):
            at = match.start() + 2 if match[0] == "<!--" else match.end()
            if match[0] in {"<!--", "-->"}:
                in_comment, is_inner = match[0] == "<!--", is_inner and match[0] == "<!--"
            elif match["end"] and not is_inner:
                return match
            elif in_comment:
                is_inner = not match["end"]
        return None
