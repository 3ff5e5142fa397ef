"""Every bound on a request. Anyone may post a step, so its cost must not depend on its content.

Refused: a body (413), a prompt or a URL (400) that no real task has. Shortened, never refused: the page, the history, the tools and
the criteria, as callers send pages of several MB; the step's record lists what was cut.
"""

# ---- refused
# Bytes. Pages of real sites have up to 5 MB, a screenshot in base64 about as much again.
MAX_BODY = 16 * 1024 * 1024
# Bytes in UTF-8. The longest recorded prompt has 2 kB; each is kept, indexed and sent to the LLM, which is billed by length.
MAX_PROMPT = 16 * 1024
# Bytes in UTF-8. No site of a task has longer URLs, many servers refuse them, and each row stores one.
MAX_URL = 4 * 1024
# Lists, objects and the commas between values in a body. 100,000 empty lists cost as much as reading a page, 5 million take 3 s
# and 700 MB; a history of 100,000 entries is below this.
MAX_JSON_VALUES = 500_000
# Characters of a task's id and a project's name: both are keys of tables.
MAX_ID = MAX_PROJECT = 200
# Far more steps than a task has; larger numbers fit no integer column.
MAX_INDEX = 1_000_000
# Seconds: a day, which is practically no limit and can be added to any time.
MAX_TIMEOUT = 86_400

# ---- what callers run of a task
# Actions, in one reply or over all steps; the newest callers replay fewer.
MAX_ACTIONS, MAX_TRAJECTORY = 50, 30
# Steps, of callers that run the first action of each reply only.
MAX_STEPS = 12
# Characters of an answer to a question: an item's whole description.
MAX_ANSWER = 2_000

# ---- cut: what comes with the page
# Twice what a task has, and agents read the last actions first.
MAX_HISTORY = 100
# Characters of a history's texts, as JSON. Real entries have some 300; a step is kept with its history.
MAX_HISTORY_CHARS = 256 * 1024
# Values of one action in the history: the widest has ten.
MAX_PAST_VALUES = 100
# A browser's error begins with the cause; the rest is its call log.
MAX_ERROR = 2_000
# Tools by name: there are 20 kinds of action.
MAX_TOOLS = 200
# Tasks have up to a dozen criteria, and a plan for each is made and checked against the page.
MAX_CRITERIA = 24

# ---- cut: the page itself
# Characters. Pages of real sites have up to 5 million; parsing costs 10 ms for each million.
MAX_PAGE = 5_000_000
# Start and end tags. A long table of 15,000 rows has 75,000; each costs the parser and the readers about a microsecond.
MAX_TAGS = 100_000
# The most that real markup has in one tag is some 40. The parser compares each name with all before it.
MAX_ATTRIBUTES = 100
# Characters of an attribute's value; images written into the page are longer, and nothing reads them.
MAX_ATTRIBUTE = 8_000
# Characters of a tag with all its attributes.
MAX_TAG = 64_000
# Places where markup is not plain: quotes in names, endless tags, unusual comments. Each is read by Python, at some 5 microseconds.
MAX_BROKEN_TAGS = 10_000
# Attributes of such tags in all, at some 2 microseconds each.
MAX_BROKEN_ATTRIBUTES = 50_000
# Depth of nested elements. Real pages have up to 60. This is the parser's own default limit; its option for huge trees allows 2,048.
# Readers walk up through the blocks around each element, so their cost grows with the depth.
MAX_DEPTH = 256
