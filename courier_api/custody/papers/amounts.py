"""Sums of money as they are written on Vietnamese papers: in figures and in words."""

_DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
_GROUPS = ("", "nghìn", "triệu")
_BILLION = 10**9


def in_figures(dong: int) -> str:
    """36000 as 36.000."""
    return f"{dong:,}".replace(",", ".")


def in_words(dong: int) -> str:
    """36000 as `Ba mươi sáu nghìn đồng`; raises ValueError below zero."""
    if dong < 0:
        raise ValueError("a sum on a paper is not negative")
    return f"{_spoken(dong, after_more=False) or 'không'} đồng".capitalize()


def _spoken(number: int, *, after_more: bool) -> str:
    above, below = divmod(number, _BILLION)
    words = [f"{_spoken(above, after_more=after_more)} tỷ"] if above else []
    after_more = after_more or above > 0
    for power in (2, 1, 0):
        group = below // 1000**power % 1000
        if group:
            words.append(f"{_three(group, after_more=after_more)} {_GROUPS[power]}".rstrip())
            after_more = True
    return " ".join(words)


def _three(group: int, *, after_more: bool) -> str:
    hundreds, tens, ones = group // 100, group // 10 % 10, group % 10
    words = [f"{_DIGITS[hundreds]} trăm"] if hundreds or after_more else []
    if tens == 0 and ones and words:
        words.append("linh")
    elif tens:
        words.append("mười" if tens == 1 else f"{_DIGITS[tens]} mươi")
    if ones:
        words.append(_last(tens, ones))
    return " ".join(words)


def _last(tens: int, ones: int) -> str:
    if tens > 1 and ones in (1, 4):
        return "mốt" if ones == 1 else "tư"
    return "lăm" if tens and ones == 5 else _DIGITS[ones]
