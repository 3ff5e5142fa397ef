"""A small mail site whose rows are pressed as a whole: no links, and no headings in a row. It looks otherwise at each seed."""

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
        dice = Random(f"mail {self.seed}")
        return [{"subject": s, "from": p} for s, p in zip(dice.sample(SUBJECTS, 6), dice.sample(PEOPLE, 6), strict=True)]

    def prompt(self, name: str) -> str:
        """Of a task about the second mail."""
        row = self.rows()[1]
        return PROMPTS[name].format(**row, address=row["from"].lower().replace(" ", ".") + "@mail.example")

    def get(self, path: str, query: Sent) -> str:
        look = self.look
        nav = "".join(look.shuffled("nav", [look.link("/", "Inbox"), look.link("/compose", look.pick("new", ("Compose", "New message")))]))
        match path.strip("/").split("/"):
            case ["mail", number]:
                return self.page(nav, self._mail(int(number)))
            case ["compose"]:
                return self.page(nav, f"<h1>New message</h1>{self._compose()}")
            case ["done"]:
                return self.page(nav, "<h1>Done</h1><p>It has been saved.</p>")
        return self.page(nav, f"<h1>Inbox</h1><div role='table'>{''.join(map(self._row, range(6)))}</div>")

    def _row(self, number: int) -> str:
        row, leads = self.rows()[number], f"data-goto='/mail/{number}?seed={self.seed}'"
        inside = (
            f"<input type='checkbox' aria-label='Select'><button type='button' aria-label='Star' data-act='/mail/{number}/star'>*</button>"
        )
        inside += f"<span>{escape(row['from'])}</span><span>{escape(row['subject'])}</span><time>{number + 1} May</time>"
        return f"<div role='row' class='cursor-pointer {self.look.code('row')}' {leads}>{inside}</div>"

    def _mail(self, number: int) -> str:
        look, row = self.look, self.rows()[number]
        archive = self.does(f"/mail/{number}/archive", look.pick("archive", ("Archive", "Archive mail")))
        text = look.field("text", look.pick("reply", ("Reply", "Message", "Your reply")), "<textarea {}></textarea>")
        reply = self.form(f"/mail/{number}/reply", [text], look.pick("send", ("Send", "Send reply")))
        return f"<h1>{row['subject']}</h1><p><b>From:</b> {row['from']}</p>{archive}{reply}"

    def _compose(self) -> str:
        look = self.look
        fields = [
            look.field("to", look.pick("to", ("To", "Recipient"))),
            look.field("subject", look.pick("about", ("Subject", "Title"))),
            look.field("text", look.pick("body", ("Message", "Body")), "<textarea {}></textarea>"),
        ]
        return self.form("/mail/1/compose", fields, look.pick("send mail", ("Send", "Send mail")))

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
