"""Where a reply's own words end and the quoted mail begins.

quotequail is asked first (the most languages), mail-parser-reply's header patterns second, a pattern of our
own third. Whatever they say only moves a cut: text and quoted together always hold every word, and where a
cut would hide something the sender wrote, nothing is cut.
"""

from __future__ import annotations

import re
from functools import cache

import quotequail
from mailparser_reply.constants import MAIL_LANGUAGES
from mailparser_reply.parser import EmailMessage

# The libraries' patterns are quadratic on long lines and many of them run on every line. A quoted mail that
# begins later than this, or whose introduction is longer, stays visible.
MAX_LINES = 1500
MAX_LINE = 400
_WINDOW = 6

_FORWARD_SUBJECT = re.compile(r"^\s*(fwd?|wg|tr|rv|i|enc|doorst|vs|vb)\s*:", re.I)
_FORWARD_MARK = re.compile(
    r"^[->* ]*(begin forwarded message|forwarded message|anfang der weitergeleiteten|weitergeleitete nachricht|"
    r"début du message réexpédié|message transféré|inicio del mensaje reenviado|mensaje reenviado|"
    r"vidarebefordrat meddelande|begin doorgestuurd bericht|doorgestuurd bericht|messaggio inoltrato|"
    r"пересылаемое сообщение)",
    re.I,
)
# "On Tuesday Carla wrote:" in tongues that neither library reads, and in wordings they do not expect.
_INTRODUCTION = re.compile(
    r"^[> ]*\S.{5,240}(wrote|schrieb|a écrit|escribió|escreveu|ha scritto|schreef|skrev|пишет|написала?|"
    r"napsala?|napisał[a(]*|yazdı|kirjoitti|写道|寫道|のメール)[^\n]{0,60}[:：]\s*$",
    re.I,
)
_INTRODUCTION_END = re.compile(
    r"(wrote|schrieb|écrit|escribió|escreveu|scritto|schreef|skrev|пишет|написала?|написал\(а\)|写道|寫道)\s*[:：]\s*$",
    re.I,
)
_CANDIDATE = re.compile(r"^[>* ]*(\S[^:]{0,20}:|-{5,} ?\S)|[:：]\s*$")
_HEADER_LINE = re.compile(r"^[>* ]*([^\s:*][^:*]{0,20})[* ]*[:：]")
_SUBJECT = re.compile(
    r"subject|betreff|objet|sujet|asunto|assunto|oggetto|onderwerp|тема|ämne|emne|temat|předmět|konu|aihe|主题|主旨|件名|제목",
    re.I,
)
_RULE = re.compile(r"^\s*([-_]{5,}|-{2,} ?\w.*-{2,}\s*$)")
_DATED = re.compile(r"\d{4}|\d{1,2}[:.h]\d{2}|@")
_OPENER = re.compile(r"^[> ]*((on|am|le|el|il|op|den|em|dne|dnia|w dniu)\b|\d{1,4}[./ 年-])", re.I)
_SIGNATURE = re.compile(r"^(-- ?|__+|—+)$")


def split(text: str, *, subject: str = "") -> tuple[str, str]:
    """The text's own words and what is quoted below them, which is empty where nothing was cut.

    A forwarded mail is what its sender wants us to read, so it is not cut; neither is an answer written
    between or below the quoted lines.
    """
    whole = text.strip("\n")
    lines = whole.split("\n")
    cut = _cut(lines, is_forward=bool(_FORWARD_SUBJECT.match(subject)))
    if cut is None or not any(line.strip() for line in lines[:cut]) or _answers_below(lines[cut:]):
        return whole, ""
    return "\n".join(lines[:cut]).rstrip(), "\n".join(lines[cut:]).strip("\n")


def _cut(lines: list[str], *, is_forward: bool) -> int | None:
    short = [line[:MAX_LINE].rstrip() for line in lines[:MAX_LINES]]
    found = (_quotequail(short), _reply_header(short), _own(short))
    cuts = [cut for cut in found if cut is not None and _is_plausible(short[cut : cut + 12])]
    if not cuts:
        return None
    cut = min(cuts)
    if is_forward and not short[cut].startswith(">"):
        return None
    if any(_FORWARD_MARK.match(line) for line in short[cut : cut + 2]):
        return None
    cut = _beginning_of_introduction(short, cut)
    # A rule of underscores or dashes right above belongs to what is quoted.
    while cut and (not short[cut - 1].strip() or re.fullmatch(r"[_-]{10,}", short[cut - 1].strip())):
        cut -= 1
    return cut


def _quotequail(lines: list[str]) -> int | None:
    """The line where quotequail sees something wrapped. Its `text_top` is the beginning of what it was given."""
    found = quotequail.unwrap("\n".join(lines))
    if not found:
        return None
    top = str(found.get("text_top", ""))
    if not top:
        # Nothing above: a bottom-posted answer, or a mail that only quotes. Both are shown whole.
        return 0
    lead = 0
    while lead < len(lines) and not lines[lead].strip():
        lead += 1
    return lead + top.count("\n") + 1


def _reply_header(lines: list[str]) -> int | None:
    """The first line that begins a reply's introduction for mail-parser-reply.

    Its patterns run over a few lines at a time: over a whole hostile mail some of them take minutes.
    """
    pattern = _patterns()
    for number, line in enumerate(lines):
        if not _CANDIDATE.search(line) and not (number + 1 < len(lines) and _CANDIDATE.search(lines[number + 1])):
            continue
        if not line.strip():
            continue
        window = "\n".join(each.strip() for each in lines[number : number + _WINDOW])
        match = pattern.match(window)
        if match and match[0].strip() and (match[0].count(":") > 1 or _is_introduction(match[0])):
            return number
    return None


def _is_plausible(block: list[str]) -> bool:
    """Whether a cut's lines are those of a mail program rather than a customer's own.

    "From: Berlin, To: Hamburg, Date: 3 May" is a booking, and "On Monday your colleague wrote:" a story.
    """
    lines = [line for line in block if line.strip()]
    if not lines or any(line.lstrip().startswith(">") for line in lines[:4]) or _RULE.match(lines[0]):
        return True
    names = [match[1].strip() for line in lines[:8] if (match := _HEADER_LINE.match(line))]
    if _HEADER_LINE.match(lines[0]) and not _INTRODUCTION_END.search(" ".join(lines[:3])):
        return len(names) >= 3 and any(_SUBJECT.fullmatch(name) for name in names)
    return bool(_DATED.search(" ".join(lines[:3])))


def _beginning_of_introduction(lines: list[str], cut: int) -> int:
    """Where an introduction that was wrapped over several lines begins: at the cut, or a little above it."""
    above = cut
    while above and not lines[above - 1].strip():
        above -= 1
    near = range(max(0, above - 1), min(cut + 3, len(lines)))
    end = next((number for number in near if _INTRODUCTION_END.search(lines[number])), None)
    if end is None:
        return cut
    for start in range(min(end, cut), max(-1, end - 4), -1):
        if not lines[start].strip():
            break
        if _OPENER.match(lines[start]) and _DATED.search(" ".join(lines[start : end + 1])):
            return min(start, cut)
    return cut


def _is_introduction(words: str) -> bool:
    return bool(_INTRODUCTION_END.search(words) or re.search(r"[:：]\s*$", words) or words.startswith("---"))


@cache
def _patterns() -> re.Pattern[str]:
    pattern: re.Pattern[str] = EmailMessage(text="", languages=list(MAIL_LANGUAGES)).HEADER_REGEX
    return pattern


def _own(lines: list[str]) -> int | None:
    """An introduction line that is followed by something quoted, or by the rest of the mail."""
    for number, line in enumerate(lines):
        if _INTRODUCTION_END.search(line) and _quotes_next(lines[number + 1 :]):
            start = _beginning_of_introduction(lines, number)
            if start < number or _INTRODUCTION.match(line):
                return start
    return None


def _quotes_next(below: list[str]) -> bool:
    return next((line.lstrip().startswith(">") for line in below[:4] if line.strip()), False)


def _answers_below(quoted: list[str]) -> bool:
    """Whether somebody wrote between or below lines marked with `>`.

    A signature below ("-- " and what follows) is no answer. Where nothing is marked (Outlook) the whole rest
    is the quoted mail.
    """
    marked = False
    for line in quoted:
        stripped = line.strip()
        if stripped.startswith(">"):
            marked = True
        elif marked and _SIGNATURE.match(stripped):
            return False
        elif marked and stripped and not _INTRODUCTION_END.search(stripped):
            return True
    return False
