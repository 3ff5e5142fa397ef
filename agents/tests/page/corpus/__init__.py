"""Small pages as sites build them, with what the page model must read of them written into their markup.

A page is an HTML file in `pages/`. It is rendered with several seeds: `[[a|b|c]]` is one of the texts, `@@name` an id, the children of
an element with `shuffle` change their order, controls get wrappers. What these attributes say is taken out before the page is read:

- `expect='button "Save": on, disabled'`: the element is listed with this role and name, in this state. What has none must not be
  listed. A name matches one that has the same words and few others. States: on, disabled, open, closed, required, invalid, focused,
  `holds "…"` (its value), `takes "a", "b"` (its options).
- `item="The Matrix; year 1999; no price"`: the block is an item with this name, this attribute, and no attribute of that name.
  `judge="year = 1999 yes; director = Nolan open"`: what is decided of it. `subject` is the same for what a detail page is about.
- `dialog`, `section`, `set`: the open dialog, the part of the page, or the set of choices of this name, which everything in it has.
- `<body loading>`, `error="…"`: what the page says of itself.
- `<meta name="press" content="#open; #next">`: what is pressed before the page is read.
"""
