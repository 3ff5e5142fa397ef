"""A small mail site whose rows are pressed as a whole: no links, and no headings in a row. It differs by seed."""

from html import escape
from random import Random

from agents.tests.solution_sites import SeededSite, Sent

PEOPLE = ("Ann Berg", "Bo Dahl", "Cia Ek", "Dan Falk", "Eva Gran", "Fia Hall")
SUBJECTS = ("Invoice due", "Team lunch", "Flight plan", "Weekly notes", "New badge", "Lost key")
PROMPTS = {
    "detail": "Open the email where subject equals '{subject}'",
    "archive": "Archive the email where subject equals '{subject}'",
    "star": "Star the email where from_email equals '{address}' and is_starred equals 'False'",
    "compose": "Write an email where to equals 'jo@x.org' and subject equals 'Hello' and message contains 'see you'",
    "reply": "Reply to the email where subject equals '{subject}' with message contains 'thanks'",
}


class MailSite(SeededSite):
    def rows(self) -> list[dict[str, str]]:
        rng = Random(f"mail {self.seed}")
        return [{"subject": s, "from": p} for s, p in zip(rng.sample(SUBJECTS, 6), rng.sample(PEOPLE, 6), strict=True)]

    def prompt(self, name: str) -> str:
        """The prompt of a task about the second mail."""
        row = self.rows()[1]
        return PROMPTS[name].format(**row, address=row["from"].lower().replace(" ", ".") + "@mail.example")

    def get(self, path: str, query: Sent) -> str:
        variant = self.variant
        nav = "".join(
            variant.shuffled("nav", [variant.link("/", "Inbox"), variant.link("/compose", variant.pick("new", ("Compose", "New message")))])
        )
        match path.strip("/").split("/"):
            case ["mail", number]:
                return self.page(nav, self._mail(int(number)))
            case ["compose"]:
                return self.page(nav, f"<h1>New message</h1>{self._compose()}")
            case ["done"]:
                return self.page(nav, "<h1>Done</h1><p>It has been saved.</p>")
        return self.page(nav, f"<h1>Inbox</h1><div role='table'>{''.join(map(self._row, range(6)))}</div>")

    def _row(self, number: int) -> str:
        row, target = self.rows()[number], f"data-goto='/mail/{number}?seed={self.seed}'"
        inside = (
            f"<input type='checkbox' aria-label='Select'><button type='button' aria-label='Star' data-act='/mail/{number}/star'>*</button>"
        )
        inside += f"<span>{escape(row['from'])}</span><span>{escape(row['subject'])}</span><time>{number + 1} May</time>"
        return f"<div role='row' class='cursor-pointer {self.variant.code('row')}' {target}>{inside}</div>"

    def _mail(self, number: int) -> str:
        variant, row = self.variant, self.rows()[number]
        archive = self.does(f"/mail/{number}/archive", variant.pick("archive", ("Archive", "Archive mail")))
        text = variant.field("text", variant.pick("reply", ("Reply", "Message", "Your reply")), "<textarea {}></textarea>")
        reply = self.form(f"/mail/{number}/reply", [text], variant.pick("send", ("Send", "Send reply")))
        return f"<h1>{row['subject']}</h1><p><b>From:</b> {row['from']}</p>{archive}{reply}"

    def _compose(self) -> str:
        variant = self.variant
        fields = [
            variant.field("to", variant.pick("to", ("To", "Recipient"))),
            variant.field("subject", variant.pick("about", ("Subject", "Title"))),
            variant.field("text", variant.pick("body", ("Message", "Body")), "<textarea {}></textarea>"),
        ]
        return self.form("/mail/1/compose", fields, variant.pick("send mail", ("Send", "Send mail")))

    def post(self, path: str, sent: Sent) -> str:
        _, _, number, act = path.split("/")
        self.events.append(
            (
                act,
                self.rows()[int(number)]
                | self.values(sent, "to", "text")
                | ({"title": title} if (title := self.values(sent, "subject")["subject"]) else {}),
            )
        )
        return "/done"
