"""Writes `coordinator/tokenizer/unicode-tables.ts`: the classes of characters that Hugging Face's tokenizers use.

    pip install tokenizers==0.23.3
    python test/coordinator/tokenizer/unicode/generate.py && npm run fix     # takes some minutes

Every class is found by asking the library for each code point. Its parts have tables of different versions of Unicode.
"""

import pathlib

from tokenizers import Regex, normalizers, pre_tokenizers

HERE = pathlib.Path(__file__).parent
TABLES = HERE.parents[3] / "coordinator/tokenizer/unicode-tables.ts"
POINTS = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]
CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co Cn".split()
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ!#%"
# Characters of which only newer versions of Unicode say how they are normalized.
LATER_FORMS = """7fd 897-89f 8ca-8d3 9fe c3c d3b-d3c eba 1715 1abf-1add 1ae0-1aeb 1df6-1dfa 32ff a7f1-a7f4 a82c ab69
10781-10785 10787-107b0 107b2-107ba 105c0-105ff 10d24-10d27 10d69-10d6d 10eab-10eac 10efa-10efb 10efd-10eff 10f46-10f50
10f82-10f85 11070 1133b 11380-113ff 1145e 11839-1183a 11930 11935 11938 1193d-1193e 11943 119e0 11a34 11a47 11a99 11d42
11d44-11d45 11d97 11f41-11f42 16100-1613f 16d40-16d7f 16ff0-16ff1 1ccd6-1ccf9 1e030-1e06d 1e08f 1e130-1e136 1e2ae
1e2ec-1e2ef 1e4ec-1e4ef 1e5ee-1e5ef 1e6e3 1e6e6 1e6ee-1e6ef 1e6f5 1f16c 1fbf0-1fbf9"""


def base36(number):
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits or "0"


def in_class(pattern):
    removed = pre_tokenizers.Split(Regex(pattern), "removed")
    return {point for point in POINTS if not removed.pre_tokenize_str(chr(point))}


def category_runs():
    letter = {}
    for name, written in zip(CATEGORIES, LETTERS):
        letter |= dict.fromkeys(in_class(r"\p{%s}" % name), written)
    runs = []
    for point in range(0x110000):
        written = letter.get(point, LETTERS[-1])
        if runs and runs[-1][0] == written:
            runs[-1][1] += 1
        else:
            runs.append([written, 1])
    return "".join(written + (base36(length) if length > 1 else "") for written, length in runs)


def ranges(points):
    """Gaps and lengths, by turns."""
    numbers, end = [], 0
    for point in sorted(points):
        if numbers and point == end:
            numbers[-1] += 1
        else:
            numbers += [point - end, 1]
        end = point + 1
    return " ".join(map(base36, numbers))


def removed_by(normalizer):
    return {point for point in POINTS if normalizer.normalize_str(chr(point)) == ""}


def alone(pre_tokenizer):
    return {point for point in POINTS if len(pre_tokenizer.pre_tokenize_str(f"a{chr(point)}a")) == 3}


def bert(**settings):
    usual = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False}
    return normalizers.BertNormalizer(**(usual | settings))


def later_forms():
    spans = [part.split("-") for part in LATER_FORMS.split()]
    return {point for span in spans for point in range(int(span[0], 16), int(span[-1], 16) + 1)}


def main():
    texts = {
        "CATEGORY_RUNS": category_runs(),
        "ALPHABETIC": ranges(in_class(r"\p{Alphabetic}")),
        "NUMERIC": ranges(alone(pre_tokenizers.Digits(individual_digits=True))),
        "PUNCTUATION": ranges(alone(pre_tokenizers.Punctuation())),
        "BERT_REMOVED": ranges(removed_by(bert(clean_text=True))),
        "BERT_ACCENTS": ranges(removed_by(bert(strip_accents=True))),
        "ACCENTS": ranges(removed_by(normalizers.StripAccents())),
        "LATER_FORMS": ranges(later_forms()),
    }
    lines = TABLES.read_text().splitlines()
    written = [
        next((f'export const {name} = "{text}";' for name, text in texts.items() if line.startswith(f"export const {name} =")), line)
        for line in lines
    ]
    TABLES.write_text("\n".join(written) + "\n")


main()
