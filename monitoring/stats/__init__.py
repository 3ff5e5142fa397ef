"""The whole read side: what is on record, as small frozen results. Nothing is recomputed: a page prints what was decided then."""
