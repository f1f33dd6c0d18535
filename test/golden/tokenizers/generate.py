"""Writes `byte-level.json` and `word-piece.json`, two small tokenizers trained on the texts below, and `ids.json`, the ids
that Hugging Face's library gives for texts, with names of special tokens as text and as tokens.

    pip install tokenizers==0.23.3
    python test/golden/tokenizers/generate.py
"""

import hashlib
import json
import pathlib
import struct

import tokenizers
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
TRAINING = [
    "Der Fluß führt im Frühling über die Ufer, und die Straßen der Altstadt stehen unter Wasser.",
    "Die Übertragung der Prüfungsergebnisse dauert länger, weil die Prüfungsordnung geändert wurde.",
    "A reunião foi adiada para amanhã, porque os alunos não receberam a informação a tempo.",
    "São Paulo e Rio de Janeiro são cidades com milhões de habitantes; a população não para de crescer.",
    "今天天气很好，我们一起去公园散步。公园里有很多人，孩子们在草地上玩。",
    "明天会下雨，记得带伞。天气预报说后天也会下雨。",
    "The river rises in spring, and the streets of the old town are under water. 2024-01-31, 12,345.67",
]
TEXTS = [
    *TRAINING,
    *["", " ", "\n", "a", " a", "  two\n\nlines \t", "don't we'll I'M", "12 345 678901 ٠١٢ ½", "x\u0085y\ufeffz\u200b\u3000"],
    *["Café", "Cafe\u0301", "A\u030angstro\u0308m", "\U00010400\U0001d400 👍🏽 é̂", "ﬁn ＡＢＣ ①"],
    *["<|endoftext|>", "Fim<|endoftext|> da história", "[CLS] x [SEP]", "[PAD]", "<|endoftext|", "São Paulo!", "Sa\u0303o Paulo"],
    *["Rio de Janeiro", " <tag> ", "xRio de Janeiro  y", "<tag>\n<tag>", "crypto cryptography crypto"],
    *["über" * 60, "天气" * 80, "aaab" * 70, "=" * 150, "ß ü " * 40],
]


def byte_level():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(TRAINING, trainer)
    tokenizer.add_tokens([AddedToken("São Paulo", normalized=True), AddedToken("Rio de Janeiro", normalized=False)])
    tokenizer.add_tokens([AddedToken("<tag>", lstrip=True, rstrip=True, normalized=False)])
    tokenizer.add_tokens([AddedToken("crypto", single_word=True, normalized=False)])
    return tokenizer


def word_piece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=names, show_progress=False)
    tokenizer.train_from_iterator(TRAINING, trainer)
    ids = [(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ids)
    return tokenizer


def hash_of_characters(tokenizer):
    """Over the numbers of ids and the ids of one text for each 16 code points of plane 0."""
    digest = hashlib.sha256()
    points = [chr(point) for point in range(0x10000) if not 0xD800 <= point < 0xE000]
    texts = ["".join(f"{c} {c}a{c}1" for c in points[start : start + 16]) for start in range(0, len(points), 16)]
    for encoding in tokenizer.encode_batch_fast(texts):
        digest.update(struct.pack(f"<{len(encoding.ids) + 1}I", len(encoding.ids), *encoding.ids))
    return digest.hexdigest()


def main():
    values = {"tokenizers": tokenizers.__version__, "texts": TEXTS, "ids": {}}
    for name, tokenizer in [("byte-level", byte_level()), ("word-piece", word_piece())]:
        (HERE / f"{name}.json").write_text(tokenizer.to_str(pretty=False) + "\n")
        for mode in ("text", "tokens"):
            tokenizer.encode_special_tokens = mode == "text"
            values["ids"][f"{name} {mode}"] = [tokenizer.encode(text).ids for text in TEXTS]
        if name == "byte-level":
            tokenizer.encode_special_tokens = True
            values["plane0"] = hash_of_characters(tokenizer)
    (HERE / "ids.json").write_text(json.dumps(values, ensure_ascii=False, separators=(",", ":")) + "\n")


main()
